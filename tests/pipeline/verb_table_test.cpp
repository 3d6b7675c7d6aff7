// The arithmetic of each verb, against messages counted one by one.
#include <sluice/pipeline/detail/verb_table.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::detail {
namespace {

// The input messages that each message of a stage is made of, in words of verbs.hpp: written out, not computed.
struct Row {
  Verb verb;
  Number shards;
  Number inputs;
  std::vector<std::vector<Number>> read;  // by message
};

const Row rows[] = {
    {Verb::map, 3, 3, {{0}, {1}, {2}}},
    {Verb::zip, 3, 3, {{0}, {1}, {2}}},
    {Verb::sink, 3, 3, {{0}, {1}, {2}}},
    {Verb::split, 1, 3, {{0}, {1}, {2}}},
    {Verb::split, 3, 2, {{0}, {0}, {0}, {1}, {1}, {1}}},
    {Verb::fold, 1, 3, {{0}, {1}, {2}}},
    {Verb::fold, 3, 6, {{0, 1, 2}, {3, 4, 5}}},
    {Verb::feedback, 3, 3, {{}, {0}, {1}, {2}}},
    {Verb::map, 3, 0, {}},
    {Verb::split, 3, 0, {}},
    {Verb::feedback, 3, 0, {{}}},
};

TEST(VerbTable, AsManyMessagesAreMadeOfSoManyAsCanBe) {
  for (const Row& row : rows) {
    const Numbering n = numbering(row.verb, row.shards);
    EXPECT_EQ(n.made(row.inputs / n.takes), row.read.size()) << to_string(row.verb) << " " << row.shards;
  }
}

TEST(VerbTable, AnInputIsUsedUpWhenTheLastMessageThatReadsItIsMade) {
  for (const Row& row : rows) {
    const Numbering n = numbering(row.verb, row.shards);
    for (Number made = 0; made <= row.read.size(); ++made) {
      Number used_up = 0;
      for (Number input = 0; input < row.inputs; ++input) {
        bool needed = false;
        for (Number k = made; k < row.read.size(); ++k)
          for (const Number read : row.read[k]) needed |= read == input;
        if (!needed) ++used_up;
      }
      EXPECT_EQ(n.turns(made) * n.takes, used_up) << to_string(row.verb) << " " << row.shards << ", made " << made;
    }
  }
}

TEST(VerbTable, ARangeOfMessagesReadsWhatEachOfThemReads) {
  for (const Row& row : rows) {
    const Numbering n = numbering(row.verb, row.shards);
    for (Number first = 0; first < row.read.size(); ++first)
      for (Number count = 1; first + count <= row.read.size(); ++count) {
        std::vector<Number> all;
        for (Number k = first; k < first + count; ++k)
          for (const Number read : row.read[k])
            if (all.empty() || all.back() != read) all.push_back(read);
        std::vector<Number> range;
        const Range read = n.read_by(first, count);
        for (Number k = read.first; k < read.last; ++k) range.push_back(k);
        EXPECT_EQ(range, all) << to_string(row.verb) << " " << row.shards << ": " << count << " from " << first;
      }
  }
}

TEST(VerbTable, ASourceMakesAMessageATurnAndReadsNone) {
  const Numbering source = numbering(Verb::source, 3);
  for (Number turns = 0; turns < 4; ++turns) {
    EXPECT_EQ(source.made(turns), turns);
    EXPECT_EQ(source.turns(turns), turns);
    const Range read = source.read_by(turns, 2);
    EXPECT_EQ(read.first, read.last) << turns;
  }
}

TEST(VerbTable, OnlyExpandFilterAndPartitionSayThemselvesHowManyMessagesTheyMake) {
  for (const VerbRow& r : verb_table)
    EXPECT_EQ(numbering(r.verb, 2).fixed, r.verb != Verb::expand && r.verb != Verb::filter && r.verb != Verb::partition)
        << r.name;
}

TEST(VerbTable, ASourceAndAFeedbackStartAGraph) {
  for (const VerbRow& r : verb_table)
    EXPECT_EQ(r.starts(), r.verb == Verb::source || r.verb == Verb::feedback) << r.name;
}

TEST(VerbTable, EveryVerbButMapAndSinkBeginsASegment) {
  for (const VerbRow& r : verb_table)
    EXPECT_EQ(r.begins_segment(), r.verb != Verb::map && r.verb != Verb::sink) << r.name;
}

TEST(VerbTable, VerbsAreCalledAsTheyAreWrittenInAProgram) {
  std::string names;
  for (const Verb verb : {Verb::source, Verb::map, Verb::expand, Verb::filter, Verb::partition, Verb::zip, Verb::split,
                          Verb::fold, Verb::sink, Verb::feedback})
    names += std::string(to_string(verb)) + " ";
  EXPECT_EQ(names, "source map expand filter partition zip split fold sink feedback ");
}

}  // namespace
}  // namespace sluice::detail
