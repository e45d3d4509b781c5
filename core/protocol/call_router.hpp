// CallRouter: calls and casts by child id, over the core's path. A message goes to the running instance with
// the highest generation; while there is none it waits here, in order and with its deadline. Every call of
// this node ends exactly once.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/protocol/call_retry.hpp"
#include "core/protocol/containers.hpp"
#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/supervisor.hpp"

namespace processhub::protocol {

class CallRouter {
 public:
  CallRouter(Context& context, Registry& registry, Links& links, Membership& membership,
             Supervisor& supervisor);

  /// Every instance answers: take the one on this node, if there is one.
  void prefer_local(bool prefer) { prefer_local_ = prefer; }
  void on(event::CallChild&& call);
  void on(event::CastChild&& cast);
  void on(event::Broadcast&& broadcast);
  void on(event::WorkerAnswer&& answer);
  void on(NodeId from, CallRequest&& request);
  void on(NodeId from, CallReply&& reply);
  /// A call or cast of a client: this node answers for it, whichever node the child is on.
  void on_client(std::uint64_t client, CallRequest&& request);
  /// Messages a worker did not get to. `removed`: the child will not run again.
  void reroute(std::vector<PostedMessage> messages, const std::string& id, bool removed);
  /// Something about this child changed: what waits for it may go now.
  void on_child_changed(const Child& child);
  /// What waits for a child that goes to `to`: sent there at once, as far as the session takes it.
  void forward(const std::string& id, NodeId to);
  void on_session_end(NodeId peer);
  /// It leaves and runs nothing any more, whatever the tables say: it gets no messages from here on.
  void avoid(NodeId peer) { avoided_.insert(peer); }
  void work();
  void tick();
  Time next_deadline() const;
  void fail_all(const Error& error);
  std::size_t open_calls() const { return pending_.size(); }
  /// Messages that wait for a child in transit.
  std::size_t held() const { return held_count_; }

 private:
  /// Calls of clients are numbered from here, out of the way of this node's own.
  static constexpr Token kClientTokens = 1ULL << 63;
  static constexpr Token kFlushTokens = 3ULL << 62;
  /// The calls of one deadline. Those that ended stay in the list until the last of them has: most of a
  /// moment's calls have the same deadline, and none is searched for.
  struct Due {
    std::vector<Token> tokens{};
    std::size_t open = 0;
  };
  using Deadlines = std::map<Time, Due>;
  /// Of a call that may be handled more than once.
  struct Again {
    CallRequest request{};
    CallRetry retry{};
  };
  struct Pending {
    Deadlines::iterator due{};
    NodeId at{};  ///< where the request is; no node: here
    std::string id{};
    std::uint64_t client = 0;        ///< whose call it is; 0: of this node
    std::uint64_t client_token = 0;  ///< what the client calls it
    Time since{};
    std::unique_ptr<Again> again{};  ///< null: one attempt is all
  };
  struct Held {
    CallRequest request{};
    Time until{};

    std::uint64_t bytes() const { return sizeof *this + request.body.size() + request.message.size(); }
  };
  /// Where this node's own messages for a child went last.
  struct Trail {
    NodeId node{};
    Time when{};
  };
  /// A child has moved: until its former node has passed on what came before, new messages wait.
  struct Flush {
    NodeId via{};
    Token token = 0;
    Time until{};  ///< then it is asked again
    Time since{};
  };
  bool serves(const Entry& e) const;
  void tell_every_instance(const Child& child, const CallRequest& request, Time until);
  void route(CallRequest&& request, Time until);
  static std::deque<Held>::const_iterator first_new(const std::deque<Held>& queue);
  bool waits_behind(const CallRequest& request) const;
  void on_swept(Token token);
  bool try_route(CallRequest& request, Time until);
  const Entry* target(const Child& child) const;
  bool starts_here(const Child& child, const Entry& target) const;
  void send(CallRequest& request, NodeId to, Time until);
  void hold(CallRequest&& request, Time until);
  /// Is not held any more; `request` may have been moved from since `bytes` were asked.
  void let_go(std::uint64_t bytes);
  void deliver(CallRequest& request, const LocalChild& local);
  void fail(const CallRequest& request, ErrorCode code, std::string text);
  void open(Token token, Time deadline, const std::string& id);
  void complete(Token token, Result<Bytes>&& result);
  bool goes_on(Token token, Pending& call, const Error& error);
  void send_again();
  void answer_client(const Pending& call, Result<Bytes>&& result);
  std::vector<Token> open_tokens() const;
  void release(const std::string& id);
  bool keeps_order(const Child& child, NodeId to);
  void close_direct_way(const Child& child);
  void open_direct_way(const std::string& id);
  bool sweep(const std::string& id, Flush& flush);
  void sweep_again(std::map<std::string, Flush>::iterator flush);
  void end_flush(std::map<std::string, Flush>::iterator flush);

  Context& ctx_;
  Registry& registry_;
  Links& links_;
  Membership& membership_;
  Supervisor& supervisor_;
  HashMap<Token, Pending> pending_{};
  Deadlines deadlines_{};
  std::multimap<Time, Token> again_{};  ///< calls that are sent again then
  std::map<std::string, std::deque<Held>> held_{};
  std::size_t held_count_ = 0;
  std::uint64_t held_bytes_ = 0;
  Token last_client_token_ = kClientTokens;
  std::vector<Trail> trails_{};             ///< by slot
  std::map<std::string, Flush> flushes_{};  ///< by id
  Token last_flush_ = kFlushTokens;
  std::set<std::string> ready_{};
  std::set<std::string> closed_{};  ///< ids whose direct way is closed
  std::set<NodeId> avoided_{};
  bool prefer_local_ = false;
};

}  // namespace processhub::protocol
