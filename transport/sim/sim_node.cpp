#include "transport/sim/sim_node.hpp"

#include <algorithm>
#include <type_traits>

#include "core/runtime/registry_view.hpp"

namespace processhub::sim {
namespace {

/// Events one turn takes in before the core runs; the rest waits for the next turn, as in the real loop.
constexpr std::size_t kTurnBatch = 256;

}  // namespace

std::string_view to_string(NodeLife life) {
  switch (life) {
    case NodeLife::up:
      return "up";
    case NodeLife::paused:
      return "paused";
    case NodeLife::crashed:
      return "crashed";
    case NodeLife::left:
      return "left";
    case NodeLife::terminated:
      return "terminated";
  }
  return "?";
}

SimNode::SimNode(Services services, std::string name, std::string host, HubConfig config, Rng rng)
    : services_(services),
      name_(std::move(name)),
      host_(services.network.host(host)),
      config_(std::move(config)),
      rng_(rng) {
  if (config_.name.empty()) config_.name = name_;
  name_ = config_.name;
  config_.listen = router_endpoint(host);
  config_.pub_listen = pub_endpoint(host);
}

SimNode::~SimNode() = default;

void SimNode::boot(std::uint64_t incarnation, Duration clock_offset) {
  ++lives_;
  id_ = NodeId::of(name_, incarnation);
  life_ = NodeLife::up;
  clock_offset_ = clock_offset;
  drifts_since_ = services_.scheduler.now();
  const auto most = static_cast<std::int64_t>(services_.faults.clock_drift * 1e6);
  drift_ = most == 0 ? 0 : rng_.between(-most, most);
  inbox_.clear();
  registry_.clear();
  listed_.clear();
  closed_.clear();
  cluster_ = {};
  turn_due_ = false;
  turns_until_ = kNever;
  ++alarm_;
  alarm_at_ = kNever;
  leave_token_.reset();
  ending_.reset();
  paused_total_ = {};
  jumped_ = false;
  services_.network.attach(host_, [this](protocol::Event event) { deliver(std::move(event)); });
  workers_ =
      services_.make_workers({services_.scheduler, rng_.fork(), services_.faults, config_, id_, services_.log,
                              [this](protocol::Event event) { deliver(std::move(event)); },
                              [this] { return local_now() < turns_until_; },
                              [this](const std::string& id) -> std::optional<ChildInfo> {
                                const auto found = registry_.find(id);
                                if (found == registry_.end()) return std::nullopt;
                                return runtime::to_info(*found->second);
                              }});
  protocol::Identity identity{id_, config_.listen, config_.pub_listen, rng_.next(), {}, services_.specs};
  core_ = services_.make_core(identity, config_);
  services_.observer.on_life(*this);
  core_->start(local_now(), effects_);
  perform();
  wake();
}

void SimNode::crash(SimNetwork::Detach how) {
  if (running()) end_life(NodeLife::crashed, how);
}

void SimNode::end_life(NodeLife life, SimNetwork::Detach how) {
  if (life_ == NodeLife::paused) paused_total_ = paused_for();
  life_ = life;
  ++lives_;
  ++alarm_;
  workers_->kill();
  inbox_.clear();
  effects_.clear();
  services_.network.detach(host_, how);
  core_.reset();
  services_.observer.on_life(*this);
}

void SimNode::pause() {
  if (life_ != NodeLife::up) return;
  life_ = NodeLife::paused;
  paused_since_ = services_.scheduler.now();
  workers_->pause();
  services_.observer.on_life(*this);
}

void SimNode::resume() {
  if (life_ != NodeLife::paused) return;
  paused_total_ = paused_for();
  life_ = NodeLife::up;
  workers_->wake();
  services_.observer.on_life(*this);
  wake();
}

Duration SimNode::paused_for() const {
  return life_ == NodeLife::paused ? paused_total_ + (services_.scheduler.now() - paused_since_)
                                   : paused_total_;
}

void SimNode::jump_clock(Duration ahead) {
  clock_offset_ += ahead;
  jumped_ = true;
  alarm_at_ = kNever;  // what was armed by the old clock is due earlier
  wake();
}

Time SimNode::local_now() const {
  const auto now = services_.scheduler.now();
  return now + clock_offset_ + (now - drifts_since_) * drift_ / 1'000'000;
}

Time SimNode::when_local(Time local) const {
  const auto undrifted = local - clock_offset_;
  if (drift_ == 0 || undrifted <= drifts_since_) return undrifted;
  return drifts_since_ + (undrifted - drifts_since_) * 1'000'000 / (1'000'000 + drift_) + Duration(1);
}

void SimNode::submit(protocol::Event event) {
  if (!running()) return;
  if (const auto* leave = std::get_if<protocol::event::LeaveCluster>(&event)) leave_token_ = leave->token;
  deliver(std::move(event));
}

/// What HubNode::direct_target() answers.
std::uint64_t SimNode::direct_target(const std::string& id) const {
  const auto known = registry_.find(id);
  if (life_ != NodeLife::up || known == registry_.end() || closed_.contains(id)) return 0;
  const auto& instances = known->second->instances;
  const auto active = std::find_if(instances.begin(), instances.end(), [](const Instance& i) {
    return i.state == InstanceState::running && i.role == Role::active;
  });
  if (active == instances.end() || active->ref.node != id_ || !workers_->takes(active->ref.serial)) return 0;
  const auto on_its_way = [&](const protocol::Event& event) {
    if (const auto* cast = std::get_if<protocol::event::CastChild>(&event)) return cast->id == id;
    if (const auto* call = std::get_if<protocol::event::CallChild>(&event)) return call->id == id;
    return std::holds_alternative<protocol::event::Broadcast>(event);
  };
  return std::any_of(inbox_.begin(), inbox_.end(), on_its_way) ? 0 : active->ref.serial;
}

void SimNode::cast(protocol::event::CastChild cast) {
  const auto serial = direct_target(cast.id);
  if (serial == 0) return submit(std::move(cast));
  protocol::PostedMessage message;
  message.message = std::move(cast.message);
  message.body = std::move(cast.body);
  protocol::Effect post = protocol::effect::Post{serial, std::move(message), registry_.at(cast.id)->uid};
  services_.observer.on_effect(*this, post);
  workers_->post(std::get<protocol::effect::Post>(std::move(post)));
}

void SimNode::deliver(protocol::Event event) {
  inbox_.push_back(std::move(event));
  wake();
}

void SimNode::wake() {
  if (turn_due_ || life_ != NodeLife::up) return;
  turn_due_ = true;
  const auto delay = slowness_ + rng_.between(Duration(0), services_.faults.turn_delay_max);
  services_.scheduler.after(delay, [this, life = lives_] {
    if (life != lives_) return;
    turn_due_ = false;
    if (life_ == NodeLife::up) turn();
  });
}

void SimNode::turn() {
  for (std::size_t taken = 0; taken < kTurnBatch && !inbox_.empty(); ++taken) {
    auto event = std::move(inbox_.front());
    inbox_.pop_front();
    services_.observer.on_event(*this, event);
    core_->step(local_now(), std::move(event), effects_);
    perform();
  }
  const bool more = core_->run(local_now(), effects_);
  perform();
  core_->flush(local_now(), effects_);
  perform();
  take_changes();
  vouch();
  services_.observer.on_turn(*this);
  if (ending_) return end_life(*ending_, SimNetwork::Detach::closed);
  if (more || !inbox_.empty()) wake();
  arm();
}

/// Tells the workers up to when they may start turns.
void SimNode::vouch() {
  const auto until = core_->turns_until();
  const bool again = local_now() >= turns_until_ && local_now() < until;
  turns_until_ = until;
  if (again) workers_->look_again();
}

void SimNode::arm() {
  const auto deadline = core_->next_deadline();
  if (deadline == alarm_at_) return;
  alarm_at_ = deadline;
  const auto number = ++alarm_;
  if (deadline == kNever) return;
  services_.scheduler.at(when_local(deadline), [this, number] {
    if (number != alarm_) return;
    alarm_at_ = kNever;
    wake();
  });
}

const protocol::ClusterSnapshot& SimNode::look() {
  if (core_)
    if (auto snapshot = core_->take_cluster_change()) cluster_ = std::move(*snapshot);
  return cluster_;
}

void SimNode::take_changes() {
  if (services_.lean) return;
  for (auto& change : core_->take_registry_changes()) {
    if (change.record) {
      registry_[change.id] = std::make_shared<const protocol::ChildRecord>(std::move(*change.record));
      listed_.insert(change.id);
    } else {
      registry_.erase(change.id);
    }
    workers_->child_changed(change.id);
  }
  look();
}

void SimNode::perform() {
  // Carrying out an effect never calls back into the core: answers come as events of later turns.
  for (auto& effect : effects_) {
    services_.observer.on_effect(*this, effect);
    std::visit([this](auto& e) { carry_out(e); }, effect);
  }
  effects_.clear();
}

void SimNode::carry_out(protocol::effect::Terminate& e) {
  why_terminated_ = e.why;
  ending_ = NodeLife::terminated;
}

void SimNode::carry_out(protocol::effect::CompleteVoid& e) {
  if (leave_token_ && *leave_token_ == e.token) ending_ = NodeLife::left;
}

std::vector<NodeId> SimNode::believed_up() const {
  std::vector<NodeId> up;
  for (const auto& node : cluster_.nodes) {
    if (node.state != NodeState::down && node.state != NodeState::left) up.push_back(node.id);
  }
  std::sort(up.begin(), up.end());
  return up;
}

}  // namespace processhub::sim
