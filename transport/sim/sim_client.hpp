// A client of a simulated cluster: the same ClientCore that drives a Client over real sockets, on a host of
// its own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/client_core.hpp"
#include "core/protocol/hub_core.hpp"
#include "transport/sim/sim_network.hpp"

namespace processhub::sim {

/// What a simulated node says of its members when a client asks.
Bytes members_for_client(const protocol::ClusterSnapshot& cluster);

class SimClient : private protocol::ClientPort {
 public:
  using Done = std::function<void(const Result<Bytes>&)>;

  SimClient(Scheduler& scheduler, SimNetwork& network, const std::string& name,
            const std::vector<std::string>& nodes, Rng rng);
  ~SimClient() override;
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  NodeId id() const { return core_.self(); }
  void call(std::string id, std::string message, Bytes body, Duration timeout, bool retry, Done done);
  void cast(std::string id, std::string message, Bytes body);

 private:
  Result<void> connect(LinkId link, const std::string& endpoint) override;
  void disconnect(LinkId link) override;
  void send(LinkId link, const Bytes& frame) override;
  std::uint64_t fresh_nonce() override { return rng_.next() >> 1; }
  std::optional<std::map<NodeId, protocol::ClientMember>> read_members(const Bytes& answer) override;
  void finish(const protocol::ClientAnswer& answer, Result<Bytes> result) override;
  void on_gateway(NodeId, const std::string&) override {}
  std::optional<Bytes> patterns() override { return {}; }
  void on_news(protocol::TopicNews) override {}

  void submit(protocol::ClientRequest request);
  void wake();
  void turn();
  void arm();
  void take(protocol::Event& event);

  Scheduler& scheduler_;
  SimNetwork& network_;
  Rng rng_;
  HostId host_;
  protocol::ClientCore core_;
  std::deque<protocol::Event> inbox_{};
  std::deque<protocol::ClientRequest> fresh_{};
  bool turn_due_ = false;
  std::uint64_t alarm_ = 0;
  Time alarm_at_ = kNever;
};

}  // namespace processhub::sim
