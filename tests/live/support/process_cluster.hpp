// Real hubd processes on free ports of the loopback interface, asked through hubctl. Every cluster has a
// directory and a hub id of its own, so tests run in parallel. One thread. All processes end with the object.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/live/support/process.hpp"

namespace live {

using Json = nlohmann::json;

/// Exit codes of hubctl, which scripts rely on.
enum Exit : int { done = 0, said_no = 1, usage = 2, nobody_answered = 3 };

/// What one run of a program said.
struct Answer {
  int exit = -1;  ///< -1: it did not end in time
  std::string out{};
  std::string err{};
  Millis took{};

  /// stdout as JSON; null (and a failed test) if it is none.
  Json json() const;
};

std::string program_path(const std::string& name);

/// A directory that is removed at the end.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  const std::filesystem::path& path() const { return path_; }
  /// Writes a file into it and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_{};
};

/// Runs a program to its end, in the network namespace `network` if there is one.
Answer run_program(std::vector<std::string> argv, Millis limit = std::chrono::seconds(30),
                   const std::filesystem::path& network = {});
Answer run_hubctl(std::vector<std::string> arguments, Millis limit = std::chrono::seconds(30),
                  const std::filesystem::path& network = {});

/// Where a node listens, if not on a free port of 127.0.0.1.
struct Place {
  std::vector<std::string> flags{};  ///< --listen and what belongs to it
  std::string control{};             ///< where hubctl finds it
  std::filesystem::path network{};   ///< its network namespace; empty: that of the test
};

/// Gives each node its place.
class Places {
 public:
  virtual ~Places() = default;
  virtual Place place(const std::string& node) = 0;
  virtual void launched(const std::string& node, pid_t pid) = 0;
};

class ProcessCluster {
 public:
  ProcessCluster();
  explicit ProcessCluster(std::string hub_id) : hub_id_(std::move(hub_id)) {}

  /// Flags for every hubd and every hubctl of this cluster, such as keys. Before the first start.
  void set_flags(std::vector<std::string> hubd_flags, std::vector<std::string> hubctl_flags);
  /// Before the first start; `places` outlives the cluster.
  void set_places(Places& places) { places_ = &places; }
  /// Starts `name` with the living nodes as seeds and waits for its address.
  void start(const std::string& name, const std::vector<std::string>& flags = {});
  void start(const std::vector<std::string>& names);
  /// SIGKILL.
  void kill(const std::string& name);
  /// SIGTERM; its exit code, -1 if it did not end.
  int terminate(const std::string& name);
  void pause(const std::string& name);
  void resume(const std::string& name);

  bool alive(const std::string& name) const { return nodes_.count(name) != 0; }
  std::vector<std::string> names() const;  ///< of the living nodes
  const std::string& endpoint(const std::string& name) const;
  /// Where tools find it, which its peers may not.
  const std::string& control(const std::string& name) const;
  const std::string& hub_id() const { return hub_id_; }
  Process& process(const std::string& name);
  /// What the node wrote to stderr so far.
  std::string log(const std::string& name) const;
  const TempDir& directory() const { return directory_; }

  /// hubctl --connect <address of `node`> --json <arguments>.
  Answer ask(const std::string& node, std::vector<std::string> arguments,
             Millis limit = std::chrono::seconds(60)) const;
  /// The same; the JSON of an answer with exit code 0, else null.
  Json query(const std::string& node, std::vector<std::string> arguments) const;

  // -- conditions, for eventually()
  /// Every living node knows exactly these names as up.
  bool all_see(const std::vector<std::string>& names) const;
  /// Every living node (without those in `except`) lists `count` children, each running exactly once, on a
  /// node that `names` has.
  bool each_runs_once(std::size_t count, const std::vector<std::string>& except = {}) const;
  /// All nodes report the same digest.
  bool digests_agree() const;
  /// How many instances each node runs, as `node` sees it.
  std::map<std::string, std::size_t> placement(const std::string& node) const;

 private:
  struct Node {
    Process process;
    std::string endpoint{};  ///< what its peers are told
    Place place{};
  };
  Place place_of(const std::string& name) const;
  TempDir directory_{};
  std::string hub_id_{};
  std::vector<std::string> hubd_flags_{};
  std::vector<std::string> hubctl_flags_{};
  Places* places_ = nullptr;
  std::map<std::string, Node> nodes_{};
};

}  // namespace live
