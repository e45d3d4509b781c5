// SIGTERM and SIGINT as something to wait for, together with one event of our own.
#pragma once

#include <chrono>
#include <optional>

namespace processhub::hubd {

/// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd();
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Makes this thread, and those it starts later, leave SIGTERM and SIGINT to wait(); SIGPIPE is ignored.
class Signals {
 public:
  Signals();

  enum class Woken { signal, bell, timeout };
  /// Until a signal comes, the bell rings, or the time is over (none: for ever). A signal is taken, a ring
  /// stays.
  Woken wait(std::optional<std::chrono::milliseconds> time);
  /// Any thread.
  void ring();

 private:
  OwnedFd signal_;
  OwnedFd bell_;
};

}  // namespace processhub::hubd
