// Runs stages by hand, without a graph: what the verbs of sluice/pipeline/verbs.hpp promise to call, in that order.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/parse.hpp>

namespace sluice::test {

using stages::DataError;

//  source -> sink
template <class Source, class Sink>
void drive(Source&& source, Sink&& sink) {
  typename std::decay_t<Source>::Output message;  // one for all: stages that recycle their outputs must cope
  while (source(message)) std::invoke(sink, std::as_const(message));
}

//  source -> expand -> sink
template <class Source, class Expand, class Sink>
void drive(Source&& source, Expand&& expand, Sink&& sink) {
  typename std::decay_t<Expand>::Output out;
  const auto pull_all = [&] {
    while (expand.pull(out)) std::invoke(sink, std::as_const(out));
  };
  drive(source, [&](const auto& message) {
    expand.push(message);
    pull_all();
  });
  expand.finish();
  pull_all();
}

// The text of the DataError that `action` ends with.
template <class Action>
std::string data_error(Action&& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no DataError";
  return {};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace sluice::test
