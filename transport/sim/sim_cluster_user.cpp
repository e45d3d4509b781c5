// The user's side of the simulated cluster: every operation becomes an event at a node and is remembered with
// its answer.
#include <algorithm>

#include <fmt/format.h>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

using namespace protocol;

namespace {

/// The worker that messages to this child go to, as the node sees it.
std::optional<WorkerRef> listed_worker(const SimNode& node, const std::string& id) {
  const auto found = node.registry().find(id);
  if (found == node.registry().end() || found->second->instances.size() != 1) return {};
  const auto& instance = found->second->instances.front();
  if (instance.state != InstanceState::running) return {};
  return instance.ref;
}

bool is_durable(const ChildSpec& spec) {
  return spec.restart == Restart::permanent && spec.type != "broken" && spec.type != "finisher";
}

}  // namespace

std::string_view to_string(OpKind kind) {
  switch (kind) {
    case OpKind::start:
      return "start";
    case OpKind::stop:
      return "stop";
    case OpKind::metadata:
      return "metadata";
    case OpKind::restart:
      return "restart";
    case OpKind::migrate:
      return "migrate";
    case OpKind::call:
      return "call";
    case OpKind::cast:
      return "cast";
    case OpKind::broadcast:
      return "broadcast";
    case OpKind::lock:
      return "lock";
    case OpKind::unlock:
      return "unlock";
    case OpKind::dispatch:
      return "dispatch";
    case OpKind::reset_size:
      return "reset_size";
    case OpKind::operate:
      return "operate";
    case OpKind::leave:
      return "leave";
  }
  return "?";
}

bool Operation::touches(const std::string& id) const {
  if (kind != OpKind::start && kind != OpKind::stop) return false;
  switch (select) {
    case event::Select::ids:
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    case event::Select::prefix:
      return std::any_of(ids.begin(), ids.end(),
                         [&id](const std::string& prefix) { return id.starts_with(prefix); });
    case event::Select::tag:
      return true;  // which children had the tag is not remembered
  }
  return true;
}

Operation& SimCluster::new_operation(std::string_view name, OpKind kind, std::vector<std::string> ids,
                                     Duration timeout, bool answered) {
  const auto& target = node(name);
  auto& operation = operations_.emplace_back();
  operation.number = operations_.size();
  operation.kind = kind;
  operation.node = target.id();
  operation.ids = std::move(ids);
  operation.issued = now();
  operation.timeout = timeout;
  operation.paused_before = target.paused_for();
  operation.node_lost = !target.running();
  if (answered) {
    operation.token = ++last_token_;
    tokens_[{operation.node, operation.token}] = operations_.size() - 1;
  }
  return operation;
}

const Operation& SimCluster::start(std::string_view name, std::vector<ChildSpec> specs,
                                   StartOptions options) {
  std::vector<std::string> ids;
  for (const auto& spec : specs) ids.push_back(spec.id);
  auto& operation = new_operation(name, OpKind::start, std::move(ids), options.timeout, true);
  for (const auto& spec : specs) {
    if (is_durable(spec)) operation.durable.insert(spec.id);
  }
  node(name).submit(event::StartChildren{operation.token, std::move(specs), std::move(options)});
  return operation;
}

const Operation& SimCluster::stop(std::string_view name, event::Select select,
                                  std::vector<std::string> values, StopOptions options) {
  auto& operation = new_operation(name, OpKind::stop, values, options.timeout, true);
  operation.select = select;
  node(name).submit(event::StopChildren{operation.token, select, std::move(values), options});
  return operation;
}

const Operation& SimCluster::metadata(std::string_view name, const std::string& id, Metadata metadata) {
  auto& operation = new_operation(name, OpKind::metadata, {id}, {}, true);
  node(name).submit(event::UpdateMetadata{operation.token, id, std::move(metadata)});
  return operation;
}

const Operation& SimCluster::restart_child(std::string_view name, const std::string& id) {
  auto& operation = new_operation(name, OpKind::restart, {id}, {}, true);
  node(name).submit(event::RestartChild{operation.token, id});
  return operation;
}

const Operation& SimCluster::migrate(std::string_view name, const std::string& id, const std::string& target,
                                     Duration timeout) {
  auto& operation = new_operation(name, OpKind::migrate, {id}, timeout, true);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  node(name).submit(event::MigrateChild{operation.token, id, target, ms});
  return operation;
}

Operation& SimCluster::new_message(std::string_view from, OpKind kind, const std::string& id,
                                   Duration timeout, const Bytes& body) {
  const auto client = clients_.find(from);
  if (client != clients_.end()) {
    auto& operation = operations_.emplace_back();
    operation.number = operations_.size();
    operation.kind = kind;
    operation.node = client->second->id();
    operation.ids = {id};
    operation.issued = now();
    operation.timeout = timeout;
    operation.message = message_number(body);
    if (kind == OpKind::call) operation.token = ++last_token_;
    return operation;
  }
  auto& operation = new_operation(from, kind, {id}, timeout, kind == OpKind::call);
  operation.message = message_number(body);
  operation.known = node(from).registry().contains(id);
  operation.listed = listed_worker(node(from), id);
  return operation;
}

const Operation& SimCluster::call(std::string_view name, const std::string& id, const std::string& message,
                                  Bytes body, Duration timeout, bool retry) {
  auto& operation = new_message(name, OpKind::call, id, timeout, body);
  if (const auto client = clients_.find(name); client != clients_.end()) {
    client->second->call(
        id, message, std::move(body), timeout, retry,
        [this, number = operation.number](const Result<Bytes>& result) { client_answered(number, result); });
    return operation;
  }
  event::CallChild call;
  call.token = operation.token;
  call.id = id;
  call.message = message;
  call.body = std::move(body);
  call.timeout = timeout;
  call.retry = retry;
  node(name).submit(std::move(call));
  return operation;
}

void SimCluster::client_answered(std::size_t number, const Result<Bytes>& result) {
  auto& operation = operations_[number - 1];
  if (++operation.completions > 1)
    return report("I6", fmt::format("call #{} of {} was answered {} times", number, operation.node.str(),
                                    operation.completions));
  operation.completed = now();
  if (result)
    operation.answer = *result;
  else
    operation.error = result.error();
  for (auto* observer : observers_) observer->on_completed(operation);
}

const Operation& SimCluster::cast(std::string_view name, const std::string& id, const std::string& message,
                                  Bytes body) {
  auto& operation = new_message(name, OpKind::cast, id, {}, body);
  if (const auto client = clients_.find(name); client != clients_.end()) {
    client->second->cast(id, message, std::move(body));
    return operation;
  }
  event::CastChild cast;
  cast.id = id;
  cast.message = message;
  cast.body = std::move(body);
  node(name).cast(std::move(cast));
  return operation;
}

const Operation& SimCluster::broadcast(std::string_view name, const std::string& tag,
                                       const std::string& message, Bytes body) {
  auto& operation = new_operation(name, OpKind::broadcast, {tag}, {}, false);
  node(name).submit(event::Broadcast{tag, message, std::move(body)});
  return operation;
}

const Operation& SimCluster::lock(std::string_view name, const std::string& reason, int level) {
  auto& operation = new_operation(name, OpKind::lock, {}, {}, true);
  node(name).submit(event::LockQueue{operation.token, reason, level});
  return operation;
}

const Operation& SimCluster::unlock(std::string_view name, std::uint64_t lock) {
  auto& operation = new_operation(name, OpKind::unlock, {}, {}, true);
  node(name).submit(event::UnlockQueue{operation.token, lock});
  return operation;
}

const Operation& SimCluster::dispatch(std::string_view name, const std::string& event_name, Bytes body,
                                      Scope scope) {
  auto& operation = new_operation(name, OpKind::dispatch, {event_name}, {}, false);
  event::DispatchEvent dispatch;
  dispatch.name = event_name;
  dispatch.body = std::move(body);
  dispatch.scope = scope;
  node(name).submit(std::move(dispatch));
  return operation;
}

const Operation& SimCluster::reset_size(std::string_view name) {
  auto& operation = new_operation(name, OpKind::reset_size, {}, {}, true);
  node(name).submit(event::ResetClusterSize{operation.token});
  return operation;
}

const Operation& SimCluster::operate(std::string_view name, event::Operation what) {
  auto& operation = new_operation(name, OpKind::operate, {}, {}, true);
  node(name).submit(event::Operate{operation.token, what});
  return operation;
}

const Operation& SimCluster::leave(std::string_view name) {
  note("leave " + std::string(name));
  auto& target = node(name);
  auto& operation = new_operation(name, OpKind::leave, {}, target.config().drain_timeout, true);
  target.submit(event::LeaveCluster{operation.token});
  return operation;
}

}  // namespace processhub::sim
