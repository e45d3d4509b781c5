#include "tests/live/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace live {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSlower = 5;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kSlower = 5;
#else
constexpr int kSlower = 1;
#endif
#else
constexpr int kSlower = 1;
#endif

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

struct Ends {
  Fd ours{};
  Fd theirs{};
};

Ends open_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) fail("pipe");
  return {Fd(fds[0]), Fd(fds[1])};
}

Ends open_terminal() {
  int ours = -1;
  int theirs = -1;
  if (::openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) fail("openpty");
  ::fcntl(ours, F_SETFD, FD_CLOEXEC);
  ::fcntl(theirs, F_SETFD, FD_CLOEXEC);
  return {Fd(ours), Fd(theirs)};
}

/// What the child does between fork and exec; nothing here allocates.
[[noreturn]] void become(char* const* argv, int out, int err, int network, const char* directory,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(out, STDOUT_FILENO);
  if (err >= 0) ::dup2(err, STDERR_FILENO);
  if (network >= 0 && ::setns(network, CLONE_NEWNET) != 0) ::_exit(127);
  if (directory != nullptr && ::chdir(directory) != 0) ::_exit(127);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv);
  ::_exit(127);
}

int remaining_ms(Clock::time_point deadline) {
  auto left = std::chrono::duration_cast<Millis>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

bool readable(int fd, Clock::time_point deadline) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, remaining_ms(deadline)) > 0;
}

}  // namespace

Millis patience(Millis normal) { return normal * kSlower; }

void pause_briefly() { ::poll(nullptr, 0, 20); }

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() { close(); }

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::close() {
  if (fd_ >= 0) ::close(release());
}

Process::Process(const Program& program) {
  auto ends = program.terminal ? open_terminal() : open_pipe();
  Fd err;
  if (!program.stderr_file.empty()) {
    err = Fd(::open(program.stderr_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (err.get() < 0) fail("cannot write " + program.stderr_file.string());
  }
  Fd network;
  if (!program.network.empty()) {
    network = Fd(::open(program.network.c_str(), O_RDONLY | O_CLOEXEC));
    if (network.get() < 0) fail("cannot open " + program.network.string());
  }
  std::vector<char*> argv;
  for (const auto& a : program.argv) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const auto directory = program.directory.string();
  const pid_t parent = ::getpid();

  pid_.value = ::fork();
  if (pid_.value < 0) fail("fork");
  if (pid_.value == 0) {
    become(argv.data(), ends.theirs.get(), err.get(), network.get(),
           directory.empty() ? nullptr : directory.c_str(), parent);
  }
  out_ = std::move(ends.ours);
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_.value, 0)));
  if (pidfd_.get() < 0) {
    kill();
    throw std::runtime_error("pidfd_open");
  }
}

Process::~Process() {
  if (pid_.value > 0) kill();
}

void Process::reap(int options) {
  int status = 0;
  if (exit_ || ::waitpid(pid_.value, &status, options) != pid_.value) return;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Process::running() {
  reap(WNOHANG);
  return !exit_;
}

void Process::send_signal(int signal) const {
  // Once reaped, the number may belong to somebody else.
  if (!exit_) ::kill(pid_.value, signal);
}

void Process::kill() {
  send_signal(SIGKILL);
  reap(0);
}

std::optional<int> Process::wait_exit(Millis limit) {
  if (running() && readable(pidfd_.get(), Clock::now() + patience(limit))) reap(0);
  return exit_;
}

bool Process::read_more(Clock::time_point deadline) {
  if (!readable(out_.get(), deadline)) return false;
  std::array<char, 65536> chunk{};
  // A terminal whose other side is closed reads as an error; that is its end of file.
  const auto n = ::read(out_.get(), chunk.data(), chunk.size());
  if (n <= 0) return false;
  buffer_.append(chunk.data(), static_cast<std::size_t>(n));
  return true;
}

std::optional<std::string> Process::read_line(Millis limit) {
  const auto deadline = Clock::now() + patience(limit);
  auto end = buffer_.find('\n');
  while (end == std::string::npos) {
    if (!read_more(deadline)) return std::nullopt;
    end = buffer_.find('\n');
  }
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

std::string Process::read_rest(Millis limit) {
  const auto deadline = Clock::now() + patience(limit);
  while (read_more(deadline)) {
  }
  return std::exchange(buffer_, {});
}

}  // namespace live
