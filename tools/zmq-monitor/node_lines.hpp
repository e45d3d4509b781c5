// NodeLines: one connection to each node of a cluster that stays between questions. One thread, except for
// what each() is given.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/hubctl/cluster_look.hpp"

namespace processhub::monitor {

class NodeLines {
 public:
  using Nodes = std::vector<hubctl::NodeLook>;

  explicit NodeLines(const hubctl::LookOptions& options) : options_(options) {}  ///< outlives it

  /// The members, those that are gone with an error; nothing if nobody answers. Connections to lives that are
  /// no more are dropped.
  std::optional<Nodes> members();
  /// Puts them into `nodes`, at most once a second unless there are none. False: nobody answers.
  bool refresh(Nodes& nodes);
  /// Talks to all nodes without an error at once, each on a thread of its own, so that one that does not
  /// answer holds up nobody. A node that gets an error loses its connection.
  void each(Nodes& nodes, const std::function<void(hubctl::NodeLook&, hubctl::AdminClient&)>& talk);
  void close();

 private:
  std::optional<hubctl::Json> ask_members();

  const hubctl::LookOptions& options_;
  std::chrono::steady_clock::time_point refreshed_{};
  std::map<std::string, std::optional<hubctl::AdminClient>> clients_{};  ///< by life
};

/// A node's life, as a key.
std::string life_of(const hubctl::NodeLook& node);

}  // namespace processhub::monitor
