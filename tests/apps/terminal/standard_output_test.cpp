#include "apps/terminal/standard_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <thread>

namespace sluice::apps::testing {
namespace {

// As a program's that another one reads event by event.
TEST(StandardOutput, ThatIsFullAndDoesNotBlockIsWaitedFor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  std::string before;
  while (::write(ends[1], "x", 1) == 1) before += 'x';
  std::string text;
  for (int i = 0; text.size() < (std::size_t{4} << 20); ++i)
    text += std::to_string(i) + "\n";  // 64 times what it holds
  std::string read;
  std::thread reader([&] {
    char some[1000];
    for (ssize_t n; (n = ::read(ends[0], some, sizeof some)) > 0;) read.append(some, static_cast<std::size_t>(n));
  });
  const int kept = ::dup(STDOUT_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  bool written = false;
  std::string error;
  try {
    written = write_to_stdout(text);
  } catch (const std::exception& e) {
    error = e.what();
  }
  ::dup2(kept, STDOUT_FILENO);
  for (const int end : {kept, ends[1]}) ::close(end);
  reader.join();
  ::close(ends[0]);
  EXPECT_TRUE(written) << error;
  EXPECT_TRUE(read == before + text) << read.size() << " of " << before.size() + text.size();
}

}  // namespace
}  // namespace sluice::apps::testing
