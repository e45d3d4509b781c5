// A node process, seen by the parent: this program again, with pipes for commands. One JSON line each way.
// It ends with the object, and with the parent. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace processhub::hub_bench {

using Json = nlohmann::json;

/// The hidden verb that turns this program into a node process: --node-process SLOT BOARD_DESCRIPTOR.
inline constexpr const char* kNodeVerb = "--node-process";

class NodeProcess {
 public:
  NodeProcess(std::uint32_t slot, int board_descriptor);
  NodeProcess(NodeProcess&& other) noexcept;
  NodeProcess& operator=(NodeProcess&&) = delete;
  ~NodeProcess();

  std::uint32_t slot() const { return slot_; }
  pid_t pid() const { return pid_; }
  /// Sends a command; its answer is read by receive().
  void send(const Json& command);
  /// The next answer. Throws if the process failed, ended, or does not answer in time.
  Json receive(std::chrono::seconds limit = std::chrono::seconds(180));
  Json ask(const Json& command) {
    send(command);
    return receive();
  }
  /// SIGKILL; returns when the process is gone. Does nothing a second time.
  void kill();

 private:
  std::uint32_t slot_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string pending_{};
};

}  // namespace processhub::hub_bench
