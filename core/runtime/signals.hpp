// Signals of the process, where a hub touches them: its threads never take any, and wait_for_signal() waits
// for two.
#pragma once

#include <csignal>

namespace processhub::runtime {

/// While it lives this thread takes no signals, and neither do the threads it starts, for ever.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// An event that poll(2) can wait for, once and for all.
class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring();  ///< any thread
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Blocks until SIGTERM or SIGINT arrives (true) or the bell rings (false). The signals are blocked for this
/// thread meanwhile.
bool wait_for_termination_signal(const Bell& bell);

}  // namespace processhub::runtime
