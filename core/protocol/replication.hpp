// Replication: how specs and tables reach the other nodes and come back whole after any loss. Changes of this
// node are published once, in batches; what a peer misses (join, gap, heal, differing digests) it pulls over
// the session: one mechanism.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/publications.hpp"
#include "core/protocol/registry.hpp"

namespace processhub::protocol {

class Membership;

class ReplicationEvents {
 public:
  virtual ~ReplicationEvents() = default;
  virtual void on_spec_added(Child& child) = 0;
  virtual void on_acknowledged(NodeId peer, std::uint64_t publication) = 0;
  virtual void on_static(const StaticValue& value) = 0;
  virtual std::vector<StaticValue> statics_known() = 0;
  virtual std::uint64_t spec_digest() = 0;         ///< of everything that should run
  virtual void on_peer_complete(NodeId peer) = 0;  ///< its snapshot is here
};

/// About what a spec takes on the wire.
std::size_t size_guess(const SpecRecord& spec);

class Replication {
 public:
  Replication(Context& context, Registry& registry, Links& links, Publications& publications,
              Membership& membership, ReplicationEvents& events);

  // -- facts of this node: stored at once, published with the next flush
  void add_spec(std::shared_ptr<const SpecRecord> spec);
  void remove_spec(const Uid& uid);
  void set_value(const Uid& uid, const SpecValue& value);
  void set_static(const StaticValue& value);
  /// This node's table. Unlisted rows (released, epoch 0) erase.
  void set_row(const TableRow& row);
  std::uint64_t own_version() const { return own_version_; }
  std::uint64_t own_digest();

  /// Publishes pending deltas; the number of the publication that completes what was changed in specs so far.
  /// Only publications with specs are confirmed, so none other may be waited for.
  std::uint64_t flush_deltas();

  // -- facts of others
  void on(NodeId from, const SpecDelta& delta);
  void on(NodeId from, const TableDelta& delta);
  void on(NodeId from, const Pull& pull);
  void on(NodeId from, const PullChunk& chunk);
  void on(NodeId from, const PubAck& ack);
  void on_heartbeat(NodeId from, const Heartbeat& heartbeat);
  /// The peer holds the same specs as this node; they contain its publications up to `published`.
  void on_same_specs(NodeId from, std::uint64_t published);
  void on_publication(NodeId from, bool wants_ack);
  void on_session_up(NodeId peer);
  void on_session_end(NodeId peer);
  void on_member_gone(NodeId peer);
  void forget(NodeId peer) { peers_.erase(peer); }
  /// Asks the peer again for everything; it counts as incomplete until it has answered.
  void refresh(NodeId peer);
  /// Asks for what this node lacks, with all values if a digest says that something differs.
  void pull(NodeId peer, bool values);

  /// Serves snapshots in slices; true if more is to do.
  bool work(std::size_t budget);
  void tick();
  void flush_acks();
  Time next_deadline() const;

  bool complete(NodeId peer) const;       ///< a pull from it finished in this session
  bool table_current(NodeId node) const;  ///< our copy is what it last announced
  std::uint64_t acknowledged(NodeId peer) const;

 private:
  struct PeerState {
    std::uint64_t pull = 0;  ///< nonce of our open pull, 0: none
    Time pull_sent{};
    bool pull_again = false;  ///< something new was found missing meanwhile
    bool pull_values = false;
    bool complete = false;
    std::uint64_t acked = 0;  ///< our publications it confirmed
    std::uint64_t ack_sent = 0;
    std::uint64_t same_upto = 0;  ///< its specs up to this publication are here, whoever brought them
    Time mismatch_since{kNever};
  };
  struct Serving {
    NodeId peer{};
    std::uint64_t nonce = 0;
    std::uint64_t as_of = 0;
    std::vector<SeenDots> seen{};
    std::vector<LiveDots> live{};
    SeenSet theirs{};
    bool all_values = false;
    Slot cursor = 0;
    std::vector<TableHave> tables{};  ///< to serve, with what they have
    std::size_t table = 0;
    bool table_open = false;
    bool table_begun = false;         ///< its first part is sent
    std::vector<Uid> rows{};          ///< rest of the current table's changes
    std::uint64_t table_version = 0;  ///< of which they are; what changes later belongs to a later one
    bool table_full = false;
  };

  void send_pull(NodeId peer, PeerState& state);
  bool has_room(NodeId peer) const;
  bool serve(Serving& job, std::size_t budget);
  bool serve_specs(Serving& job, std::size_t budget);
  bool serve_tables(Serving& job, std::size_t budget);
  void begin_table(Serving& job);
  void take_specs(const std::vector<std::shared_ptr<const SpecRecord>>& specs, bool pulled);
  void take_values(const std::vector<UidValue>& values);
  void take_table(NodeId from, const TablePart& part);
  void take_removals(const PullChunk& chunk);
  void set_pull(NodeId peer, PeerState& state, std::uint64_t nonce);
  bool has_table_of(NodeId owner, const Heartbeat& heartbeat);
  bool same_as_here(NodeId peer, const Heartbeat& heartbeat);
  void compare(NodeId peer);
  void compare_incomplete();
  void make_complete(NodeId peer, std::uint64_t publications);
  bool serves_table_of(NodeId owner, const Pull& pull) const;

  Context& ctx_;
  Registry& registry_;
  Links& links_;
  Publications& pubs_;
  Membership& membership_;
  ReplicationEvents& events_;
  std::map<NodeId, PeerState> peers_{};
  std::set<NodeId> want_acks_{};  ///< their publications are to be confirmed
  std::set<NodeId> pulling_{};    ///< there is an open pull from them
  // In gossip mode:
  std::map<NodeId, bool>
      incomplete_{};             ///< not compared since their session began; they have said what they hold
  std::set<NodeId> doubtful_{};  ///< their table differs from ours, perhaps only for now
  std::vector<Serving> serving_{};
  Time serve_due_{};  ///< later while every peer's session is full
  SpecDelta pending_{};
  std::size_t pending_size_ = 0;
  std::vector<Uid> pending_rows_{};
  std::uint64_t own_version_ = 0;
  std::uint64_t published_version_ = 0;
  std::uint64_t spec_publication_ = 0;
  std::uint64_t last_nonce_ = 0;
};

}  // namespace processhub::protocol
