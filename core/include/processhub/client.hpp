// Client: talks to a cluster from a program that is no node: it starts no worker and owns no child. It keeps
// a connection to one of the configured nodes, goes to another when that one dies or leaves, and asks the
// node that runs a child directly once an answer has told where that is; any node passes on what is not its
// own.
//
// Threads: all members may be called from any thread. One thread of the client carries everything, a second
// one runs callbacks of futures; neither ever runs in the caller. Movable; the destructor ends what is open.
// Errors: every request ends once, no later than its deadline. `delivered(code)` tells what is known of the
// message. A request that no node could be found for in time ends `refused` and was not sent; one that was
// under way when its connection ended ends `node_down` or `unknown`. Nothing is ever sent twice.
// Order: what one thread sends to one child arrives in that order, unless a connection breaks. A node that
// leaves waits until its clients have gone to another one: no call fails, nothing is lost.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/future.hpp"
#include "processhub/hub.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/topic.hpp"
#include "processhub/trace.hpp"

namespace processhub {

struct ClientConfig {
  std::vector<std::string> nodes{};  ///< tcp://host:port of some; the others are learnt from them
  /// secret_key_file: this client's pair; server_key_file: the public key that nodes present.
  SecurityConfig security{};
  std::chrono::milliseconds connect_timeout{5'000};  ///< how long connect() looks for the first node
  std::size_t max_waiting = 100'000;  ///< requests without an answer; more are refused with `overloaded`
};

class PROCESSHUB_API Client {
 public:
  using ms = std::chrono::milliseconds;
  static constexpr ms kPatience{5'000};

  /// Returns when a node has answered. Errors: invalid (an address, a key file), node_down (nobody answered).
  static Result<Client> connect(ClientConfig config);

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  template <class R, class M>
  Future<R> call(std::string_view id, const M& message, ms timeout = kPatience) {
    return call<R>(id, message, CallOptions{timeout});
  }
  template <class R, class M>
  Future<R> call(std::string_view id, const M& message, const CallOptions& options) {
    const auto answered = std::make_shared<detail::TypedCall<R>>();
    call_then(id, message_name<M>(), encode(message), options, false, answered);
    return Future<R>(answered);
  }
  template <class M>
  Result<void> cast(std::string_view id, const M& message) {
    return cast_raw(id, message_name<M>(), encode(message));
  }
  /// To all subscribers of a matching pattern; see topic.hpp. It is on its way to a node when this returns,
  /// and may be lost with the connection. Errors: invalid (the name, a body over kMaxTopicBody), overloaded,
  /// stopped.
  template <class M>
  Result<void> publish(std::string_view topic, const M& message, PublishOptions options = {}) {
    return publish_raw(topic, message_name<M>(), encode(message), options);
  }
  Result<void> publish_raw(std::string_view topic, std::string_view message, Bytes body,
                           PublishOptions options = {});
  /// Returns when a node has confirmed it: what is published from then on is delivered. The handler runs on
  /// the callback thread, in order. The subscription goes along to another node; what is published until it
  /// is there shows as `missed`, as does what comes while 100,000 wait for handlers. Errors: invalid (the
  /// pattern), refused, timeout, stopped; then there is no subscription.
  using TopicHandler = std::function<void(const TopicMessage&)>;
  Result<SubscriptionId> subscribe(std::string_view pattern, TopicHandler handler, ms timeout = kPatience);
  void unsubscribe(SubscriptionId subscription);

  /// `named`: the answer carries field names (a msgpack map).
  Future<Bytes> call_raw(std::string_view id, std::string_view message, Bytes body, ms timeout = kPatience,
                         bool named = false);
  /// Errors: overloaded (nothing was sent), stopped. A message that finds no child is the cluster's dead
  /// letter.
  Result<void> cast_raw(std::string_view id, std::string_view message, Bytes body);

  Future<StartResult> start_children(std::vector<ChildSpec> specs, StartOptions options = {});
  Future<StartResult> start_child(ChildSpec spec, StartOptions options = {});
  Future<StopResult> stop_children(std::vector<std::string> ids, StopOptions options = {});
  Future<StopResult> stop_child(std::string id, StopOptions options = {});
  Future<StopResult> stop_by_prefix(std::string prefix, StopOptions options = {});
  Future<StopResult> stop_by_tag(std::string tag, StopOptions options = {});
  Future<void> migrate(std::string id, std::string node, ms timeout = ms(10'000));
  Future<void> update_metadata(std::string id, const Metadata& metadata, ms timeout = kPatience);

  /// With spec and metadata; no_such_child if there is none.
  Future<ChildInfo> lookup(std::string_view id, ms timeout = kPatience);
  /// Sorted by id; without arguments and metadata of the children.
  Future<std::vector<ChildInfo>> list(ms timeout = kPatience);
  Future<std::vector<ChildInfo>> by_tag(std::string_view tag, ms timeout = kPatience);
  Future<std::vector<NodeInfo>> nodes(bool include_down = false, ms timeout = kPatience);
  /// Any request of hubctl: a verb, its arguments as a msgpack map, the msgpack answer (docs/wire.md).
  Future<Bytes> ask(std::string_view verb, Bytes arguments, ms timeout = kPatience);

  /// The node that is asked when nothing better is known; none while there is no connection.
  NodeId node() const;
  /// Ends the client: what is open ends `unknown`, later requests `stopped`.
  void close();

  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);

 private:
  void call_then(std::string_view id, std::string_view message, Bytes body, const CallOptions& options,
                 bool named, std::shared_ptr<detail::CallSink> answered);
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub
