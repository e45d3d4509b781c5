// The two things the loop sleeps on: an epoll set, and a wake-up that other threads can give.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>

#include "transport/zmq/unique_fd.hpp"

namespace processhub::zmq_detail {

/// Level-triggered epoll. One thread.
///
/// A ZMQ_FD says "commands wait in the socket's mailbox", no more. Reading a socket until EAGAIN empties its
/// mailbox, so that the descriptor is quiet until something new comes. A send may empty the mailbox on the
/// way and so hide the signal: whoever sends on a socket has to look at its input again.
class EventPoll {
 public:
  EventPoll();  ///< throws std::system_error

  bool add(int fd, std::uint64_t tag, std::uint32_t events = EPOLLIN);
  void remove(int fd);
  /// Up to 64 ready descriptors, valid until the next call; none after the timeout or a signal.
  std::span<const epoll_event> wait(std::chrono::microseconds timeout);

 private:
  UniqueFd epoll_;
  std::array<epoll_event, 64> ready_{};
  bool has_pwait2_ = true;
};

/// Ends the sleep of one thread. A wake-up given while nobody sleeps costs one atomic exchange and no system
/// call.
class WakeUp {
 public:
  WakeUp();  ///< throws std::system_error

  int fd() const { return event_.get(); }

  /// Any thread.
  void give();

  /// The sleeping thread, around its sleep. False: somebody woke us already, do not sleep.
  bool fall_asleep();
  void woke_up();
  void drain();  ///< after fd() was ready

 private:
  UniqueFd event_;
  std::atomic<bool> given_{false};
  std::atomic<bool> asleep_{false};
};

}  // namespace processhub::zmq_detail
