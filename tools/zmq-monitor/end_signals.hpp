// SIGINT and SIGTERM as the end of a verb that goes on until it is told to end.
#pragma once

#include <chrono>
#include <csignal>

namespace processhub::monitor {

/// From its making on this thread, and those it starts later, leave the two to come() and wait(), for good: a
/// second one does not disturb the end.
class EndSignals {
 public:
  EndSignals();

  /// Waits so long at most. True: one came, or had come already.
  bool come(std::chrono::milliseconds time) const;
  void wait() const;

 private:
  sigset_t these_{};
};

}  // namespace processhub::monitor
