// A service: reads words from its standard input, looks each up, which takes its time, with 100 of them under way at
// once, and answers in their order. It ends with its input, or on Ctrl-C, without losing a word that it has read.
//
//  words -> look up -> answer
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <sluice/pipeline/descriptor.hpp>
#include <sluice/pipeline/graph.hpp>

// [look up]
// Stands for a question to another machine: it takes five milliseconds, and not every word is known.
std::string look_up(const std::string& word) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (word.find('?') != std::string::npos) throw std::runtime_error("'" + word + "' is not known");
  return word + ": " + std::to_string(word.size()) + " letters";
}
// [look up]

// [ctrl-c]
// Asks for the end on Ctrl-C and on SIGTERM. To be made before any other thread is.
class StopsOnSignals {
 public:
  StopsOnSignals() {
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this] {
      int signal = 0;
      if (sigwait(&signals_, &signal) == 0 && signal != SIGUSR1) asked_.request_stop();
    });
  }
  ~StopsOnSignals() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  std::stop_token token() const { return asked_.get_token(); }
  StopsOnSignals(const StopsOnSignals&) = delete;
  StopsOnSignals& operator=(const StopsOnSignals&) = delete;

 private:
  sigset_t signals_{};
  std::stop_source asked_;
  std::thread thread_;
};
// [ctrl-c]

int main() {
  // [service]
  const StopsOnSignals signals;
  constexpr std::size_t under_way = 100;
  sluice::Graph g("look-up service", sluice::Threads(under_way));

  auto words = g.source("words", sluice::Lines(STDIN_FILENO), sluice::capacity(2 * under_way));
  auto answers = g.map("look up", look_up, words, sluice::up_to(under_way),
                       sluice::on_error(sluice::skip, [](const sluice::StageError& e) {
                         std::fprintf(stderr, "no answer: %s\n", e.what());
                       }));
  g.sink(
      "answer",
      [](const std::string& answer) {
        std::puts(answer.c_str());
        std::fflush(stdout);
      },
      answers);
  const sluice::RunEnd end = g.run(signals.token());
  // [service]

  // [latency]
  const sluice::StageStats words_read = g.stats().stage("words"), answered = g.stats().stage("answer");
  std::fprintf(stderr, "%llu words, %llu without an answer; %s\n", static_cast<unsigned long long>(words_read.items),
               static_cast<unsigned long long>(answered.holes),
               end.why == sluice::RunEnd::stopped ? "stopped" : "the input has ended");
  std::fprintf(stderr, "from a word to its answer: p50 %.1f ms, p99 %.1f ms; waited for words %.1f s\n",
               answered.latency_p50 * 1e3, answered.latency_p99 * 1e3, words_read.waiting);
  // [latency]
}
