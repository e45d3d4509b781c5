// A client that is no node, without its sockets and threads: which nodes it talks to, which way a child's
// messages take, what is still to be answered. Sans-IO: frames and requests in, what to do through the port.
// Every request ends once: with its answer, at its deadline, or with its connection.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protocol/call_retry.hpp"
#include "core/protocol/client_session.hpp"

namespace processhub::detail {
class CallSink;
}

namespace processhub::protocol {

using ClientAnswer = std::shared_ptr<processhub::detail::CallSink>;

struct ClientRequest {
  enum class Kind : std::uint8_t { call, cast, admin, subscribe };
  Kind kind = Kind::call;
  std::string child{};  ///< empty: any node will do
  std::string name{};   ///< of the message, or the verb
  Bytes body{};
  bool named = false;
  Time deadline{};
  ClientAnswer answer{};             ///< none for a cast
  TracePtr trace{};                  ///< mostly none
  std::optional<CallRetry> retry{};  ///< of a call that may be handled more than once
};

/// A node of the cluster, as a client sees it.
struct ClientMember {
  std::string endpoint{};
  bool stays = false;  ///< neither leaving nor gone
};

/// What a client needs of its surroundings.
class ClientPort {
 public:
  using LinkId = std::uint64_t;
  virtual ~ClientPort() = default;
  virtual Result<void> connect(LinkId link, const std::string& endpoint) = 0;
  virtual void disconnect(LinkId link) = 0;
  /// One that is not taken now is sent again by the session.
  virtual void send(LinkId link, const Bytes& frame) = 0;
  virtual std::uint64_t fresh_nonce() = 0;
  /// Reads a node's answer to "nodes"; nothing: it is one of another version.
  virtual std::optional<std::map<NodeId, ClientMember>> read_members(const Bytes& answer) = 0;
  virtual void finish(const ClientAnswer& answer, Result<Bytes> result) = 0;
  /// The node that is asked for what any node can do; none: nobody answers. `failure`: why, at last.
  virtual void on_gateway(NodeId gateway, const std::string& failure) = 0;
  /// What is subscribed to, encoded; nothing: nothing at all.
  virtual std::optional<Bytes> patterns() = 0;
  virtual void on_news(TopicNews news) = 0;
};

class ClientCore {
 public:
  using LinkId = ClientPort::LinkId;
  /// `nodes`: addresses to begin with. `self` must be fresh.
  ClientCore(NodeId self, std::vector<std::string> nodes, ClientPort& port);

  NodeId self() const { return self_; }
  void turn(Time now, std::deque<ClientRequest> fresh);
  void on_frame(Time now, LinkId link, std::string_view frame);
  void on_down(Time now, LinkId link, const std::string& why);
  Time next_deadline() const;
  /// Requests without an answer.
  std::size_t open_requests() const;
  /// Every request ends, and the nodes are told goodbye.
  void close(Time now, std::deque<ClientRequest> unsent);

 private:
  struct Link {
    std::string endpoint{};
    ClientSession session;
    Time give_up{};         ///< if it is not open by then
    bool retiring = false;  ///< its node is on its way out: nothing new goes there
  };
  /// A child's way: the link its messages take. Before they take another one the old way is swept: a question
  /// that is answered where the child is, behind all that was sent before. Until then new messages wait.
  struct Way {
    LinkId link = 0;
    std::uint64_t last = 0;      ///< number of the newest message
    std::uint64_t answered = 0;  ///< number of the newest one that the child has answered
    std::uint64_t sweep = 0;     ///< number of the open question
    LinkId next = 0;             ///< what it takes then; 0: any
    Time since{};                ///< when the first question was put
    std::deque<ClientRequest> held{};
  };
  struct Open {
    LinkId link = 0;
    Time deadline{};
    std::string child{};
    std::uint64_t number = 0;
    ClientAnswer answer{};
    bool sweep = false;
    std::unique_ptr<ClientRequest> again{};  ///< to be sent if this ends badly
  };

  void route(ClientRequest request);
  void send(LinkId id, Link& link, ClientRequest request);
  LinkId way_of(const std::string& child);
  bool open_session(LinkId id) const;
  void sweep(const std::string& child, Way& way, LinkId next);
  void sweep_again(const std::string& child, std::uint64_t number);
  void end_sweep(const std::string& child, std::uint64_t number);
  void expire_held();
  void retire(LinkId id);
  bool usable(LinkId id) const;
  LinkId any_usable() const;
  void choose_gateway();
  void keep_connected();
  void connect(const std::string& endpoint);
  void try_next();
  bool linked(const std::string& endpoint) const;
  void ask_for_members();
  void on_members(const Bytes& body);
  void retire_links();
  void take_replies(LinkId id);
  void on_call_reply(LinkId id, CallReply reply);
  void on_admin_reply(AdminReply reply);
  void follow(LinkId from, const Open& call, NodeId at);
  void drop(LinkId id, const Error& why);
  void subscribe_at_gateway();
  void flush();
  void expire();
  void finish(const ClientAnswer& answer, Result<Bytes> result);
  /// A call ended so, or could not be sent: it is over, or sent again.
  void fail(Open& call, Error error);
  void fail(ClientRequest request, Error error);
  void tell_gateway();

  const NodeId self_;
  const std::vector<std::string> nodes_;
  ClientPort& port_;
  Time now_{};
  std::map<LinkId, Link> links_{};
  LinkId last_link_ = 0;
  LinkId gateway_ = 0;
  std::string last_failure_{};
  std::vector<std::string> candidates_{};  ///< the first addresses, then those learnt
  std::size_t next_candidate_ = 0;
  Time next_try_{};
  std::map<NodeId, ClientMember> members_{};
  std::uint64_t members_request_ = 0;  ///< the open one
  Time members_due_{};
  std::map<std::string, Time> not_before_{};  ///< addresses that were out of reach
  std::map<std::string, Way> ways_{};
  std::set<std::string> sweeping_{};  ///< children whose messages wait
  Time held_due_ = kNever;            ///< the first deadline of those
  std::map<std::uint64_t, Open> open_{};
  std::set<std::pair<Time, std::uint64_t>> deadlines_{};
  std::deque<ClientRequest> waiting_{};
  std::multimap<Time, ClientRequest> later_{};  ///< calls that are sent again then
  std::uint64_t last_number_ = 0;
  std::uint64_t subscribing_ = 0;  ///< number of the request that brings the subscriptions to a new gateway
};

}  // namespace processhub::protocol
