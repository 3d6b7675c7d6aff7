// Files for tests (tests/support/folder.hpp), and the errors that they lead to.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/folder.hpp"

namespace sluice::test {

// The text of the error that `action` ends with, which must be an Error and say all of `parts`.
template <class Error, class Action>
std::string expect_error(Action&& action, std::initializer_list<std::string_view> parts) {
  try {
    action();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const auto part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin: " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  }
  ADD_FAILURE() << "no error, expected one that says: " << (parts.size() ? *parts.begin() : "");
  return {};
}

}  // namespace sluice::test
