// Client's members: each makes a request of its arguments and gives it to the engine.
#include "processhub/client.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/topic_messages.hpp"
#include "core/runtime/clock.hpp"
#include "processhub/message.hpp"
#include "transport/assembly/client_engine.hpp"
#include "transport/assembly/client_json.hpp"
#include "transport/zmq/tcp_address.hpp"

namespace processhub {

using assembly::AdminCall;
using assembly::ClientEngine;
using assembly::ClientRequest;
using assembly::Json;

namespace {

// The node gives up a start or stop at its timeout and says so; its answer needs a moment to get here.
constexpr std::chrono::milliseconds kAnswerOnItsWay{500};
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24);

Time deadline_in(std::chrono::milliseconds time) {
  return runtime::boot_now() + std::clamp(time, std::chrono::milliseconds(0), kLongestWait);
}

template <class T>
Future<T> failed(Error error) {
  return Future<T>(Result<T>(std::move(error)));
}

}  // namespace

class Client::Impl {
 public:
  Impl(ClientConfig config, std::unique_ptr<ClientPoller> poller)
      : engine_(std::move(config), std::move(poller)) {}

  ClientEngine& engine() { return engine_; }

  void submit(ClientRequest request) {
    const auto answer = request.answer;
    if (auto taken = engine_.submit(std::move(request)); !taken) {
      Result<Bytes> refused = taken.error();
      answer->finish(refused, true);
    }
  }

  template <class T>
  Future<T> ask(std::string_view verb, Bytes arguments, std::chrono::milliseconds timeout,
                Result<T> (*read)(std::string_view)) {
    const auto answered = std::make_shared<AdminCall<T>>(read);
    submit({ClientRequest::Kind::admin,
            {},
            std::string(verb),
            std::move(arguments),
            false,
            deadline_in(timeout),
            answered});
    return Future<T>(answered);
  }
  template <class T>
  Future<T> ask(std::string_view verb, const Json& arguments, std::chrono::milliseconds timeout,
                Result<T> (*read)(std::string_view)) {
    return ask(verb, runtime::bytes_of(arguments), timeout, read);
  }
  Future<void> subscribe(std::chrono::milliseconds timeout) {
    const auto answered = std::make_shared<AdminCall<void>>(assembly::read_nothing);
    submit({ClientRequest::Kind::subscribe, {}, {}, {}, false, deadline_in(timeout), answered});
    return Future<void>(answered);
  }
  Future<StopResult> stop(const char* what, Json value, const StopOptions& options) {
    return ask<StopResult>("stop", Json{{what, std::move(value)}, {"timeout_ms", options.timeout.count()}},
                           options.timeout + kAnswerOnItsWay, assembly::read_stop);
  }

 private:
  ClientEngine engine_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(ClientConfig config) {
  if (config.nodes.empty()) return {ErrorCode::invalid, "nodes: name at least one address"};
  for (const auto& endpoint : config.nodes) {
    if (auto address = zmq_detail::parse_peer_address(endpoint); !address)
      return {ErrorCode::invalid, "nodes: " + address.error().message};
  }
  auto options = client_options(config.security);
  if (!options) return options.error();
  options->max_frame_size = 1ULL << 30;  // an answer about all children of a large cluster
  auto poller = ClientPoller::make(*options);
  if (!poller) return poller.error();
  const auto timeout = config.connect_timeout;
  try {
    Client client(std::make_unique<Impl>(std::move(config), std::move(*poller)));
    if (auto connected = client.impl_->engine().wait_connected(timeout); !connected) return connected.error();
    return client;
  } catch (const std::exception& e) {  // no thread left
    return {ErrorCode::system, std::string("the client cannot start: ") + e.what()};
  }
}

void Client::call_then(std::string_view id, std::string_view message, Bytes body, const CallOptions& options,
                       bool named, std::shared_ptr<detail::CallSink> answered) {
  const TraceScope scope(options.trace ? options.trace : present_trace());
  ClientRequest request{ClientRequest::Kind::call, std::string(id), std::string(message),
                        std::move(body),           named,           deadline_in(options.timeout),
                        std::move(answered)};
  if (options.retry) request.retry.emplace();
  impl_->submit(std::move(request));
}

Future<Bytes> Client::call_raw(std::string_view id, std::string_view message, Bytes body, ms timeout,
                               bool named) {
  const auto answered = std::make_shared<runtime::RawCall>();
  call_then(id, message, std::move(body), CallOptions{timeout}, named, answered);
  return Future<Bytes>(answered);
}

Result<void> Client::cast_raw(std::string_view id, std::string_view message, Bytes body) {
  return impl_->engine().submit({ClientRequest::Kind::cast, std::string(id), std::string(message),
                                 std::move(body), false, deadline_in(kPatience), nullptr});
}

Result<void> Client::publish_raw(std::string_view topic, std::string_view message, Bytes body,
                                 PublishOptions options) {
  if (auto good = check_publication(topic, body); !good) return good;
  const protocol::PublishArgs args{std::string(topic), std::string(message), std::move(body),
                                   options.reliable};
  return impl_->engine().submit(
      {ClientRequest::Kind::admin, {}, "publish", encode(args), false, deadline_in(kPatience), nullptr});
}

Result<SubscriptionId> Client::subscribe(std::string_view pattern, TopicHandler handler, ms timeout) {
  if (auto good = check_topic_pattern(pattern); !good) return good.error();
  if (!handler) return {ErrorCode::invalid, "subscribe: a handler is needed"};
  const auto id = impl_->engine().add_subscription(std::string(pattern), std::move(handler));
  const auto confirmed = impl_->subscribe(timeout).get();
  if (confirmed) return id;
  unsubscribe(id);
  return confirmed.error();
}

void Client::unsubscribe(SubscriptionId subscription) {
  impl_->engine().remove_subscription(subscription);
  [[maybe_unused]] const auto asked = impl_->subscribe(kPatience);  // else its news come for nothing
}

Future<StartResult> Client::start_children(std::vector<ChildSpec> specs, StartOptions options) {
  for (auto& spec : specs) {
    apply(options, spec);
    if (auto valid = validate(spec); !valid) return failed<StartResult>(valid.error());
  }
  auto json = assembly::json_of_specs(specs);
  if (!json) return failed<StartResult>(json.error());
  const Json arguments{{"specs", std::move(*json)},
                       {"timeout_ms", options.timeout.count()},
                       {"check_existing", options.check_existing},
                       {"rollback", options.on_failure == OnFailure::rollback}};
  return impl_->ask<StartResult>("start", arguments, options.timeout + kAnswerOnItsWay, assembly::read_start);
}
Future<StartResult> Client::start_child(ChildSpec spec, StartOptions options) {
  std::vector<ChildSpec> specs;
  specs.push_back(std::move(spec));
  return start_children(std::move(specs), std::move(options));
}
Future<StopResult> Client::stop_children(std::vector<std::string> ids, StopOptions options) {
  return impl_->stop("ids", std::move(ids), options);
}
Future<StopResult> Client::stop_child(std::string id, StopOptions options) {
  return stop_children({std::move(id)}, options);
}
Future<StopResult> Client::stop_by_prefix(std::string prefix, StopOptions options) {
  return impl_->stop("prefix", std::move(prefix), options);
}
Future<StopResult> Client::stop_by_tag(std::string tag, StopOptions options) {
  return impl_->stop("tag", std::move(tag), options);
}
Future<void> Client::migrate(std::string id, std::string node, ms timeout) {
  return impl_->ask<void>(
      "migrate", Json{{"id", std::move(id)}, {"node", std::move(node)}, {"timeout_ms", timeout.count()}},
      timeout + kAnswerOnItsWay, assembly::read_nothing);
}
Future<void> Client::update_metadata(std::string id, const Metadata& metadata, ms timeout) {
  return impl_->ask<void>("metadata", Json{{"id", std::move(id)}, {"set", metadata}}, timeout,
                          assembly::read_nothing);
}

Future<ChildInfo> Client::lookup(std::string_view id, ms timeout) {
  return impl_->ask<ChildInfo>("lookup", Json{{"id", std::string(id)}}, timeout, assembly::read_child);
}
Future<std::vector<ChildInfo>> Client::list(ms timeout) {
  return impl_->ask<std::vector<ChildInfo>>("list", Json::object(), timeout, assembly::read_children);
}
Future<std::vector<ChildInfo>> Client::by_tag(std::string_view tag, ms timeout) {
  return impl_->ask<std::vector<ChildInfo>>("tag", Json{{"tag", std::string(tag)}}, timeout,
                                            assembly::read_children);
}
Future<std::vector<NodeInfo>> Client::nodes(bool include_down, ms timeout) {
  return impl_->ask<std::vector<NodeInfo>>("nodes", Json{{"all", include_down}}, timeout,
                                           assembly::read_nodes);
}
Future<Bytes> Client::ask(std::string_view verb, Bytes arguments, ms timeout) {
  return impl_->ask<Bytes>(verb, std::move(arguments), timeout, assembly::read_bytes);
}

NodeId Client::node() const { return impl_->engine().node(); }
void Client::close() { impl_->engine().close(); }

}  // namespace processhub
