// What a verb means, a row each: how many messages it makes of how many, and so what a message of one stage is called
// at the next; and what else follows from the verb alone. A new verb: the list in docs/design.md, "The verbs". (The
// cycle that a feedback closes, maps between gates, and filter and partition, which take many messages at a time, are
// asked for by name where they are meant.)
//
// A stage works in turns. A turn takes messages of each input and makes messages of the stage's own stream:
//
//   const Numbering split = numbering(Verb::split, 3);
//   split.made(4)          // 12: of four messages, twelve shards
//   split.turns(7)         // 2: the messages that are used up when seven shards are made
//   split.read_by(5, 2)    // {1, 3}: shards 5 and 6 were cut from messages 1 and 2
//
// Pure functions of a constant table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// Messages of a turn. `any`: as many as the body says, a number that others cannot know beforehand.
enum class Count { none, one, shards, any };

// Which split's shards a stage's messages are: of the one of its inputs, of itself, of the one around that of its
// inputs, or none's.
enum class Nesting { as_inputs, inside, outside, none };

// What a row does not say is as with the plain verb: a gate (works on one message at a time, in order, and begins a
// segment) that makes a message of one.
struct VerbRow {
  Verb verb;
  const char* name;
  Count takes = Count::one, makes = Count::one;
  Number ahead = 0;  // messages made before the first turn
  Nesting nesting = Nesting::as_inputs;
  bool gate = true;        // false: works on several at once, in any order, within the segment of its input
  bool has_output = true;  // false: its messages are those that it takes
  bool takes_out = false;  // takes values out of their slots where nobody else reads them

  // Makes messages before anybody sends it one.
  constexpr bool starts() const { return takes == Count::none || ahead > 0; }
  constexpr bool begins_segment() const { return gate && has_output; }
  constexpr bool cuts() const { return nesting == Nesting::inside; }
  // Its body does nothing that takes time: it carries values through, or cuts them.
  constexpr bool quick() const { return (takes_out && makes != Count::any) || cuts(); }
};

inline constexpr VerbRow verb_table[] = {
    {.verb = Verb::source, .name = "source", .takes = Count::none, .nesting = Nesting::none},
    {.verb = Verb::map, .name = "map", .gate = false},
    {.verb = Verb::expand, .name = "expand", .makes = Count::any, .nesting = Nesting::none},
    {.verb = Verb::filter, .name = "filter", .makes = Count::any, .nesting = Nesting::none, .takes_out = true},
    {.verb = Verb::partition, .name = "partition", .makes = Count::any, .nesting = Nesting::none},
    {.verb = Verb::zip, .name = "zip", .takes_out = true},
    {.verb = Verb::split, .name = "split", .makes = Count::shards, .nesting = Nesting::inside},
    {.verb = Verb::fold, .name = "fold", .takes = Count::shards, .nesting = Nesting::outside},
    {.verb = Verb::sink, .name = "sink", .has_output = false},
    {.verb = Verb::feedback, .name = "feedback", .ahead = 1, .nesting = Nesting::none, .takes_out = true},
};

constexpr const VerbRow& row(Verb verb) {
  return verb_table[static_cast<std::size_t>(verb)];
}
static_assert(std::all_of(std::begin(verb_table), std::end(verb_table),
                          [](const VerbRow& r) { return &row(r.verb) == &r; }),
              "the rows stand in the order of Verb");

struct Range {
  Number first = 0, last = 0;  // [first, last)
};

// How the messages of a stage are numbered beside those that it reads.
struct Numbering {
  bool fixed = true;  // false: the body says how many messages a turn makes, and the functions may not be asked
  Number takes = 1, makes = 1, ahead = 0;

  // Messages that can have been made in so many turns.
  constexpr Number made(Number turns) const { return turns * makes + ahead; }
  // Complete turns in which so many messages were made.
  constexpr Number turns(Number made) const {
    const Number in_turns = made - std::min(made, ahead);
    return makes == 1 ? in_turns : in_turns / makes;
  }
  // The messages of each input that were read when messages [first, first + count) were made.
  constexpr Range read_by(Number first, Number count) const {
    const Number last = first + count;
    return {turns(first) * takes, turns(last + makes - 1) * takes};
  }
};

// shards: into how many a message is cut, or out of how many it is put together.
constexpr Numbering numbering(Verb verb, Number shards) {
  const VerbRow& of_verb = row(verb);
  const auto messages = [shards](Count count) {
    return count == Count::none ? 0 : count == Count::shards ? shards : Number{1};
  };
  return {of_verb.makes != Count::any, messages(of_verb.takes), messages(of_verb.makes), of_verb.ahead};
}

}  // namespace sluice::detail
