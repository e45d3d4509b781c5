#include "transport/sim/sim_client.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "processhub/future.hpp"
#include "processhub/message.hpp"

namespace processhub::sim {

namespace {

constexpr Duration kCastPatience = std::chrono::seconds(5);  // as of a Client

struct MemberLine {
  std::string name{};
  std::uint64_t incarnation = 0;
  std::string endpoint{};
  bool stays = false;
  PROCESSHUB_FIELDS(name, incarnation, endpoint, stays)
};
struct MemberLines {
  std::vector<MemberLine> lines{};
  PROCESSHUB_FIELDS(lines)
};

class Sink final : public processhub::detail::CallSink {
 public:
  explicit Sink(SimClient::Done done) : done_(std::move(done)) {}
  bool finish(Result<Bytes>& answer, bool) override {
    done_(answer);
    return true;
  }

 private:
  SimClient::Done done_;
};

std::vector<std::string> endpoints(const std::vector<std::string>& nodes) {
  std::vector<std::string> out;
  std::transform(nodes.begin(), nodes.end(), std::back_inserter(out),
                 [](const std::string& node) { return router_endpoint(node); });
  return out;
}

}  // namespace

Bytes members_for_client(const protocol::ClusterSnapshot& cluster) {
  MemberLines members;
  for (const auto& node : cluster.nodes) {
    const bool stays =
        node.state != NodeState::leaving && node.state != NodeState::left && node.state != NodeState::down;
    members.lines.push_back({std::string(node.id.name()), node.id.incarnation(), node.endpoint, stays});
  }
  return encode(members);
}

SimClient::SimClient(Scheduler& scheduler, SimNetwork& network, const std::string& name,
                     const std::vector<std::string>& nodes, Rng rng)
    : scheduler_(scheduler),
      network_(network),
      rng_(rng),
      host_(network.host(name)),
      core_(NodeId::of(name, 1), endpoints(nodes), *this) {
  network_.attach(host_, [this](protocol::Event event) {
    inbox_.push_back(std::move(event));
    wake();
  });
  wake();
}

SimClient::~SimClient() { network_.detach(host_, SimNetwork::Detach::closed); }

void SimClient::call(std::string id, std::string message, Bytes body, Duration timeout, bool retry,
                     Done done) {
  protocol::ClientRequest request{protocol::ClientRequest::Kind::call,
                                  std::move(id),
                                  std::move(message),
                                  std::move(body),
                                  false,
                                  scheduler_.now() + timeout,
                                  std::make_shared<Sink>(std::move(done))};
  if (retry) request.retry.emplace();
  submit(std::move(request));
}

void SimClient::cast(std::string id, std::string message, Bytes body) {
  submit({protocol::ClientRequest::Kind::cast, std::move(id), std::move(message), std::move(body), false,
          scheduler_.now() + kCastPatience, nullptr});
}

void SimClient::submit(protocol::ClientRequest request) {
  fresh_.push_back(std::move(request));
  wake();
}

void SimClient::wake() {
  if (std::exchange(turn_due_, true)) return;
  scheduler_.after(Duration(0), [this] { turn(); });
}

void SimClient::turn() {
  turn_due_ = false;
  for (auto& event : std::exchange(inbox_, {})) take(event);
  core_.turn(scheduler_.now(), std::exchange(fresh_, {}));
  arm();
}

void SimClient::take(protocol::Event& event) {
  if (const auto* frame = std::get_if<protocol::event::LinkFrame>(&event))
    core_.on_frame(scheduler_.now(), frame->link, frame->frame);
  if (const auto* down = std::get_if<protocol::event::LinkDown>(&event))
    core_.on_down(scheduler_.now(), down->link, down->refused ? "refused" : "the connection broke");
}

void SimClient::arm() {
  const auto due = core_.next_deadline();
  if (due == kNever || due == alarm_at_) return;
  alarm_at_ = due;
  scheduler_.at(std::max(due, scheduler_.now()), [this, alarm = ++alarm_] {
    if (alarm != alarm_) return;
    alarm_at_ = kNever;
    wake();
  });
}

// -- what the core needs

Result<void> SimClient::connect(LinkId link, const std::string& endpoint) {
  network_.connect(host_, link, endpoint);
  return {};
}

void SimClient::disconnect(LinkId link) { network_.disconnect(host_, link); }

void SimClient::send(LinkId link, const Bytes& frame) { network_.send_link(host_, link, frame); }

std::optional<std::map<NodeId, protocol::ClientMember>> SimClient::read_members(const Bytes& answer) {
  const auto members = decode<MemberLines>(answer);
  if (!members) return {};
  std::map<NodeId, protocol::ClientMember> out;
  for (const auto& line : members->lines)
    out[NodeId::of(line.name, line.incarnation)] = {line.endpoint, line.stays};
  return out;
}

void SimClient::finish(const protocol::ClientAnswer& answer, Result<Bytes> result) {
  answer->finish(result, false);
}

}  // namespace processhub::sim
