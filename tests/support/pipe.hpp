// A pipe in which there is what was written, and its other end.
//
//   Pipe pipe;
//   pipe.write("text"), pipe.end();   // read pipe.out
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace sluice::test {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out = ends[0], in = ends[1];
  }
  ~Pipe() {
    ::close(out);
    end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void write(const std::string& bytes) const {
    EXPECT_EQ(::write(in, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void end() {
    if (in >= 0) ::close(std::exchange(in, -1));
  }
  int out = -1, in = -1;
};

}  // namespace sluice::test
