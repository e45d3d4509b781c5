#include "core/runtime/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace processhub::runtime {

namespace {

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

/// Reads SIGTERM and SIGINT as file events; they stay blocked for this thread while it lives.
class TerminationSignals {
 public:
  TerminationSignals() {
    sigset_t wanted{};
    ::sigemptyset(&wanted);
    ::sigaddset(&wanted, SIGTERM);
    ::sigaddset(&wanted, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    fd_ = checked(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  }
  ~TerminationSignals() {
    ::close(fd_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;
  int fd() const { return fd_; }
  bool take() const {
    signalfd_siginfo info{};
    return ::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  }

 private:
  sigset_t before_{};
  int fd_ = -1;
};

}  // namespace

SignalsBlocked::SignalsBlocked() {
  sigset_t all{};
  ::sigfillset(&all);
  // Those that report a fault of the thread itself must stay deliverable to it.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    ::sigdelset(&all, fault);
  ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Bell::Bell() : fd_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

Bell::~Bell() { ::close(fd_); }

void Bell::ring() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(fd_, &one, sizeof one);
}

bool wait_for_termination_signal(const Bell& bell) {
  const TerminationSignals signals;
  std::array<pollfd, 2> fds{{{signals.fd(), POLLIN, 0}, {bell.fd(), POLLIN, 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "poll");
    }
    if ((fds[0].revents & POLLIN) != 0 && signals.take()) return true;
    if ((fds[1].revents & POLLIN) != 0) return false;
  }
}

}  // namespace processhub::runtime
