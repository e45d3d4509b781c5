// A child process of a test: started with pipes, always reaped, killed at the latest by the destructor (and
// by the kernel when the test itself dies). One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace live {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

/// Test deadlines are generous and stretch further under sanitizers: a deadline only ends a test that would
/// hang.
Millis patience(Millis normal);

/// Waits for `condition` in short steps; false once `limit` (see patience) has passed.
template <class Condition>
bool eventually(Condition condition, Millis limit = std::chrono::seconds(20));

/// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  int release();
  void close();

 private:
  int fd_ = -1;
};

struct Program {
  std::vector<std::string> argv{};
  std::filesystem::path stderr_file{};  ///< empty: inherited
  std::filesystem::path directory{};    ///< empty: inherited
  bool terminal = false;                ///< stdout is a terminal, so the program writes line by line
  std::filesystem::path network{};      ///< file of its network namespace; empty: inherited
};

class Process {
 public:
  explicit Process(const Program& program);  ///< throws std::runtime_error if it cannot be started
  Process(Process&&) noexcept = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_.value; }
  bool running();
  void send_signal(int signal) const;
  /// The next line of its stdout, without the line end; none at the end of the stream or after `limit`.
  std::optional<std::string> read_line(Millis limit);
  /// Everything else it writes until it closes stdout, or until `limit`.
  std::string read_rest(Millis limit);
  /// Its exit code, or 128 + the signal that ended it; none if it still runs after `limit`.
  std::optional<int> wait_exit(Millis limit);
  /// SIGKILL, and reaped when this returns.
  void kill();

 private:
  struct Pid {
    pid_t value = -1;
    Pid() = default;
    Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
  };
  bool read_more(Clock::time_point deadline);
  void reap(int options);

  Pid pid_{};
  Fd out_{};
  Fd pidfd_{};
  std::string buffer_{};
  std::optional<int> exit_{};
};

/// Blocks for a short while without guessing at anything: the step of eventually().
void pause_briefly();

template <class Condition>
bool eventually(Condition condition, Millis limit) {
  const auto deadline = Clock::now() + patience(limit);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    pause_briefly();
  }
  return true;
}

}  // namespace live
