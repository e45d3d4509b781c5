#include "core/runtime/effect_performer.hpp"

#include <utility>

#include "core/runtime/registry_view.hpp"

namespace processhub::runtime {

namespace effect = protocol::effect;

/// True: carried out. False: one for settle().
struct EffectPerformer::Now {
  EffectPerformer& to;

  bool operator()(effect::Connect& e) const { return to.transport_.connect(e.link, e.endpoint), true; }
  bool operator()(effect::Disconnect& e) const { return to.transport_.disconnect(e.link), true; }
  bool operator()(effect::Subscribe& e) const { return to.transport_.subscribe(e.endpoint), true; }
  bool operator()(effect::Unsubscribe& e) const { return to.transport_.unsubscribe(e.endpoint), true; }
  bool operator()(effect::SendLink& e) const { return to.count(to.transport_.send(e.link, e.frame)), true; }
  bool operator()(effect::SendRoute& e) const {
    return to.count(to.transport_.reply(e.route, e.frame)), true;
  }
  bool operator()(effect::Publish& e) const { return to.count(to.transport_.publish(e.frame)), true; }
  bool operator()(effect::StartWorker& e) const {
    to.running_.insert(e.serial);
    return to.host_.start(e), true;
  }
  bool operator()(effect::StopWorker& e) const { return to.host_.stop(e.serial, e.reason), true; }
  bool operator()(effect::SetRole& e) const { return to.host_.set_role(e), true; }
  bool operator()(effect::FreezeWorker& e) const { return to.host_.freeze(e), true; }
  bool operator()(effect::MergeState& e) const { return to.host_.merge(e), true; }
  bool operator()(effect::CancelFreeze& e) const { return to.host_.cancel_freeze(e.serial), true; }
  bool operator()(effect::ResumeWorker& e) const { return to.host_.resume(e), true; }
  bool operator()(effect::Post& e) const {
    if (!to.host_.post(e.serial, e.message))
      to.undelivered_.push_back({e.serial, e.child, std::move(e.message)});
    return true;
  }
  bool operator()(effect::DirectWay& e) const {
    const auto lane = LoopTraffic::lane_of(RegistryView::hash_of(e.id));
    if (e.open) return to.traffic_.leave(lane), true;
    return to.traffic_.enter(lane), true;
  }
  bool operator()(effect::CloseGates&) const { return to.host_.close_gates(), true; }
  bool operator()(effect::OpenGates&) const { return to.host_.open_gates(), true; }
  bool operator()(effect::MeasureLoad&) const { return to.measure_ = true; }
  bool operator()(effect::Log& e) const {
    return to.log_.log(e.part, e.level, e.text, std::move(e.ids)), true;
  }
  bool operator()(effect::Terminate& e) const {
    if (!std::exchange(to.terminated_, true)) to.why_terminated_ = std::move(e.why);
    return true;
  }
  template <class Visible>
  bool operator()(Visible&) const {
    return false;
  }
};

struct EffectPerformer::Later {
  EffectPerformer& to;

  void operator()(effect::CompleteStart& e) const { to.answers_.complete(e.token, std::move(e.result)); }
  void operator()(effect::CompleteStop& e) const { to.answers_.complete(e.token, std::move(e.result)); }
  void operator()(effect::CompleteCall& e) const { to.answers_.complete(e.token, std::move(e.result)); }
  void operator()(effect::CompleteVoid& e) const { to.answers_.complete(e.token, std::move(e.result)); }
  void operator()(effect::CompleteLock& e) const { to.answers_.complete(e.token, std::move(e.result)); }
  void operator()(effect::RunHook& e) const {
    if (to.log_.enabled(LogPart::hooks, LogLevel::debug)) to.log_.debug(LogPart::hooks, to_string(e.event));
    to.hooks_.emit(std::move(e.event));
  }
  void operator()(effect::UserEvent& e) const {
    to.hooks_.user_event(std::move(e.name), e.from, std::move(e.body));
  }
  void operator()(effect::TopicDelivery& e) const {
    to.hooks_.published(e.subscription, std::move(e.message));
  }
  void operator()(effect::AdminQuery& e) const {
    if (e.verb == "inspect") e.connections = to.transport_.connections();
    to.admin_(std::move(e));
  }
  template <class Done>
  void operator()(Done&) const {}
};

void EffectPerformer::perform(protocol::Effects& effects) {
  for (auto& e : effects) {
    if (!std::visit(Now{*this}, e)) later_.push_back(std::move(e));
  }
  effects.clear();
}

void EffectPerformer::settle() {
  for (auto& e : later_) std::visit(Later{*this}, e);
  later_.clear();
}

}  // namespace processhub::runtime
