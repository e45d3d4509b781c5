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
  /// `apart`: publications are connections of a node "NAME.pub", so that they can be lost alone.
  enum class Publications { with_the_rest, apart };

  explicit RelayLab(Publications publications = Publications::with_the_rest) : publications_(publications) {
    cluster_.set_places(*this);
  }

  ProcessCluster& cluster() { return cluster_; }
  TcpRelay& relay() { return relay_; }

  void cut(const std::string& from, const std::string& to) override { relay_.shape(from, to, {.cut = true}); }
  void heal(const std::string& from, const std::string& to) override { relay_.shape(from, to, {}); }
  /// What the others publish does not reach `node`, which all else does. With publications apart.
  void deafen(const std::string& node, const Names& others);
  /// What they published meanwhile is lost; what they publish from now on arrives.
  void let_hear(const std::string& node, const Names& others);
  /// Both ways between all of `names`.
  void shape_all(const Names& names, Shape shape);

 private:
  Place place(const std::string& node) override;
  void launched(const std::string& node, pid_t pid) override { relay_.know(node, pid); }

  std::string publisher(const std::string& node) const {
    return publications_ == Publications::apart ? node + ".pub" : node;
  }

  Publications publications_;
  TcpRelay relay_{};
  std::map<std::string, Place> places_{};
  ProcessCluster cluster_{};
};

}  // namespace live
