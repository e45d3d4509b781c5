// HostedWorker: one instance of a user's class on a simulated node, and the WorkerContext that it sees.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/protocol/effect.hpp"
#include "processhub/worker.hpp"

namespace processhub::sim {

class HostedWorkers;

/// The way of an answer out of a node; shut when the process is gone, for a Reply may outlive it.
struct ReplyPort {
  std::function<void(protocol::Event)> deliver{};
  bool open = true;

  void answer(protocol::ReplyRef to, Result<Bytes> result) {
    if (open && to) deliver(protocol::event::WorkerAnswer{to, std::move(result)});
  }
};

/// Answers a caller, once.
class HostedReply final : public ReplySink {
 public:
  HostedReply(std::shared_ptr<ReplyPort> port, protocol::ReplyRef to) : port_(std::move(port)), to_(to) {}
  void finish(Result<Bytes> answer) override;
  bool done() const { return done_; }

 private:
  std::shared_ptr<ReplyPort> port_;
  protocol::ReplyRef to_;
  bool done_ = false;
};

class HostedWorker final : public WorkerContext {
 public:
  HostedWorker(HostedWorkers& host, const protocol::effect::StartWorker& start,
               std::shared_ptr<const WorkerClass> worker_class);
  ~HostedWorker() override;

  // WorkerContext
  const std::string& id() const override { return spec_->id; }
  NodeId node() const override;
  Generation generation() const override { return generation_; }
  Role role() const override { return role_; }
  const std::string& hub_id() const override;
  TimerId after(std::chrono::milliseconds delay, std::function<void()> action) override;
  TimerId every(std::chrono::milliseconds period, std::function<void()> action) override;
  void cancel(TimerId timer) override { timers_.erase(timer); }
  void finish() override;
  void stop_self() override { ending = protocol::WorkerExit::stop_self; }
  void cast_raw(std::string_view to, std::string_view message, Bytes body) override;
  void call_raw(std::string_view to, std::string_view message, Bytes body, const CallOptions& options,
                std::function<void(Result<Bytes>)> then) override;

  void publish_raw(std::string_view topic, std::string_view message, Bytes body,
                   PublishOptions options) override;
  void subscribe(std::string_view pattern) override;
  void unsubscribe(std::string_view pattern) override;
  const TopicMessage* topic() const override { return topic_.get(); }
  MonitorId monitor(std::string_view id, std::function<void(const ChildNews&)> then) override;
  void unmonitor(MonitorId monitor) override { monitors_.erase(monitor); }
  /// Of the message that is being handled.
  void set_topic(std::shared_ptr<const TopicMessage> topic) { topic_ = std::move(topic); }

  struct TimerFired {
    TimerId id = 0;
  };
  struct CallAnswered {
    protocol::Token token = 0;
    Result<Bytes> answer{Bytes{}};
  };
  struct MonitorNews {
    MonitorId monitor = 0;
    ChildNews news{};
  };
  using Item = std::variant<protocol::PostedMessage, TimerFired, CallAnswered, protocol::effect::SetRole,
                            protocol::effect::MergeState, MonitorNews>;
  enum class State : std::uint8_t { starting, up, frozen, prepared, stopping };

  std::uint64_t serial() const { return serial_; }
  const WorkerClass* worker_class() const { return class_.get(); }
  std::string describe() const;  ///< for errors
  Worker* object() const { return worker_.get(); }
  std::size_t waiting_messages() const;
  /// Takes the oldest message out of the mailbox; there must be one.
  protocol::PostedMessage drop_oldest();

  // -- the user's code; each may throw whatever the user throws
  void construct();
  /// It waits for no answer and owes none.
  bool free_to_freeze();
  /// Nothing would be lost with its object but its state.
  bool free_to_sleep() { return free_to_freeze() && timers_.empty() && monitors_.empty(); }
  std::optional<std::chrono::milliseconds> passivate_after() const { return spec_->kind->passivate_after; }
  void run_timer(TimerId timer);
  void run_continuation(CallAnswered& answered);
  void run_monitor(const MonitorNews& news);
  bool monitors_any() const { return !monitors_.empty(); }
  /// Puts what its monitors of this child do not know yet into the mailbox; false: nothing.
  bool tell_monitors(const ChildNews& news);
  void take_role(const protocol::effect::SetRole& change);
  void merge(const Bytes& state);
  void set_generation(const Generation& generation) { generation_ = generation; }
  void destroy();

  std::size_t activation = 0;  ///< index in the WorkerLog
  State state = State::starting;
  StopReason stop_reason = StopReason::user;
  bool turn_due = false;
  bool only_prepared = false;
  bool asleep = false;                   ///< passivated: its object is gone
  Time last_used{};                      ///< its last turn
  std::shared_ptr<const Bytes> loads{};  ///< the state it was given, or that was kept
  std::optional<protocol::effect::FreezeWorker> freeze{};
  std::deque<Item> mailbox{};
  std::optional<protocol::WorkerExit> ending{};              ///< what the worker asked for
  std::vector<std::shared_ptr<HostedReply>> open_answers{};  ///< of handlers that kept their Reply

 private:
  struct Timer {
    std::function<void()> action{};
    Duration period{};  ///< zero: once
    Time due{};
  };
  TimerId add_timer(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                    std::function<void()> action);

  HostedWorkers& host_;
  const std::uint64_t serial_;
  Generation generation_;
  Role role_;
  const std::shared_ptr<const protocol::SharedSpec> spec_;
  const std::shared_ptr<const WorkerClass> class_;  ///< null: unknown type
  std::unique_ptr<Worker> worker_{};
  std::map<TimerId, Timer> timers_{};
  std::map<protocol::Token, std::function<void(Result<Bytes>)>> calls_{};
  TimerId last_timer_ = 0;
  struct Monitor {
    ChildNews told{};
    std::function<void(const ChildNews&)> then{};
  };
  std::map<MonitorId, Monitor> monitors_{};
  std::shared_ptr<const TopicMessage> topic_{};
};

}  // namespace processhub::sim
