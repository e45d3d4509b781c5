#include "tools/hubd/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace processhub::hubd {
namespace {

int checked(int fd) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "hubd: no file descriptor for signals");
  return fd;
}

/// nohup asks for it; a blocked signal would come through all the same.
bool ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

int open_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (!ignored(SIGHUP)) sigaddset(&set, SIGHUP);  // the terminal is closed: leave in order
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return checked(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

}  // namespace

OwnedFd::~OwnedFd() { ::close(fd_); }

Signals::Signals() : signal_(open_signals()), bell_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) {}

Signals::Woken Signals::wait(std::optional<std::chrono::milliseconds> time) {
  std::array<pollfd, 2> fds{{{signal_.get(), POLLIN, 0}, {bell_.get(), POLLIN, 0}}};
  const int timeout = time ? static_cast<int>(time->count()) : -1;
  const int ready = ::poll(fds.data(), fds.size(), timeout);
  if (ready <= 0) return Woken::timeout;  // also EINTR: whoever waits asks again
  signalfd_siginfo info{};
  if ((fds[0].revents & POLLIN) != 0 && ::read(signal_.get(), &info, sizeof info) == sizeof info)
    return Woken::signal;
  return (fds[1].revents & POLLIN) != 0 ? Woken::bell : Woken::timeout;
}

void Signals::ring() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(bell_.get(), &one, sizeof one);  // full means rung already
}

}  // namespace processhub::hubd
