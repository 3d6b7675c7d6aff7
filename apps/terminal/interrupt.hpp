// SIGHUP, SIGINT and SIGTERM as something that a run can ask for and be told of, not as the program's end; SIGUSR1 as a
// question that a run answers.
//
// The first one is noted and told to whoever registered with then(), on a thread that waits for signals, where anything
// may be done. The second ends the program at once, as if nobody had cared, whatever anyone waits for. SIGUSR1, which
// main() blocks from its first line on and which never ends the program, calls what was registered with when_asked(),
// on the same thread. Slurm announces the end of a job's time by SIGUSR1 where a script asks for that
// (--signal=USR1@60): where the launcher's is such an announcement, one that the parent process sent is as SIGTERM;
// anybody else's remains a question. Order and thread-safety: make it before other threads, which inherit that they do
// not take these signals; one at a time. Errors: std::system_error.
//
//   Interrupt interrupt;
//   const Interrupt::Scope until_here(interrupt);
//   interrupt.then([&] { graph.cancel(); });
//   ...
//   if (interrupt.signal()) return 128 + interrupt.signal();
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace sluice::apps {

class Interrupt {
 public:
  enum class FromParent { asks, announces_the_end };  // SIGUSR1
  explicit Interrupt(FromParent from_parent = FromParent::asks);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  int signal() const { return signal_.load(); }  // 0: none yet
  // What to do when the first one comes, instead of what was said before; at once if it has come. Nothing: {}, to be
  // said before what the function refers to is gone; it waits for one that is under way.
  void then(std::function<void()> f);
  // What to do at every SIGUSR1, in the same way; without it nothing is done.
  void when_asked(std::function<void()> f);
  // Takes back, at the end of a scope, whatever was said to then() and when_asked().
  class Scope {
   public:
    explicit Scope(Interrupt& interrupt) : interrupt_(interrupt) {}
    ~Scope() {
      interrupt_.then({});
      interrupt_.when_asked({});
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
  };
  // A descriptor that becomes readable with the first signal, before then()'s function is called: for poll().
  int wake() const { return wake_; }

 private:
  void wait();
  const FromParent from_parent_;
  std::atomic<int> signal_{0};
  std::mutex mutex_;
  std::function<void()> then_, when_asked_;
  int signals_ = -1, over_ = -1, wake_ = -1;  // file descriptors
  std::thread thread_;
};

}  // namespace sluice::apps
