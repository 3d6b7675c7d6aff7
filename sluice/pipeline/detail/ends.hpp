// What ends a run before its sources do, and who hears of it: stop(), cancel(), an error, a sink that has enough.
//
// Each may come from any thread at any time; what comes between two runs is for the next. Whoever waits for the outside
// is woken: bodies by a token, gates by ring().
#pragma once

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::detail {

// A gate that sleeps until somebody from outside has something for it.
class Sleeper {
 public:
  virtual void ring() noexcept = 0;

 protected:
  ~Sleeper() = default;
};

class Ends {
 public:
  void end();                             // in order: sources are asked no more
  void end_early(const std::string& by);  // the same, said by a sink that has enough
  void halt();                            // as soon as running bodies return
  void cancel();                          // the same, asked for by the user

  // Relaxed: whoever sees a ticket sees by it that its producer was halted before; what went wrong has a lock.
  bool halted() const { return halt_.load(std::memory_order_relaxed); }
  const std::atomic<bool>& halt_flag() const { return halt_; }
  // Whoever has seen a source end for it sees it, too: acquire, as of the end.
  bool ending() const { return end_.load(std::memory_order_acquire); }

  // A run begins: what its bodies wait by.
  std::stop_token begin();
  void add(Sleeper& sleeper);
  void remove(Sleeper& sleeper);

  enum class Cause { none, stopped, enough };
  struct Asked {
    bool cancelled = false;
    Cause cause = Cause::none;  // of an end in order: the first
    std::string early;          // the sink that had enough
  };
  Asked over();  // the run: what was asked for, which is forgotten

 private:
  template <class F>
  void ask(F note);

  std::atomic<bool> halt_{false}, end_{false};
  std::mutex mutex_;
  bool cancelled_ = false;
  Cause cause_ = Cause::none;
  std::string early_;
  std::stop_source bodies_{std::nostopstate};  // of the run that is on
  std::vector<Sleeper*> sleepers_;
};

}  // namespace sluice::detail
