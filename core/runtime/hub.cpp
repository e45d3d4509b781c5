// Hub's members: each hands over to Hub::Impl or to the current node.
#include "processhub/hub.hpp"

#include <utility>

#include "core/runtime/hub_impl.hpp"
#include "core/runtime/hub_parts.hpp"

namespace processhub {

using protocol::Token;
namespace event = protocol::event;

Result<Hub> runtime::start_hub(HubConfig config, HubParts parts) {
  try {
    auto impl = Hub::Impl::make(std::move(config), std::move(parts));
    if (!impl) return impl.error();
    return Hub(std::move(*impl));
  } catch (const std::exception& e) {  // no thread or no file descriptor left
    return {ErrorCode::system, std::string("the hub cannot start: ") + e.what()};
  }
}

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hub::Hub(Hub&&) noexcept = default;
Hub& Hub::operator=(Hub&&) noexcept = default;
Hub::~Hub() = default;

NodeId Hub::node() const { return impl_->node().id(); }
const std::string& Hub::hub_id() const { return impl_->hub_id(); }
std::string Hub::endpoint() const { return impl_->node().endpoint(); }
bool Hub::wait_joined(std::chrono::milliseconds timeout) const {
  return impl_->node().cluster().wait_joined(timeout);
}

Future<StartResult> Hub::start_children(std::vector<ChildSpec> specs, StartOptions options) {
  return impl_->start_children(std::move(specs), std::move(options));
}
Future<StartResult> Hub::start_child(ChildSpec spec, StartOptions options) {
  std::vector<ChildSpec> specs;
  specs.push_back(std::move(spec));
  return start_children(std::move(specs), std::move(options));
}
Future<StopResult> Hub::stop_children(std::vector<std::string> ids, StopOptions options) {
  return impl_->stop_children(event::Select::ids, std::move(ids), options);
}
Future<StopResult> Hub::stop_child(std::string id, StopOptions options) {
  return impl_->stop_children(event::Select::ids, {std::move(id)}, options);
}
Future<StopResult> Hub::stop_by_prefix(std::string prefix, StopOptions options) {
  return impl_->stop_children(event::Select::prefix, {std::move(prefix)}, options);
}
Future<StopResult> Hub::stop_by_tag(std::string tag, StopOptions options) {
  return impl_->stop_children(event::Select::tag, {std::move(tag)}, options);
}
Future<void> Hub::migrate(std::string id, std::string node, std::chrono::milliseconds timeout) {
  return impl_->migrate(std::move(id), std::move(node), timeout);
}
Future<void> Hub::update_metadata(std::string id, Metadata metadata) {
  return impl_->update_metadata(std::move(id), std::move(metadata));
}
Future<void> Hub::reset_cluster_size() { return impl_->reset_cluster_size(); }
Future<void> Hub::restart_child(std::string id) { return impl_->restart_child(std::move(id)); }

std::optional<ChildInfo> Hub::lookup(std::string_view id) const {
  return impl_->node().registry().lookup(id);
}
std::optional<WorkerRef> Hub::active_of(std::string_view id) const {
  return impl_->node().registry().active_of(id);
}
std::vector<Instance> Hub::instances(std::string_view id) const {
  return impl_->node().registry().instances(id);
}
std::vector<ChildInfo> Hub::list(Scope scope) const { return impl_->list(scope); }
std::vector<ChildInfo> Hub::by_tag(std::string_view tag) const { return impl_->by_tag(tag); }
std::string Hub::dump() const { return impl_->dump(); }
HubStatus Hub::status() const { return impl_->status(); }
Metrics Hub::metrics() const { return impl_->metrics(); }
bool Hub::is_locked() const { return impl_->node().cluster().is_locked(); }
bool Hub::is_partitioned() const { return impl_->node().cluster().is_partitioned(); }
std::vector<NodeInfo> Hub::nodes(bool include_local, bool include_down) const {
  return impl_->nodes(include_local, include_down);
}

Future<Bytes> Hub::call_raw(std::string_view id, std::string_view message, Bytes body,
                            std::chrono::milliseconds timeout, bool named) {
  return impl_->call_raw(id, message, std::move(body), timeout, named);
}
void Hub::call_then(std::string_view id, std::string_view message, Bytes body, const CallOptions& options,
                    std::shared_ptr<detail::CallSink> answered) {
  const auto call = [&] {
    impl_->node().call({id, message, std::move(body), options.timeout, false, options.retry},
                       std::move(answered));
  };
  if (!options.trace) return call();
  const TraceScope scope(options.trace);
  call();
}
Result<void> Hub::cast_raw(std::string_view id, std::string_view message, Bytes body) {
  return impl_->node().cast(id, message, std::move(body));
}
Result<void> Hub::broadcast_raw(std::string_view tag, std::string_view message, Bytes body) {
  return impl_->node().broadcast(tag, message, std::move(body));
}

Result<void> Hub::publish_raw(std::string_view topic, std::string_view message, Bytes body,
                              PublishOptions options) {
  if (auto good = check_publication(topic, body); !good) return good;
  return impl_->node().tell(
      event::PublishTopic{std::string(topic), std::string(message), std::move(body), options.reliable});
}
Result<SubscriptionId> Hub::subscribe(std::string_view pattern, TopicHandler handler) {
  return impl_->subscribe(pattern, std::move(handler));
}
void Hub::unsubscribe(SubscriptionId subscription) { impl_->unsubscribe(subscription); }

Result<void> Hub::register_hooks(std::vector<Hook> hooks) { return impl_->hooks().add(std::move(hooks)); }
std::size_t Hub::cancel_hooks(const std::vector<std::string>& ids) { return impl_->hooks().cancel(ids); }
std::vector<HookInfo> Hub::hooks() const { return impl_->hooks().list(); }
void Hub::on_event(std::string name, EventHandler handler) {
  impl_->hooks().on_event(std::move(name), std::move(handler));
}
Result<void> Hub::dispatch(std::string name, Bytes body, Scope scope, int priority) {
  if (priority < 0 || priority > kMaxPriority)
    return {ErrorCode::invalid, "dispatch: a priority is a number from 0 to " + std::to_string(kMaxPriority)};
  return impl_->node().tell(event::DispatchEvent{std::move(name), std::move(body), scope, priority, {}});
}

Future<std::uint64_t> Hub::lock(std::string reason, int level, WhileLocked below) {
  return impl_->request<std::uint64_t>([&](Token token) {
    return event::LockQueue{token, std::move(reason), level, below == WhileLocked::discard};
  });
}
Future<void> Hub::unlock(std::uint64_t token) { return impl_->unlock(token); }

Result<void> Hub::promote(std::string name, std::string endpoint) {
  return impl_->promote(std::move(name), std::move(endpoint));
}
Result<void> Hub::stop() { return impl_->stop(); }
void Hub::wait_for_signal() { impl_->wait_for_signal(); }
std::string Hub::termination_reason() const { return impl_->termination_reason(); }

}  // namespace processhub
