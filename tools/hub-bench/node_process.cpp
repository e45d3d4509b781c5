#include "tools/hub-bench/node_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace processhub::hub_bench {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {ends[0], ends[1]};
}

/// In the new process: stdin and stdout become the pipes. Ends with the parent, whatever becomes of it.
[[noreturn]] void become_node(pid_t parent, const Pipe& in, const Pipe& out, const char* slot,
                              const char* board) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::dup2(in.read, STDIN_FILENO);
  ::dup2(out.write, STDOUT_FILENO);
  ::execl("/proc/self/exe", "hub-bench", kNodeVerb, slot, board, static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

NodeProcess::NodeProcess(std::uint32_t slot, int board_descriptor) : slot_(slot) {
  const auto in = make_pipe();
  const auto out = make_pipe();
  const auto slot_text = std::to_string(slot);
  const auto board_text = std::to_string(board_descriptor);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become_node(parent, in, out, slot_text.c_str(), board_text.c_str());
  ::close(in.read);
  ::close(out.write);
  to_ = in.write;
  from_ = out.read;
}

NodeProcess::NodeProcess(NodeProcess&& other) noexcept
    : slot_(other.slot_),
      pid_(std::exchange(other.pid_, -1)),
      to_(std::exchange(other.to_, -1)),
      from_(std::exchange(other.from_, -1)),
      pending_(std::move(other.pending_)) {}

NodeProcess::~NodeProcess() {
  kill();
  if (to_ >= 0) ::close(to_);
  if (from_ >= 0) ::close(from_);
}

void NodeProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void NodeProcess::send(const Json& command) {
  const auto line = command.dump() + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const auto n = ::write(to_, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw std::runtime_error("node process " + std::to_string(slot_) + " is gone");
    sent += static_cast<std::size_t>(n);
  }
}

Json NodeProcess::receive(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::size_t end = 0;
  while ((end = pending_.find('\n')) == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{from_, POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&wanted, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) throw std::runtime_error("node process " + std::to_string(slot_) + " does not answer");
    std::array<char, 4096> chunk{};
    const auto n = ::read(from_, chunk.data(), chunk.size());
    if (n <= 0) throw std::runtime_error("node process " + std::to_string(slot_) + " ended");
    pending_.append(chunk.data(), static_cast<std::size_t>(n));
  }
  auto answer = Json::parse(pending_.substr(0, end));
  pending_.erase(0, end + 1);
  if (answer.contains("error")) {
    throw std::runtime_error("node process " + std::to_string(slot_) + ": " +
                             answer["error"].get<std::string>());
  }
  return answer;
}

}  // namespace processhub::hub_bench
