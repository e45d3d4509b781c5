// Every wire message, once: its fields drive encoding, decoding, description and the fuzz tests. To add one:
// a struct with fields, a `name`, and a row in Message (at the end: the position is its number on the wire).
// HubCore then does not compile until some part handles it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/protocol/codec.hpp"
#include "core/protocol/containers.hpp"
#include "core/protocol/handover_messages.hpp"
#include "core/protocol/load_messages.hpp"
#include "core/protocol/quorum_messages.hpp"
#include "core/protocol/shared_spec.hpp"
#include "core/protocol/spec_value.hpp"
#include "core/protocol/topic_messages.hpp"
#include "core/protocol/type_offers.hpp"
#include "processhub/child.hpp"
#include "processhub/ids.hpp"
#include "processhub/time.hpp"
#include "processhub/trace.hpp"

namespace processhub::protocol {

namespace detail {
/// The public ChildSpec stays free of macros; its fields on the wire, in order, are these.
template <class Spec, class Use>
void with_spec_fields(Spec& s, Use use) {
  use(s.id, s.type, s.args, s.restart, s.executor, s.metadata, s.tag, s.max_restarts, s.max_seconds,
      s.shutdown_timeout, s.requires_role, s.nodes, s.passivate_after);
}
/// Travels as the ChildSpec it stands for.
template <>
struct Codec<SharedSpec> {
  static void put(Writer& w, const SharedSpec& v) {
    with_spec_fields(*v.kind,
                     [&](const std::string&, const auto&... others) { put_fields(w, v.id, others...); });
  }
  static void get(Reader& r, SharedSpec& v) {
    ChildSpec spec;
    with_spec_fields(spec, [&](auto&... f) { get_fields(r, f...); });
    v = SharedSpec(std::move(spec));
  }
};
}  // namespace detail

// -- values inside messages
// -----------------------------------------------------------------------------------

enum class MemberStatus : std::uint8_t { joining, synced, leaving };

/// What a node says of itself. `status_version` orders its own changes.
struct MemberRecord {
  NodeId id{};
  std::string router{};
  std::string pub{};
  double weight = 1.0;
  std::string zone{};
  std::vector<std::string> roles{};
  MemberStatus status = MemberStatus::joining;
  std::uint64_t status_version = 0;
  std::uint64_t refutation = 0;
  std::vector<std::uint64_t> declares{};  ///< hashes of the ids of its static children, sorted
  OfferedTypes types{};                   ///< of workers, that it can make
  std::uint64_t joined = 0;               ///< as it was synced: one more than all it knew
  PROCESSHUB_FIELDS(id, router, pub, weight, zone, roles, status, status_version, refutation, declares, types,
                    joined)
};

/// The part of a spec that never changes.
struct SpecRecord {
  Uid uid{};
  SharedSpec spec{};
  SmallVector<NodeId, 2> first{};  ///< may start it unseen, with epoch 1
  std::uint64_t epoch_floor = 0;   ///< reserved so far, as the sender knows
  PROCESSHUB_FIELDS(uid, spec, first, epoch_floor)
};

/// What is remembered of an id that was declared as a static child: (spec hash, stopped) by (version,
/// writer).
struct StaticValue {
  std::string id{};
  std::uint64_t spec_hash = 0;
  bool stopped = false;
  std::uint64_t version = 0;
  NodeId writer{};
  PROCESSHUB_FIELDS(id, spec_hash, stopped, version, writer)
};

/// One row of a node's table. A row that is gone travels as state `released` with epoch 0.
struct TableRow {
  Uid uid{};
  std::uint64_t epoch = 0;
  std::uint32_t restarts = 0;
  Role role = Role::none;
  InstanceState state = InstanceState::starting;
  std::uint64_t serial = 0;
  PROCESSHUB_FIELDS(uid, epoch, restarts, role, state, serial)
};

/// All dots seen of one origin: 1..upto and the extra ones.
struct SeenDots {
  NodeId origin{};
  std::uint64_t upto = 0;
  std::vector<std::uint64_t> extra{};
  PROCESSHUB_FIELDS(origin, upto, extra)
};

/// Live dots of one origin as pairs first, last.
struct LiveDots {
  NodeId origin{};
  std::vector<std::uint64_t> ranges{};
  PROCESSHUB_FIELDS(origin, ranges)
};

struct TableHave {
  NodeId node{};
  std::uint64_t version = 0;
  PROCESSHUB_FIELDS(node, version)
};

struct UidEpoch {
  Uid uid{};
  std::uint64_t epoch = 0;
  PROCESSHUB_FIELDS(uid, epoch)
};

// -- before a session
// -----------------------------------------------------------------------------------------

enum class PeerRole : std::uint8_t { node, client };

struct Hello {
  std::uint32_t version_min = 1;
  std::uint32_t version_max = 1;
  std::string hub_id{};
  PeerRole role = PeerRole::node;
  MemberRecord self{};
  std::string target_name{};  ///< empty: whoever listens there
  std::uint64_t target_incarnation = 0;
  std::uint64_t nonce = 0;       ///< of this side, for this session
  std::uint64_t echo_nonce = 0;  ///< the other side's, 0 while unknown
  std::uint64_t link_token = 0;  ///< names the connection this was sent on
  std::uint64_t echo_token = 0;  ///< answers a hello with that link_token
  std::uint64_t options_digest = 0;
  std::string options{};  ///< readable form of what the digest covers, for the error text
  PROCESSHUB_FIELDS(version_min, version_max, hub_id, role, self, target_name, target_incarnation, nonce,
                    echo_nonce, link_token, echo_token, options_digest, options)
};

struct Refusal {
  std::string hub_id{};
  NodeId to{};
  NodeId from{};
  std::string why{};
  std::uint64_t highest_incarnation = 0;  ///< set when the name is known with a later life
  bool final = true;                      ///< false: this address is of no use, but go on without it
  PROCESSHUB_FIELDS(hub_id, to, from, why, highest_incarnation, final)
};

// -- publications
// ---------------------------------------------------------------------------------------------

struct Heartbeat {
  static constexpr std::string_view name = "heartbeat";
  std::uint64_t view_digest = 0;
  std::uint64_t table_version = 0;
  std::uint64_t table_digest = 0;
  std::uint64_t spec_digest = 0;
  MemberStatus status = MemberStatus::joining;
  std::uint64_t status_version = 0;
  std::uint64_t refutation = 0;
  std::uint64_t number = 0;     ///< orders those of one node: they come on several ways
  std::uint64_t published = 0;  ///< the digests contain every publication up to this one
  std::uint64_t joined = 0;     ///< as in MemberRecord
  std::uint64_t freeze = 0;     ///< the highest known; odd: redistribution is held
  PROCESSHUB_FIELDS(view_digest, table_version, table_digest, spec_digest, status, status_version, refutation,
                    number, published, joined, freeze)
};

/// New, removed and changed specs.
struct SpecDelta {
  static constexpr std::string_view name = "spec_delta";
  std::vector<std::shared_ptr<const SpecRecord>> added{};
  std::vector<Uid> removed{};
  std::vector<UidValue> values{};
  std::vector<StaticValue> statics{};
  PROCESSHUB_FIELDS(added, removed, values, statics)
};

struct TableDelta {
  static constexpr std::string_view name = "table_delta";
  NodeId node{};
  std::uint64_t from = 0;  ///< applies to this version …
  std::uint64_t to = 0;    ///< … and makes it this one
  bool last = true;        ///< … with its last part
  std::vector<TableRow> rows{};
  PROCESSHUB_FIELDS(node, from, to, last, rows)
};

enum class Verdict : std::uint8_t { alive, silent, refused, left };

/// The publisher's opinion of another member.
struct MemberNews {
  static constexpr std::string_view name = "member_news";
  NodeId node{};
  Verdict verdict = Verdict::alive;
  std::uint64_t refutation = 0;
  PROCESSHUB_FIELDS(node, verdict, refutation)
};

// -- over sessions
// --------------------------------------------------------------------------------------------

/// An event of the user's own; waits in the receiver's queue as it did in the sender's.
struct UserNews {
  static constexpr std::string_view name = "user_news";
  std::string event{};
  Bytes body{};
  std::uint32_t priority = 0;
  PROCESSHUB_FIELDS(event, body, priority)
};

struct Members {
  static constexpr std::string_view name = "members";
  std::vector<MemberRecord> up{};
  std::vector<NodeId> left{};
  PROCESSHUB_FIELDS(up, left)
};

struct Leaving {
  static constexpr std::string_view name = "leaving";
  NodeId node{};
  std::uint64_t table_version = 0;  ///< with its last rows; who lacks them waits for them first
  PROCESSHUB_FIELDS(node, table_version)
};

/// A node that leaves has passed on all it had. The answer is the last that it gets of messages to children:
/// when it has passed those on, too, it says Leaving, and nothing that went through it can be overtaken any
/// more.
struct Farewell {
  static constexpr std::string_view name = "farewell";
  bool answer = false;
  PROCESSHUB_FIELDS(answer)
};

struct Probe {
  static constexpr std::string_view name = "probe";
  std::uint64_t nonce = 0;
  NodeId target{};  ///< the receiver, or somebody the receiver shall probe for us
  PROCESSHUB_FIELDS(nonce, target)
};

struct ProbeReply {
  static constexpr std::string_view name = "probe_reply";
  std::uint64_t nonce = 0;
  NodeId target{};
  Verdict verdict = Verdict::alive;
  std::optional<Heartbeat> last{};  ///< the target's newest heartbeat as the helper knows it
  PROCESSHUB_FIELDS(nonce, target, verdict, last)
};

/// Everything up to this publication of yours is here.
struct PubAck {
  static constexpr std::string_view name = "pub_ack";
  std::uint64_t seq = 0;
  PROCESSHUB_FIELDS(seq)
};

/// Send me what I lack.
struct Pull {
  static constexpr std::string_view name = "pull";
  std::uint64_t nonce = 0;
  std::vector<SeenDots> seen{};
  bool all_values = false;
  std::vector<TableHave> tables{};
  bool others = false;            ///< also the tables of other living nodes
  std::uint64_t spec_digest = 0;  ///< equal to the receiver's: no spec, value or removal is lacking
  PROCESSHUB_FIELDS(nonce, seen, all_values, tables, others, spec_digest)
};

struct TablePart {
  NodeId node{};
  std::uint64_t version = 0;
  bool full = false;  ///< first part of a full copy: forget what you had
  bool last = false;  ///< now you have `version`
  std::vector<TableRow> rows{};
  PROCESSHUB_FIELDS(node, version, full, last, rows)
};

struct PullChunk {
  static constexpr std::string_view name = "pull_chunk";
  std::uint64_t nonce = 0;
  bool last = false;
  std::uint64_t as_of = 0;  ///< publications up to this one are contained (last chunk)
  std::vector<std::shared_ptr<const SpecRecord>> specs{};
  std::vector<UidValue> values{};
  std::vector<StaticValue> statics{};
  std::vector<TablePart> tables{};
  std::vector<SeenDots>
      seen{};  ///< read before the first chunk, sent with the last; empty: nothing is removed
  std::vector<LiveDots> live{};
  PROCESSHUB_FIELDS(nonce, last, as_of, specs, values, statics, tables, seen, live)
};

struct Reserve {
  static constexpr std::string_view name = "reserve";
  std::uint64_t batch = 0;
  std::vector<UidEpoch> items{};
  std::vector<UidValue>
      placed{};  ///< to be made active; the sender asks all members, who may not know the wish for a place
  PROCESSHUB_FIELDS(batch, items, placed)
};

struct ReserveReply {
  static constexpr std::string_view name = "reserve_reply";
  std::uint64_t batch = 0;
  std::vector<UidEpoch> higher{};  ///< reserved or seen higher already
  PROCESSHUB_FIELDS(batch, higher)
};

/// The owner asks the node that runs these children to let them go.
struct MoveRequest {
  static constexpr std::string_view name = "move_request";
  std::vector<UidEpoch> items{};
  PROCESSHUB_FIELDS(items)
};

struct StartFailed {
  static constexpr std::string_view name = "start_failed";
  Uid uid{};
  std::string why{};
  PROCESSHUB_FIELDS(uid, why)
};

// Calls and casts are what travels most: they have a flat header (flat_calls.cpp) instead of msgpack fields.

struct CallRequest {
  static constexpr std::string_view name = "call_request";
  NodeId origin{};          ///< who gets the reply; no node: the sender
  std::uint64_t token = 0;  ///< 0: a cast
  std::string id{};
  std::string message{};
  Bytes body{};
  bool named_reply = false;
  Duration timeout{};
  std::uint32_t hops = 0;
  bool flush = false;  ///< no message: answered where the child runs, behind all that was sent before
  TracePtr trace{};    ///< only in the flat form
  PROCESSHUB_FIELDS(origin, token, id, message, body, named_reply, timeout, hops, flush)
};

struct CallReply {
  static constexpr std::string_view name = "call_reply";
  std::uint64_t token = 0;
  ErrorCode code = ErrorCode{};  ///< 0: body is the answer, else its text
  Bytes body{};
  NodeId at{};  ///< told to clients: where the child is, so that they may ask there
  PROCESSHUB_FIELDS(token, code, body, at)
};

namespace detail {
template <>
struct Codec<CallRequest> {
  static void put(Writer& w, const CallRequest& v);
  static void get(Reader& r, CallRequest& v);
};
template <>
struct Codec<CallReply> {
  static void put(Writer& w, const CallReply& v);
  static void get(Reader& r, CallReply& v);
};
}  // namespace detail

struct AdminRequest {
  static constexpr std::string_view name = "admin_request";
  std::uint64_t request = 0;
  std::string verb{};
  Bytes args{};
  PROCESSHUB_FIELDS(request, verb, args)
};

struct AdminReply {
  static constexpr std::string_view name = "admin_reply";
  std::uint64_t request = 0;
  std::uint8_t code = 0;
  Bytes body{};
  PROCESSHUB_FIELDS(request, code, body)
};

/// A frame for a node that its sender cannot reach; the receiver is that node, or passes it on, once.
struct Relay {
  static constexpr std::string_view name = "relay";
  NodeId from{};
  NodeId to{};
  Bytes frame{};
  PROCESSHUB_FIELDS(from, to, frame)
};

// -- gossip
// ---------------------------------------------------------------------------------------------------

/// What the sender knows, as two numbers: of heartbeats and of specs. Equal numbers: nothing to say.
struct Digests {
  static constexpr std::string_view name = "digests";
  std::uint64_t heartbeats = 0;
  std::uint64_t specs = 0;
  bool steady = false;          ///< they did not change lately: a difference is not just on its way
  std::uint64_t published = 0;  ///< as in Heartbeat
  PROCESSHUB_FIELDS(heartbeats, specs, steady, published)
};

struct HeardOf {
  std::uint64_t node = 0;    ///< NodeId::hash()
  std::uint64_t number = 0;  ///< of its newest heartbeat that is known; 0: none
  PROCESSHUB_FIELDS(node, number)
};

/// Every member that the sender holds as up. The answer is what it lacks.
struct Heard {
  static constexpr std::string_view name = "heard";
  std::vector<HeardOf> members{};
  bool answer = false;  ///< with the receiver's own list, too
  PROCESSHUB_FIELDS(members, answer)
};

struct Rumour {
  NodeId node{};
  Heartbeat last{};
  PROCESSHUB_FIELDS(node, last)
};

/// Heartbeats of others that the receiver has not heard of.
struct Rumours {
  static constexpr std::string_view name = "rumours";
  std::vector<Rumour> heartbeats{};
  PROCESSHUB_FIELDS(heartbeats)
};

using Message =
    std::variant<Heartbeat, SpecDelta, TableDelta, MemberNews, UserNews, Members, Leaving, Probe, ProbeReply,
                 PubAck, Pull, PullChunk, Reserve, ReserveReply, MoveRequest, StartFailed, CallRequest,
                 CallReply, AdminRequest, AdminReply, Relay, Digests, Heard, Rumours, QuorumProbe,
                 QuorumReply, SeatList, HandoverState, HandoverReady, HandoverCommit, HandoverAbort,
                 LoadReport, LoadBoard, LoadAsk, TopicNews, TopicMark, TopicAsk, TopicReplay, Farewell,
                 RollNews, SeatPrepare, SeatPromise, SeatAccept, SeatAccepted>;

inline constexpr std::size_t kMessageKinds = std::variant_size_v<Message>;

/// The wire number of a message type: its place in Message.
template <class M, std::size_t I = 0>
constexpr std::uint16_t message_kind() {
  if constexpr (std::is_same_v<M, std::variant_alternative_t<I, Message>>) {
    return static_cast<std::uint16_t>(I);
  } else {
    return message_kind<M, I + 1>();
  }
}

std::string_view message_kind_name(std::uint16_t kind);

/// Nothing if the body does not parse.
template <class M>
std::optional<M> decode_body(std::string_view body) {
  Reader r(body);
  std::optional<M> m(std::in_place);
  get(r, *m);
  if (r.bad() || !r.at_end()) m.reset();
  return m;
}

/// Nothing if the kind is unknown or the body does not parse.
std::optional<Message> decode_message(std::uint16_t kind, std::string_view body);

namespace detail {
template <class T, std::size_t N>
struct Codec<SmallVector<T, N>> : ListCodec<SmallVector<T, N>> {};
template <class T>
struct Codec<std::shared_ptr<const T>> {
  static void put(Writer& w, const std::shared_ptr<const T>& v) { Codec<T>::put(w, *v); }
  static void get(Reader& r, std::shared_ptr<const T>& v) {
    auto fresh = std::make_shared<T>();
    Codec<T>::get(r, *fresh);
    v = std::move(fresh);
  }
};
}  // namespace detail

}  // namespace processhub::protocol
