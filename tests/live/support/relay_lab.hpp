// A cluster whose nodes reach each other only through a TcpRelay, their publications too. hubctl asks them
// directly. Nodes have fixed ports, so a name that starts again is found where it was.
#pragma once

#include <map>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/tcp_relay.hpp"
#include "tests/live/support/wires.hpp"

namespace live {

class RelayLab final : public Places, public Wires {
 public:
  RelayLab() { cluster_.set_places(*this); }

  ProcessCluster& cluster() { return cluster_; }
  TcpRelay& relay() { return relay_; }

  void cut(const std::string& from, const std::string& to) override { relay_.shape(from, to, {.cut = true}); }
  void heal(const std::string& from, const std::string& to) override { relay_.shape(from, to, {}); }
  /// Both ways between all of `names`.
  void shape_all(const Names& names, Shape shape);

 private:
  Place place(const std::string& node) override;
  void launched(const std::string& node, pid_t pid) override { relay_.know(node, pid); }

  TcpRelay relay_{};
  std::map<std::string, Place> places_{};
  ProcessCluster cluster_{};
};

}  // namespace live
