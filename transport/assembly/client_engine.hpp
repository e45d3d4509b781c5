// What a Client's thread does: connections to nodes, requests over them, answers back. Every request ends
// once: with its answer, at its deadline, or with its connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "core/protocol/client_session.hpp"
#include "core/runtime/callback_pool.hpp"
#include "core/runtime/open_answers.hpp"
#include "processhub/client.hpp"
#include "transport/zmq/client_poller.hpp"

namespace processhub::assembly {

struct ClientRequest {
  enum class Kind : std::uint8_t { call, cast, admin, subscribe };
  Kind kind = Kind::call;
  std::string child{};  ///< empty: any node will do
  std::string name{};   ///< of the message, or the verb
  Bytes body{};
  bool named = false;
  Time deadline{};
  runtime::CallAnswer answer{};  ///< none for a cast
};

class ClientEngine {
 public:
  ClientEngine(ClientConfig config, std::unique_ptr<ClientPoller> poller);
  ~ClientEngine();  ///< close()
  ClientEngine(const ClientEngine&) = delete;
  ClientEngine& operator=(const ClientEngine&) = delete;

  /// Any thread. An error: the request was not taken, and its answer is not touched.
  Result<void> submit(ClientRequest request);
  /// Takes effect with the next request of kind `subscribe`. Any thread.
  SubscriptionId add_subscription(std::string pattern, Client::TopicHandler handler);
  void remove_subscription(SubscriptionId id);
  Result<void> wait_connected(std::chrono::milliseconds timeout);
  NodeId node() const;
  void close();

 private:
  using LinkId = ClientPoller::LinkId;
  struct Link {
    std::string endpoint{};
    protocol::ClientSession session;
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
    std::deque<ClientRequest> held{};
  };
  struct Open {
    LinkId link = 0;
    Time deadline{};
    std::string child{};
    std::uint64_t number = 0;
    runtime::CallAnswer answer{};
    bool sweep = false;
  };
  struct Subscription {
    std::string pattern{};
    std::shared_ptr<const Client::TopicHandler> handler{};
    std::uint64_t dropped = 0;  ///< before the next one
  };
  struct Member {
    std::string endpoint{};
    bool stays = false;  ///< neither leaving nor gone
  };

  void run();
  void turn(Time now);
  void take_submitted();
  void route(ClientRequest request);
  void send(LinkId id, Link& link, ClientRequest request);
  LinkId way_of(const std::string& child);
  bool open_session(LinkId id) const;
  void sweep(const std::string& child, Way& way, LinkId next);
  void end_sweep(const std::string& child, std::uint64_t number);
  void expire_held();
  void retire(LinkId id);
  bool usable(LinkId id) const;
  LinkId any_usable() const;
  void choose_gateway();
  void keep_connected(Time now);
  void connect(const std::string& endpoint, Time now);
  void try_next(Time now);
  bool linked(const std::string& endpoint) const;
  void ask_for_members(Time now);
  void on_members(const Bytes& body);
  void retire_links();
  void on_event(Time now, ClientPoller::Event& event);
  void take_replies(LinkId id);
  void on_call_reply(LinkId id, protocol::CallReply reply);
  void on_admin_reply(protocol::AdminReply reply);
  void follow(LinkId from, const Open& call, NodeId at);
  void drop(LinkId id, const Error& why);
  Bytes patterns() const;
  void subscribe_at_gateway();
  void on_news(protocol::TopicNews news);
  void hand_out(std::shared_ptr<TopicMessage> message);
  void flush(Time now);
  void expire(Time now);
  Time next_deadline() const;
  void end_all();
  void finish(const runtime::CallAnswer& answer, Result<Bytes> result);
  void publish_gateway();

  const ClientConfig config_;
  const std::unique_ptr<ClientPoller> poller_;
  runtime::CallbackPool callbacks_;

  // Shared with the callers.
  mutable std::mutex mutex_{};
  std::condition_variable connected_{};
  std::deque<ClientRequest> submitted_{};
  std::size_t taken_ = 0;  ///< requests without an answer that the thread holds
  bool closing_ = false;
  NodeId shown_gateway_{};
  std::map<SubscriptionId, Subscription> subscriptions_{};
  SubscriptionId last_subscription_ = 0;
  std::string last_failure_{};

  // The thread's own.
  const NodeId self_;
  Time now_{};
  std::map<LinkId, Link> links_{};
  LinkId last_link_ = 0;
  LinkId gateway_ = 0;
  std::vector<std::string> candidates_{};  ///< configured addresses, then those learnt
  std::size_t next_candidate_ = 0;
  Time next_try_{};
  std::map<NodeId, Member> members_{};
  std::uint64_t members_request_ = 0;  ///< the open one
  Time members_due_{};
  std::map<std::string, Time> not_before_{};  ///< addresses that were out of reach
  std::map<std::string, Way> ways_{};
  std::set<std::string> sweeping_{};  ///< children whose messages wait
  Time held_due_ = kNever;            ///< the first deadline of those
  std::map<std::uint64_t, Open> open_{};
  std::set<std::pair<Time, std::uint64_t>> deadlines_{};
  std::deque<ClientRequest> waiting_{};
  std::uint64_t last_number_ = 0;
  std::uint64_t subscribing_ = 0;  ///< number of the request that brings the subscriptions to a new gateway
  // Of what was published: the newest of each publisher, and under each topic; reliable ones for themselves.
  std::map<std::pair<NodeId, bool>, std::uint64_t> orders_{};
  std::map<std::tuple<NodeId, bool, std::string>, std::uint64_t> numbers_{};
  std::atomic<std::size_t> waiting_news_{0};  ///< for handlers
  std::vector<ClientPoller::Event> events_{};
  std::thread thread_{};
};

}  // namespace processhub::assembly
