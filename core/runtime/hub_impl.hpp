// What stands behind Hub: the threads that outlive a single node (callbacks, hooks), the current node, and
// how one node follows another (promote). Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/runtime/admin.hpp"
#include "core/runtime/callback_pool.hpp"
#include "core/runtime/hook_runner.hpp"
#include "core/runtime/hub_node.hpp"
#include "core/runtime/hub_parts.hpp"
#include "core/runtime/logging.hpp"
#include "core/runtime/signals.hpp"
#include "processhub/hub.hpp"
#include "processhub/metrics.hpp"

namespace processhub {

class Hub::Impl final : public runtime::AdminHub {
 public:
  static Result<std::unique_ptr<Impl>> make(HubConfig config, runtime::HubParts parts);
  Impl(const HubConfig& config, runtime::HubParts parts);  ///< use make()
  ~Impl() override;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  runtime::HubNode& node() const { return *current_.load(); }
  runtime::HookRunner& hooks() { return hooks_; }
  const runtime::HookRunner& hooks() const { return hooks_; }
  const std::string& hub_id() const { return hub_id_; }

  /// Sends an event that carries `token`, answered by a Complete… effect.
  template <class T, class MakeEvent>
  Future<T> request(MakeEvent make_event) {
    const Promise<T> promise;
    request(promise, make_event);
    return promise.future();
  }
  template <class T, class MakeEvent>
  void request(const Promise<T>& promise, MakeEvent make_event) {
    auto& to = node();
    const auto token = to.new_token();
    to.ask(token, make_event(token), promise);
  }
  Result<void> promote(std::string name, std::string endpoint);
  Result<SubscriptionId> subscribe(std::string_view pattern, Hub::TopicHandler handler);
  void unsubscribe(SubscriptionId id);
  Result<void> stop();
  void wait_for_signal();
  std::string termination_reason() const;

  // AdminHub
  Future<StartResult> start_children(std::vector<ChildSpec> specs, StartOptions options) override;
  Future<StopResult> stop_children(protocol::event::Select select, std::vector<std::string> values,
                                   StopOptions options) override;
  Future<Bytes> call_raw(std::string_view id, std::string_view message, Bytes body,
                         std::chrono::milliseconds timeout, bool named) override;
  Result<void> cast_raw(std::string_view id, std::string_view message, Bytes body) override;
  Future<void> migrate(std::string id, std::string node, std::chrono::milliseconds timeout) override;
  Future<void> update_metadata(std::string id, Metadata metadata) override;
  Future<void> restart_child(std::string id) override;
  Future<void> reset_cluster_size() override;
  std::optional<ChildInfo> lookup(std::string_view id) const override { return node().registry().lookup(id); }
  std::vector<ChildInfo> list(Scope scope) const override;
  std::vector<ChildInfo> by_tag(std::string_view tag) const override { return node().registry().by_tag(tag); }
  std::string dump() const override { return node().registry().dump(); }
  std::vector<NodeInfo> nodes(bool include_local, bool include_down) const override;
  HubStatus status() const override;
  Metrics metrics() const override;
  const runtime::Journal& journal() const override { return log_.journal(); }
  runtime::Tap& tap() override { return node().tap(); }
  Future<void> operate(protocol::event::Operation what) override;
  Future<std::uint64_t> lock(std::string reason, int level) override;
  Future<void> unlock(std::uint64_t token) override;

 private:
  Result<void> alter_static_children(HubConfig& config);
  void start_checked(std::vector<ChildSpec> specs, StartOptions options, const Promise<StartResult>& promise);
  Result<std::unique_ptr<runtime::HubNode>> make_node(HubConfig config);
  void use(std::unique_ptr<runtime::HubNode> node);
  Result<void> leave(runtime::HubNode& node);
  void stop_everything();

  const std::string hub_id_;
  const runtime::HubParts parts_;
  const std::shared_ptr<const WorkerTypes> types_;
  const runtime::Logger log_;
  runtime::Bell stopped_;
  runtime::CallbackPool callbacks_;
  runtime::HookRunner hooks_;
  std::mutex life_{};  // stop and promote, one at a time
  bool stop_done_ = false;
  // All lives of this hub; a call that began on an earlier one may still be under way in it.
  std::vector<std::unique_ptr<runtime::HubNode>> nodes_{};
  std::atomic<runtime::HubNode*> current_{nullptr};
};

}  // namespace processhub
