// A core of one node that does what users ask, on its own, and can be made to break one promise at a time: it
// shows that the simulator drives a core as it should and that its checkers find what they are for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/sim/core_port.hpp"

namespace processhub::sim {

enum class Bug {
  none,
  answers_twice,
  never_answers,
  answers_late,
  answers_unasked,
  same_generation,
  same_serial,
  forgets_a_start,
  undoes_a_stop,
  leaves_a_stray,
  stays_locked,
  lists_a_dead_worker,
  digest_of_its_own,
  post_hook_only,
  starts_end_unannounced,
  migrates_unannounced,
  loses_a_quorum_twice,
  stops_an_unknown_worker,
  lies_about_a_call,
};

class TinyCore : public CorePort {
 public:
  /// `members`: whom it believes up, itself included.
  TinyCore(protocol::Identity identity, Bug bug, std::vector<NodeId> members)
      : identity_(std::move(identity)), bug_(bug), members_(std::move(members)) {}

  void start(Time, protocol::Effects& fx) override {
    changed_ = true;
    if (bug_ == Bug::post_hook_only)
      fx.emplace_back(protocol::effect::RunHook{hook::PostClusterJoin{identity_.self}});
    if (bug_ == Bug::starts_end_unannounced)
      fx.emplace_back(protocol::effect::RunHook{hook::PostChildrenStart{{"x"}, {}}});
    if (bug_ == Bug::migrates_unannounced)
      fx.emplace_back(protocol::effect::RunHook{hook::ChildrenMigrated{identity_.self, {"x"}}});
    if (bug_ == Bug::loses_a_quorum_twice) {
      fx.emplace_back(protocol::effect::RunHook{hook::QuorumLost{}});
      fx.emplace_back(protocol::effect::RunHook{hook::QuorumLost{}});
    }
    if (bug_ == Bug::stops_an_unknown_worker)
      fx.emplace_back(protocol::effect::StopWorker{99, StopReason::user});
    if (bug_ == Bug::answers_unasked) fx.emplace_back(protocol::effect::CompleteVoid{77, {}});
  }

  void step(Time now, protocol::Event event, protocol::Effects& fx) override {
    now_ = now;
    std::visit([&](auto& e) { on(e, fx); }, event);
  }

  bool run(Time now, protocol::Effects& fx) override {
    if (late_ && now >= late_at_) {
      fx.emplace_back(std::move(*late_));
      late_.reset();
    }
    return false;
  }
  void flush(Time, protocol::Effects&) override {}
  Time next_deadline() const override { return late_ ? late_at_ : kNever; }
  std::vector<protocol::RegistryChange> take_registry_changes() override {
    return std::exchange(changes_, {});
  }
  std::optional<protocol::ClusterSnapshot> take_cluster_change() override {
    if (!std::exchange(changed_, false)) return {};
    protocol::ClusterSnapshot snapshot;
    for (const auto member : members_) snapshot.nodes.push_back({member, "", NodeState::up, "", 1.0});
    snapshot.joined = true;
    snapshot.locked = bug_ == Bug::stays_locked;
    snapshot.digest = bug_ == Bug::digest_of_its_own ? identity_.self.hash() : 1;
    return snapshot;
  }
  CoreView view() const override { return {members_, true}; }

 private:
  struct Child {
    std::shared_ptr<protocol::ChildRecord> record{};
    std::uint64_t serial = 0;
  };

  template <class Other>
  void on(Other&, protocol::Effects&) {}

  void on(protocol::event::StartChildren& e, protocol::Effects& fx) {
    StartResult result;
    for (auto& spec : e.specs) {
      result.children.push_back({spec.id, {}, {}});
      if (bug_ == Bug::forgets_a_start && children_.size() == 1) continue;
      launch(std::move(spec), fx);
      result.children.back().instances = children_.at(result.children.back().id).record->instances;
    }
    answer(protocol::effect::CompleteStart{e.token, result}, fx);
  }

  void launch(ChildSpec spec, protocol::Effects& fx) {
    auto& child = children_[spec.id];
    child.serial = bug_ == Bug::same_serial ? 1 : ++serial_;
    child.record = std::make_shared<protocol::ChildRecord>();
    child.record->spec = std::make_shared<protocol::SharedSpec>(std::move(spec));
    child.record->uid = {identity_.self, bug_ == Bug::same_generation ? 1 : ++dots_};
    list(child, child.serial);
    fx.emplace_back(protocol::effect::StartWorker{
        child.serial, child.record->uid, child.record->spec, {1, 0, identity_.self}});
  }

  void list(Child& child, std::uint64_t serial) {
    child.record->instances = {
        {{identity_.self, serial}, Role::active, InstanceState::running, {1, 0, identity_.self}}};
    changes_.push_back({child.record->spec->id, *child.record});
  }

  void on(protocol::event::StopChildren& e, protocol::Effects& fx) {
    StopResult result;
    for (const auto& id : e.values) {
      result.children.push_back({id, {}, {}});
      auto found = children_.find(id);
      if (found == children_.end() || bug_ == Bug::undoes_a_stop) continue;
      if (bug_ != Bug::leaves_a_stray)
        fx.emplace_back(protocol::effect::StopWorker{found->second.serial, StopReason::user});
      children_.erase(found);
      changes_.push_back({id, std::nullopt});
    }
    answer(protocol::effect::CompleteStop{e.token, result}, fx);
  }

  void on(protocol::event::CallChild& e, protocol::Effects& fx) {
    auto found = children_.find(e.id);
    if (found == children_.end()) {
      return answer(protocol::effect::CompleteCall{e.token, {ErrorCode::no_such_child, e.id}}, fx);
    }
    protocol::PostedMessage message{e.message, std::move(e.body), false, {identity_.self, e.token}, nullptr};
    fx.emplace_back(protocol::effect::Post{found->second.serial, std::move(message)});
  }

  void on(protocol::event::WorkerAnswer& e, protocol::Effects& fx) {
    const bool lies = bug_ == Bug::lies_about_a_call;
    auto result = lies ? Result<Bytes>(ErrorCode::overloaded, "not delivered") : std::move(e.answer);
    answer(protocol::effect::CompleteCall{e.to.token, std::move(result)}, fx);
  }

  void on(protocol::event::WorkerUp& e, protocol::Effects&) {
    if (bug_ != Bug::lists_a_dead_worker) return;
    for (auto& [id, child] : children_) {
      if (child.serial == e.serial) list(child, e.serial + 100);
    }
  }

  void answer(protocol::Effect effect, protocol::Effects& fx) {
    if (bug_ == Bug::never_answers) return;
    if (bug_ == Bug::answers_late) {
      late_ = std::move(effect);
      late_at_ = now_ + std::chrono::seconds(30);
      return;
    }
    fx.push_back(effect);
    if (bug_ == Bug::answers_twice) fx.push_back(effect);
  }

  protocol::Identity identity_;
  Bug bug_;
  std::vector<NodeId> members_;
  std::map<std::string, Child> children_{};
  std::vector<protocol::RegistryChange> changes_{};
  bool changed_ = false;
  std::uint64_t serial_ = 0;
  std::uint64_t dots_ = 0;
  Time now_{};
  std::optional<protocol::Effect> late_{};
  Time late_at_{};
};

inline CoreFactory tiny_cores(Bug bug = Bug::none, std::vector<NodeId> members = {}) {
  return [bug, members](const protocol::Identity& identity, const HubConfig&) {
    return std::make_unique<TinyCore>(identity, bug,
                                      members.empty() ? std::vector<NodeId>{identity.self} : members);
  };
}

}  // namespace processhub::sim
