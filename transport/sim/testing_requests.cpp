// testing::Cluster: what a program asks of a Hub, asked of a simulated node.
#include <utility>

#include "transport/sim/testing_impl.hpp"

namespace processhub::testing {
namespace {

using sim::Operation;

Error node_lost() { return {ErrorCode::node_down, "the node ended before it answered"}; }

/// What becomes of an answered operation: its error, or what `keep` takes out of it.
template <class T, class Keep>
std::function<void(const Operation*)> into(std::shared_ptr<std::optional<Result<T>>> answer, Keep keep) {
  return [answer = std::move(answer), keep](const Operation* op) {
    if (op == nullptr) {
      answer->emplace(node_lost());
    } else if (op->error) {
      answer->emplace(*op->error);
    } else {
      answer->emplace(keep(*op));
    }
  };
}

Result<void> without_value(const Result<bool>& result) {
  return result ? Result<void>() : Result<void>(result.error());
}

bool done(const Operation&) { return true; }

}  // namespace

Pending<StartResult> Cluster::begin_start(std::string_view node, std::vector<ChildSpec> specs,
                                          StartOptions options) {
  Pending<StartResult> pending;
  if (auto why = impl_->cannot_ask(node)) {
    pending.answer_->emplace(std::move(*why));
  } else {
    const auto& op = impl_->cluster.start(node, std::move(specs), std::move(options));
    impl_->expect(op, into(pending.answer_, [](const Operation& o) { return o.started; }));
  }
  return pending;
}

Result<StartResult> Cluster::start(std::string_view node, std::vector<ChildSpec> specs,
                                   StartOptions options) {
  const auto timeout = options.timeout;
  const auto pending = begin_start(node, std::move(specs), std::move(options));
  wait([&pending] { return pending.ready(); }, timeout);
  return pending.ready() ? pending.result() : Result<StartResult>(unanswered("start", node));
}

Pending<StopResult> Cluster::begin_stop(std::string_view node, std::vector<std::string> ids,
                                        StopOptions options) {
  Pending<StopResult> pending;
  if (auto why = impl_->cannot_ask(node)) {
    pending.answer_->emplace(std::move(*why));
  } else {
    const auto& op = impl_->cluster.stop(node, protocol::event::Select::ids, std::move(ids), options);
    impl_->expect(op, into(pending.answer_, [](const Operation& o) { return o.stopped; }));
  }
  return pending;
}

Result<StopResult> Cluster::stop(std::string_view node, std::vector<std::string> ids, StopOptions options) {
  const auto pending = begin_stop(node, std::move(ids), options);
  wait([&pending] { return pending.ready(); }, options.timeout);
  return pending.ready() ? pending.result() : Result<StopResult>(unanswered("stop", node));
}

Result<void> Cluster::update_metadata(std::string_view node, const std::string& id, Metadata metadata) {
  if (auto why = impl_->cannot_ask(node)) return *why;
  Pending<bool> pending;
  impl_->expect(impl_->cluster.metadata(node, id, std::move(metadata)), into(pending.answer_, done));
  wait([&pending] { return pending.ready(); }, sim::SafetyChecks::kUntimedLimit);
  return pending.ready() ? without_value(pending.result()) : unanswered("update_metadata", node);
}

Result<void> Cluster::restart_child(std::string_view node, const std::string& id) {
  if (auto why = impl_->cannot_ask(node)) return *why;
  Pending<bool> pending;
  impl_->expect(impl_->cluster.restart_child(node, id), into(pending.answer_, done));
  wait([&pending] { return pending.ready(); }, sim::SafetyChecks::kUntimedLimit);
  return pending.ready() ? without_value(pending.result()) : unanswered("restart_child", node);
}

Result<void> Cluster::migrate(std::string_view node, const std::string& id, const std::string& target) {
  if (auto why = impl_->cannot_ask(node)) return *why;
  Pending<bool> pending;
  const auto& operation = impl_->cluster.migrate(node, id, target);
  impl_->expect(operation, into(pending.answer_, done));
  wait([&pending] { return pending.ready(); }, std::chrono::milliseconds(10'000));
  return pending.ready() ? without_value(pending.result()) : unanswered("migrate", node);
}

Pending<bool> Cluster::begin_leave(std::string_view node) {
  Pending<bool> pending;
  if (auto why = impl_->cannot_ask(node)) {
    pending.answer_->emplace(std::move(*why));
  } else {
    impl_->expect(impl_->cluster.leave(node), into(pending.answer_, done));
  }
  return pending;
}

Result<void> Cluster::leave(std::string_view node) {
  const auto pending = begin_leave(node);
  // The last words are said when the request has been answered.
  wait([&] { return pending.ready() && !runs(node); },
       impl_->node(node).config().drain_timeout + sim::SafetyChecks::kFarewell);
  return pending.ready() ? without_value(pending.result()) : unanswered("leave", node);
}

void Cluster::begin_call_raw(std::string_view node, std::string_view id, std::string_view message, Bytes body,
                             std::chrono::milliseconds timeout, Answer answer) {
  if (auto why = impl_->cannot_ask(node)) return answer(*why);
  const auto& op = impl_->cluster.call(node, std::string(id), std::string(message), std::move(body), timeout);
  impl_->expect(op, [answer = std::move(answer)](const Operation* answered) {
    if (answered == nullptr) return answer(node_lost());
    if (answered->error) return answer(*answered->error);
    answer(answered->answer);
  });
}

Result<Bytes> Cluster::call_raw(std::string_view node, std::string_view id, std::string_view message,
                                Bytes body, std::chrono::milliseconds timeout) {
  Pending<Bytes> pending;
  begin_call_raw(node, id, message, std::move(body), timeout,
                 [to = pending.answer_](Result<Bytes> answer) { to->emplace(std::move(answer)); });
  wait([&pending] { return pending.ready(); }, timeout);
  return pending.ready() ? pending.result() : Result<Bytes>(unanswered("call", node));
}

Result<void> Cluster::cast_raw(std::string_view node, std::string_view id, std::string_view message,
                               Bytes body) {
  if (auto why = impl_->cannot_ask(node)) return *why;
  impl_->cluster.cast(node, std::string(id), std::string(message), std::move(body));
  return {};
}

Result<void> Cluster::broadcast_raw(std::string_view node, std::string_view tag, std::string_view message,
                                    Bytes body) {
  if (auto why = impl_->cannot_ask(node)) return *why;
  impl_->cluster.broadcast(node, std::string(tag), std::string(message), std::move(body));
  return {};
}

}  // namespace processhub::testing
