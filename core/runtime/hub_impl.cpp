#include "core/runtime/hub_impl.hpp"

#include <unistd.h>

#include <array>
#include <set>
#include <utility>

#include "core/runtime/clock.hpp"
#include "core/runtime/hub_metrics.hpp"

namespace processhub {

namespace {

using protocol::Token;
using runtime::HubNode;
using runtime::StopWorkers;
namespace event = protocol::event;

constexpr std::size_t kCallbackThreads = 2;  // one slow callback does not hold up the others

std::string default_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'n', 'o', 'd', 'e'};
  return std::string(host.data()) + "-" + std::to_string(::getpid());
}

/// These wait for threads that may be waiting for the caller.
Result<void> check_may_wait(std::string_view what) {
  if (!detail::inside_worker() && !runtime::CallbackPool::on_pool_thread() &&
      !runtime::HookRunner::on_hook_thread())
    return {};
  return {ErrorCode::would_block,
          std::string(what) + " must not be called from a worker, a callback or a hook"};
}

}  // namespace

Hub::Impl::Impl(const HubConfig& config, runtime::HubParts parts)
    : hub_id_(config.hub_id),
      parts_(std::move(parts)),
      types_(std::make_shared<const WorkerTypes>(parts_.types)),
      log_(config.hub_id, config.name, config.log_level),
      callbacks_(kCallbackThreads, [this](const std::string& text) { log_.error(LogPart::workers, text); }),
      hooks_([this](const std::string& text) { log_.warn(LogPart::hooks, text); }, config.hook_timeout) {}

Result<std::unique_ptr<Hub::Impl>> Hub::Impl::make(HubConfig config, runtime::HubParts parts) {
  if (config.name.empty()) config.name = default_name();
  if (auto valid = config.validate(); !valid) return valid.error();
  if (!parts.types.error().empty()) return {ErrorCode::invalid, parts.types.error()};
  const runtime::SignalsBlocked for_our_threads;
  auto hooks = parts.hook_functions.make(config);
  if (!hooks) return hooks.error();
  auto impl = std::make_unique<Impl>(config, std::move(parts));
  if (auto added = impl->hooks_.add(std::move(*hooks)); !added) return added.error();
  if (auto altered = impl->alter_static_children(config); !altered) return altered.error();
  auto node = impl->make_node(std::move(config));
  if (!node) return node.error();
  impl->use(std::move(*node));
  return impl;
}

Hub::Impl::~Impl() { stop_everything(); }

void Hub::Impl::stop_everything() {
  for (auto& node : nodes_) node->stop(StopWorkers::at_once);
  hooks_.stop();
  callbacks_.stop();
  nodes_.clear();
}

Result<std::unique_ptr<HubNode>> Hub::Impl::make_node(HubConfig config) {
  return HubNode::make(
      std::move(config),
      {types_, parts_, callbacks_, hooks_, log_,
       [this](HubNode& node, const protocol::effect::AdminQuery& query) {
         log_.debug(LogPart::clients, "a client asks: " + query.verb);
         runtime::handle_admin(
             *this, query,
             [&node, client = query.client, request = query.request](runtime::AdminReply reply) {
               // Refused only when the node has ended, and its clients with it.
               [[maybe_unused]] const auto told = node.tell(event::AdminAnswer{
                   client, request, reply.code, std::move(reply.body), runtime::too_long_answer().body});
             });
       },
       [this] { stopped_.ring(); }});
}

void Hub::Impl::use(std::unique_ptr<HubNode> node) {
  current_.store(node.get());
  nodes_.push_back(std::move(node));
  nodes_.back()->start();
}

/// Those of the file go through the child_data hooks of the file, before the node knows them.
Result<void> Hub::Impl::alter_static_children(HubConfig& config) {
  if (!hooks_.alters() || config.static_children.empty()) return {};
  Promise<std::vector<ChildSpec>> altered;
  hooks_.alter(config.static_children, [altered](auto specs) { altered.complete(std::move(specs)); });
  const auto answer = altered.future();
  auto specs = answer.wait_for(config.hook_timeout);
  while (!specs) {  // no loop runs yet that would look at the clock
    hooks_.report_slow(runtime::boot_now());
    specs = answer.wait_for(std::chrono::milliseconds(1));
  }
  if (!*specs) return specs->error();
  config.static_children = **specs;
  return config.validate();
}

Future<StartResult> Hub::Impl::start_children(std::vector<ChildSpec> specs, StartOptions options) {
  for (auto& spec : specs) apply(options, spec);
  Promise<StartResult> promise;
  if (!hooks_.alters()) {
    start_checked(std::move(specs), std::move(options), promise);
    return promise.future();
  }
  hooks_.alter(std::move(specs),
               [this, options = std::move(options), promise](Result<std::vector<ChildSpec>> altered) {
                 if (!altered) return runtime::OpenAnswers::end(callbacks_, promise, altered.error());
                 start_checked(std::move(*altered), options, promise);
               });
  return promise.future();
}

/// Nothing starts if one of the specs is wrong.
void Hub::Impl::start_checked(std::vector<ChildSpec> specs, StartOptions options,
                              const Promise<StartResult>& promise) {
  std::set<std::string_view> ids;
  for (const auto& spec : specs) {
    if (auto valid = validate(spec); !valid)
      return runtime::OpenAnswers::end(callbacks_, promise, valid.error());
    if (!ids.insert(spec.id).second) {
      return runtime::OpenAnswers::end(
          callbacks_, promise, {ErrorCode::invalid, "child '" + spec.id + "' is named twice in one call"});
    }
  }
  request(promise, [&](Token token) {
    return event::StartChildren{token, std::move(specs), std::move(options)};
  });
}

Future<StopResult> Hub::Impl::stop_children(event::Select select, std::vector<std::string> values,
                                            StopOptions options) {
  return request<StopResult>([&](Token token) {
    return event::StopChildren{token, select, std::move(values), options};
  });
}

Future<Bytes> Hub::Impl::call_raw(std::string_view id, std::string_view message, Bytes body,
                                  std::chrono::milliseconds timeout, bool named) {
  const auto answered = std::make_shared<runtime::RawCall>();
  node().call({id, message, std::move(body), timeout, named}, answered);
  return Future<Bytes>(answered);
}

Result<void> Hub::Impl::cast_raw(std::string_view id, std::string_view message, Bytes body) {
  return node().cast(id, message, std::move(body));
}

Future<void> Hub::Impl::migrate(std::string id, std::string to, std::chrono::milliseconds timeout) {
  return request<void>([&](Token token) {
    return event::MigrateChild{token, std::move(id), std::move(to), timeout};
  });
}

Future<void> Hub::Impl::update_metadata(std::string id, Metadata metadata) {
  return request<void>([&](Token token) {
    return event::UpdateMetadata{token, std::move(id), std::move(metadata)};
  });
}

Future<void> Hub::Impl::restart_child(std::string id) {
  return request<void>([&](Token token) { return event::RestartChild{token, std::move(id)}; });
}

Future<void> Hub::Impl::reset_cluster_size() {
  return request<void>([](Token token) { return event::ResetClusterSize{token}; });
}

Future<void> Hub::Impl::operate(event::Operation what) {
  return request<void>([&](Token token) { return event::Operate{token, what}; });
}

Future<std::uint64_t> Hub::Impl::lock(std::string reason, int level) {
  return request<std::uint64_t>([&](Token token) {
    return event::LockQueue{token, std::move(reason), level, false};
  });
}

Future<void> Hub::Impl::unlock(std::uint64_t token) {
  return request<void>([&](Token request) { return event::UnlockQueue{request, token}; });
}

std::vector<ChildInfo> Hub::Impl::list(Scope scope) const {
  return node().registry().list(scope == Scope::local ? node().id() : NodeId());
}

std::vector<NodeInfo> Hub::Impl::nodes(bool include_local, bool include_down) const {
  std::vector<NodeInfo> out;
  const auto cluster = node().cluster().get();  // a range of a temporary would not keep it
  for (const auto& info : cluster->nodes) {
    const bool gone = info.state == NodeState::down || info.state == NodeState::left;
    if ((include_local || info.id != node().id()) && (include_down || !gone)) out.push_back(info);
  }
  return out;
}

HubStatus Hub::Impl::status() const {
  const auto& of = node();
  const auto cluster = of.cluster().get();
  HubStatus status;
  status.node = of.id();
  status.hub_id = hub_id_;
  status.locked = cluster->locked;
  status.partitioned = cluster->partitioned;
  status.joined = cluster->joined;
  status.children_local = cluster->children_local;
  status.children_total = cluster->children_total;
  status.digest = cluster->digest;
  status.stats = of.stats();
  return status;
}

Metrics Hub::Impl::metrics() const {
  const auto& of = node();
  const auto cluster = of.cluster().get();
  auto metrics = runtime::make_metrics({*cluster, of.stats(), of.cluster().meters(), of.worker_counters(),
                                        of.load(), of.commands_waiting(), of.config()});
  metrics.node = of.id();
  metrics.hub_id = hub_id_;
  return metrics;
}

std::string Hub::Impl::termination_reason() const { return node().cluster().why_ended(); }

/// Says LEAVE and waits until the children are elsewhere, at most drain_timeout.
Result<void> Hub::Impl::leave(HubNode& node) {
  const auto left = request<void>([](Token token) { return event::LeaveCluster{token}; });
  const auto margin = std::chrono::milliseconds(500);
  const auto answer = left.wait_for(node.config().drain_timeout + margin);
  if (!answer) return {ErrorCode::timeout, "the cluster did not take over everything within drain_timeout"};
  return *answer;
}

Result<void> Hub::Impl::stop() {
  if (auto may = check_may_wait("stop()"); !may) return may;
  std::lock_guard lock(life_);
  auto& last = node();
  if (std::exchange(stop_done_, true)) return {};
  if (const auto why = termination_reason(); !why.empty()) {
    last.stop(StopWorkers::at_once);  // its workers were stopped when it ended; this joins the loop
    return {ErrorCode::stopped, "the hub had ended: " + why};
  }
  auto left = leave(last);
  last.stop(StopWorkers::gracefully);
  stopped_.ring();
  return left;
}

void Hub::Impl::wait_for_signal() {
  runtime::wait_for_termination_signal(stopped_);
  if (auto done = stop(); !done && termination_reason().empty())
    log_.warn(LogPart::hub, "stop: " + done.error().message);
}

Result<void> Hub::Impl::promote(std::string name, std::string endpoint) {
  if (auto may = check_may_wait("promote()"); !may) return may;
  std::lock_guard lock(life_);
  auto& before = node();
  if (!before.config().listen.empty()) return {ErrorCode::invalid, "promote: this hub has a network already"};
  if (stop_done_ || before.cluster().ended()) return {ErrorCode::stopped, "the hub stopped"};
  auto config = before.config();
  config.name = std::move(name);
  config.listen = std::move(endpoint);
  if (auto valid = config.validate(); !valid) return valid;
  const runtime::SignalsBlocked for_our_threads;
  auto next = make_node(std::move(config));
  if (!next) return next.error();

  std::vector<ChildSpec> specs;
  for (auto& child : before.registry().list()) specs.push_back(std::move(child.spec));
  before.stop(StopWorkers::gracefully);
  use(std::move(*next));
  if (specs.empty()) return {};
  const auto started = request<StartResult>([&](Token token) {
                         return event::StartChildren{token, std::move(specs), {}};
                       }).get();
  if (!started) return started.error();
  if (!*started)
    return started->errors().empty() ? Error{ErrorCode::start_failed, "promote"} : started->errors().front();
  return {};
}

}  // namespace processhub
