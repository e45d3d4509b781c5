#include "core/runtime/no_network.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace processhub::runtime {

NoNetwork::NoNetwork() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

NoNetwork::~NoNetwork() { ::close(event_fd_); }

bool NoNetwork::poll(std::chrono::microseconds timeout, TransportEvents&, int) {
  const auto bounded =
      std::clamp<std::chrono::microseconds>(timeout, std::chrono::microseconds(0), std::chrono::hours(1));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(bounded);
  const timespec wait{seconds.count(), std::chrono::nanoseconds(bounded - seconds).count()};
  pollfd woken{event_fd_, POLLIN, 0};
  if (::ppoll(&woken, 1, &wait, nullptr) > 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(event_fd_, &count, sizeof count);
  }
  return false;
}

void NoNetwork::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(event_fd_, &one, sizeof one);
}

}  // namespace processhub::runtime
