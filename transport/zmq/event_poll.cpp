#include "transport/zmq/event_poll.hpp"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace processhub::zmq_detail {
namespace {

using std::chrono::microseconds;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

constexpr microseconds kLongest = std::chrono::hours(24);  // the caller's loop comes back anyway

/// epoll_ctl(2), past the C library: ThreadSanitizer follows descriptors by their number through the
/// library's calls. Those of sockets are closed inside libzmq, where it does not look, and it would blame
/// whoever gets the number next.
long control(int epoll, int operation, int fd, epoll_event* event) {
  return ::syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

timespec to_timespec(microseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  timespec result{};
  result.tv_sec = static_cast<time_t>(seconds.count());
  result.tv_nsec = static_cast<long>((timeout - seconds).count()) * 1000;
  return result;
}

int to_milliseconds(microseconds timeout) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
}

}  // namespace

EventPoll::EventPoll() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll_create1");
}

bool EventPoll::add(int fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return control(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventPoll::remove(int fd) { control(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> EventPoll::wait(microseconds timeout) {
  const int room = static_cast<int>(ready_.size());
  int count = -1;
  timeout = std::min(timeout, kLongest);
  if (timeout <= microseconds::zero()) {
    count = ::epoll_wait(epoll_.get(), ready_.data(), room, 0);
  } else if (has_pwait2_) {
    const timespec limit = to_timespec(timeout);
    count = ::epoll_pwait2(epoll_.get(), ready_.data(), room, &limit, nullptr);
    // Linux before 5.11, and some sandboxes, lack the call.
    if (count < 0 && errno != EINTR) has_pwait2_ = false;
  }
  if (count < 0 && !has_pwait2_) {
    count = ::epoll_wait(epoll_.get(), ready_.data(), room, to_milliseconds(timeout));
  }
  return {ready_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

WakeUp::WakeUp() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw_errno("eventfd");
}

// `given_` and `asleep_` are written by one side and then read by the other, in opposite order and
// sequentially consistent: either the sleeper sees that it was woken, or the waker sees that it must write
// the eventfd.
void WakeUp::give() {
  if (given_.exchange(true)) return;
  if (!asleep_.load()) return;
  const std::uint64_t one = 1;
  // The counter cannot overflow, and nothing else can fail on a valid eventfd.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

bool WakeUp::fall_asleep() {
  asleep_.store(true);
  return !given_.load();
}

void WakeUp::woke_up() {
  asleep_.store(false);
  given_.exchange(false);
}

void WakeUp::drain() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(event_.get(), &count, sizeof count);
}

}  // namespace processhub::zmq_detail
