// Links: connections, handshakes and sessions with other nodes and with clients. It knows who is reachable
// through a session, not who is a member. Every node sends on a connection of its own to the peer's ROUTER;
// the session id is made of a fresh nonce from each side, so a frame of a session proves that its sender has
// seen our latest hello.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/link_session.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/relays.hpp"
#include "core/protocol/report.hpp"

namespace processhub::protocol {

/// What Links tells the hub about peers.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  struct Admission {
    bool accept = false;
    std::optional<Refusal> refusal{};  ///< told to the peer when not accepted; none: say nothing (yet)
  };
  virtual Admission on_hello(const Hello& hello) = 0;
  virtual void on_own_endpoint(const std::string& endpoint) = 0;  ///< a seed turned out to be this node
  virtual void on_session_up(NodeId peer) = 0;
  virtual void on_session_end(NodeId peer) = 0;
  virtual void on_peer_message(NodeId peer, Message message) = 0;
  // What travels most, without the way through the variant of all messages.
  virtual void on_peer_call(NodeId peer, CallRequest request) = 0;
  virtual void on_peer_reply(NodeId peer, CallReply reply) = 0;
  virtual void on_heard(NodeId peer) = 0;          ///< directly
  virtual void on_heard_through(NodeId peer) = 0;  ///< by way of another node
  virtual void on_link_lost(NodeId peer, bool refused) = 0;
  virtual void on_stranger_gone(NodeId peer) = 0;  ///< said hello, and never completed the handshake
  virtual void on_refused(const Refusal& refusal) = 0;
  virtual void on_client_request(std::uint64_t client, AdminRequest request) = 0;
  virtual void on_client_call(std::uint64_t client, CallRequest request) = 0;
  virtual MemberRecord self_record() = 0;
};

class Links {
 public:
  /// `options`: what all members have alike, as cluster_wide_options() says it.
  Links(Context& context, LinkEvents& events, std::string options);

  /// Says hello to whoever listens at a configured address.
  void try_endpoint(const std::string& endpoint);
  /// Keeps a connection to this node and a session over it.
  void open(NodeId peer, const std::string& endpoint);
  /// Ends the session; the connection stays for later hellos.
  void end_session(NodeId peer);
  /// Forgets the peer altogether.
  void close(NodeId peer);
  bool has_session(NodeId peer) const;
  /// The peer's address refused the last connection attempt.
  bool refused(NodeId peer) const;

  /// Frames for `peer` travel through `via` from now on, until they are not needed to any more.
  void relay_through(NodeId peer, NodeId via);
  /// The peer was heard directly.
  void relay_no_more(NodeId peer) { relays_.drop(peer); }
  bool relayed(NodeId peer) const { return bool(relays_.via(peer, ctx_.now)); }
  void on(NodeId sender, const Relay& relay);

  /// Bytes queued or unconfirmed.
  std::uint64_t queued(NodeId peer, Lane lane) const {
    auto it = peers_.find(peer);
    return it != peers_.end() && it->second.session ? it->second.session->queued_bytes(lane) : 0;
  }
  /// Frames that wait longer than this for any progress, or a session that ended so long ago and has not come
  /// back: the way to the peer is blocked, whatever it publishes.
  bool stuck(NodeId peer, Duration limit) const;
  /// Says something directly to a relayed peer, so that both notice when the direct way is open again.
  void touch_directly(NodeId peer);

  template <class M>
  bool send(NodeId peer, Lane lane, const M& message, Sending how = {}) {
    auto* session = session_of(peer);
    if (session == nullptr) return false;
    touched_.insert(peer);
    if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::sent, peer, message));
    return session->send(lane, message, how);
  }
  template <class M>
  bool send_client(std::uint64_t client, const M& message, Lane lane = Lane::control, Sending how = {}) {
    auto it = clients_.find(client);
    if (it == clients_.end()) return false;
    if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::sent, {}, message));
    return it->second.session.send(lane, message, how);
  }

  bool has_client(std::uint64_t client) const { return clients_.contains(client); }

  void on(const event::LinkFrame& frame);
  void on(const event::RouteFrame& frame);
  void on(const event::LinkUp& up);
  void on(const event::LinkDown& down);
  void on(const event::SendRefused& refused);
  void tick();
  void flush();
  Time next_deadline() const;
  /// No session has anything queued or unacknowledged.
  bool all_idle() const;
  /// By peer.
  void list(std::vector<LinkInfo>& out) const;
  /// All messages to children have been confirmed.
  bool data_idle() const;
  /// This node leaves: clients are to go to another one. Those that come later hear it at once.
  void send_clients_away();
  /// No client that sent messages is still here; one that says nothing at all is not waited for.
  bool clients_gone() const;
  /// Peers that have something to confirm or to wait for, the most urgent first. As of the last flush().
  const std::set<std::pair<Time, NodeId>>& waiting() const { return due_; }

 private:
  struct Peer {
    std::string endpoint{};
    LinkId link = 0;
    std::uint64_t nonce = 0;
    std::uint64_t their_nonce = 0;
    std::uint64_t echo_token = 0;            ///< tells the peer which of its seeds we are
    std::shared_ptr<LinkSession> session{};  ///< shared with the frame that is being delivered
    bool wanted = true;                      ///< say hello until there is a session
    Time without_session = kNever;           ///< since when it has none any more
    Time touch_due{};                        ///< answers to direct signs of life of a relayed peer are rare
    bool refused = false;
    Time hello_due{};
    Duration hello_wait{};
    Time due = kNever;           ///< as in due_
    std::uint64_t expected = 0;  ///< as in expected_
  };
  struct Seed {
    LinkId link = 0;
    std::uint64_t token = 0;
    Time hello_due{};
    int tries = 0;
  };
  struct Client {
    RouteId route = 0;
    LinkSession session;
    Time last_heard{};
    bool calls = false;  ///< it sent messages for children
  };

  LinkSession* session_of(NodeId peer);
  SessionLimits limits() const;
  void say_hello(NodeId id, Peer& peer);
  void say_hello_to_seed(Seed& seed);
  Hello own_hello();
  void send_frame(NodeId id, const Peer& peer, Bytes frame);
  void on_heard_directly(NodeId id, const SessionHeader& header);
  void on_relayed(NodeId from, std::string_view frame);
  static std::optional<Hello> parse_hello(std::string_view body);
  static Bytes hello_frame(const Hello& hello);
  void on_hello(RouteId route, std::string_view body);
  bool acceptable(const Hello& hello, std::optional<RouteId> route);
  void on_node_hello(std::optional<RouteId> route, const Hello& hello);
  void on_client_hello(RouteId route, const Hello& hello);
  void drop_idle_client();
  void forget_strangers();
  void adopt_seed(NodeId id, Peer& peer, std::uint64_t token);
  void establish(NodeId id, Peer& peer);
  void on_session_frame(std::optional<RouteId> route, std::string_view rest);
  void on_peer_frame(NodeId id, const SessionHeader& header, std::string_view rest);
  void flush_peer(NodeId id, Peer& peer);
  void on_part(NodeId id, const Part& part);
  void on_client_frame(Client& client, std::uint64_t key, const SessionHeader& header, std::string_view rest);
  NodeId peer_for_session(std::uint64_t session);
  void expect(NodeId id, Peer& peer);
  void on_refusal(std::string_view body);
  void on_reset(LinkId link, std::string_view body);
  void refuse(std::optional<RouteId> route, const Refusal& refusal);
  void bad_frame(const char* why);
  std::uint64_t fresh_nonce() { return ++last_nonce_; }
  NodeId peer_at(LinkId link) const;
  Time deadline_of(const Peer& peer) const;
  void reschedule(NodeId id);
  void touch_due();

  Context& ctx_;
  LinkEvents& events_;
  std::uint64_t options_digest_;
  std::string options_;
  std::map<NodeId, Peer> peers_{};
  std::map<NodeId, Time> strangers_{};  ///< known only by a hello of their own, since then
  // A turn costs what these need, whatever the size of the cluster.
  std::set<NodeId> touched_{};               ///< something happened since the last flush
  std::set<std::pair<Time, NodeId>> due_{};  ///< the deadlines of all others
  Relays relays_{};
  std::map<std::string, Seed> seeds_{};
  std::map<std::uint64_t, Client> clients_{};   ///< by session id
  std::map<std::uint64_t, NodeId> sessions_{};  ///< node sessions by id
  HashMap<std::uint64_t, NodeId> expected_{};   ///< of handshakes that the peer may complete first
  std::map<LinkId, NodeId> links_{};
  LinkId last_link_ = 0;
  std::uint64_t last_nonce_ = 0;
  bool leaving_ = false;
};

}  // namespace processhub::protocol
