// A cluster with a network namespace for every node, all on one bridge in a namespace of its own: packets
// between two nodes can vanish one way, as they do behind a broken switch or a silent firewall. Nothing of
// the machine's own network is touched. Needs root and `ip`; where that is missing, why_not() says so.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/wires.hpp"

namespace live {

class NetLab final : public Places, public Wires {
 public:
  /// Namespaces for nodes of these names. Removes what dead test processes left behind.
  explicit NetLab(const Names& nodes);
  NetLab(const NetLab&) = delete;
  NetLab& operator=(const NetLab&) = delete;
  ~NetLab() override;

  /// Empty if the laboratory stands, else what this machine does not allow.
  const std::string& why_not() const { return why_not_; }
  ProcessCluster& cluster() { return *cluster_; }

  /// Packets from one to the other vanish, those of new connections too.
  void cut(const std::string& from, const std::string& to) override;
  void heal(const std::string& from, const std::string& to) override;
  /// The node's cable is pulled (its sends fail at once), or plugged in again.
  void plug(const std::string& node, bool in);

  /// The namespaces on this machine that labs of this test process own.
  static Names existing();

 private:
  struct Host {
    std::string network{};
    std::string ip{};
    std::string mac{};
  };
  Place place(const std::string& node) override;
  void launched(const std::string&, pid_t) override {}
  bool build(const Names& nodes);
  bool batch(const std::string& network, const std::string& commands);
  bool neighbour(const Host& at, const Host& of, const std::string& mac);
  const Host& host(const std::string& node) const { return hosts_.at(node); }
  std::string wire_up(const std::string& node) const;

  std::string prefix_{};
  std::map<std::string, Host> hosts_{};
  std::string why_not_{};
  std::unique_ptr<ProcessCluster> cluster_{};
};

}  // namespace live
