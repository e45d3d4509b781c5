// Everything that can happen to a hub, as values. The runtime and the simulator make them; HubCore::step
// takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy/load.hpp"
#include "processhub/time.hpp"
#include "processhub/topic.hpp"
#include "processhub/trace.hpp"
#include "processhub/transport.hpp"
#include "processhub/worker.hpp"

namespace processhub::protocol {

/// Names an open request of the driver; the core answers each exactly once with a Complete… effect.
using Token = std::uint64_t;

/// Where the answer to a delivered call goes: the origin node of the call, and its token there. No node: a
/// cast.
struct ReplyRef {
  NodeId origin{};
  Token token = 0;
  explicit operator bool() const { return token != 0; }
};

/// A message at a worker's mailbox.
struct PostedMessage {
  std::string message{};
  Bytes body{};
  bool named_reply = false;
  ReplyRef reply{};                             ///< calls that came through the core
  std::shared_ptr<ReplySink> sink{};            ///< calls that came straight from this process
  std::shared_ptr<const TopicMessage> topic{};  ///< a cast that was published, as what
  TracePtr trace{};                             ///< of its sender; mostly none
};

enum class SubscriberKind : std::uint8_t {
  program,  ///< a handler of the program around; the key is its number
  worker,   ///< by serial
  client,   ///< by session
};

enum class WorkerExit : std::uint8_t {
  start_failed,  ///< unknown type, constructor or on_start threw
  crashed,       ///< a handler, timer or continuation threw
  finished,      ///< ended by itself, normally
  stop_self,     ///< asked for its own removal
  stopped,       ///< StopWorker was carried out (also if it did not return in time: `why` says so)
};

namespace event {

// -- network
struct LinkFrame {
  LinkId link = 0;
  Bytes frame{};
};
struct RouteFrame {
  RouteId route = 0;
  Bytes frame{};
};
struct Publication {
  std::shared_ptr<const Bytes> frame{};  ///< one copy, however many hubs of this process it reaches
};
struct LinkUp {
  LinkId link = 0;
};
struct LinkDown {
  LinkId link = 0;
  bool refused = false;
};
/// SendLink could not be carried out (queue full, nobody connected): the session sends it again.
struct SendRefused {
  LinkId link = 0;
  SendStatus status = SendStatus::full;
};

// -- time
struct TimerDue {};

// -- the user
struct StartChildren {
  Token token = 0;
  std::vector<ChildSpec> specs{};
  StartOptions options{};
};
enum class Select : std::uint8_t { ids, prefix, tag };
struct StopChildren {
  Token token = 0;
  Select select = Select::ids;
  std::vector<std::string> values{};
  StopOptions options{};
};
struct UpdateMetadata {
  Token token = 0;
  std::string id{};
  Metadata metadata{};
};
struct RestartChild {
  Token token = 0;
  std::string id{};
};
/// The child shall run on the node of this name.
struct MigrateChild {
  Token token = 0;
  std::string id{};
  std::string node{};
  std::chrono::milliseconds timeout{};
};
/// The nodes that are up here are counted for a quorum from now on.
struct ResetClusterSize {
  Token token = 0;
};
/// What operators ask of a node (freeze: of all).
enum class Operation : std::uint8_t {
  freeze,  ///< no child moves or is taken over, anywhere; explicit migrations, drains and leaves go on
  unfreeze,
  drain,  ///< this node gives its children away, takes none, and stays a member
  undrain,
};
struct Operate {
  Token token = 0;
  Operation what = Operation::freeze;
};
struct CallChild {
  Token token = 0;
  std::string id{};
  std::string message{};
  Bytes body{};
  Duration timeout{};
  bool named_reply = false;
  TracePtr trace{};
  bool retry = false;  ///< it may be handled more than once
};
struct CastChild {
  std::string id{};
  std::string message{};
  Bytes body{};
  TracePtr trace{};
};
struct Broadcast {
  std::string tag{};
  std::string message{};
  Bytes body{};
};
struct LockQueue {
  Token token = 0;
  std::string reason{};
  int level = 10;
  bool discard = false;  ///< what is below the level is refused instead of kept waiting
};
struct UnlockQueue {
  Token token = 0;
  std::uint64_t lock = 0;
};
struct DispatchEvent {
  std::string name{};
  Bytes body{};
  Scope scope = Scope::local;
  int priority = 0;
  NodeId from{};  ///< another node that dispatched it; none: this one
};
struct PublishTopic {
  std::string topic{};
  std::string message{};
  Bytes body{};
  bool reliable = false;
};
struct SubscribeTopic {
  SubscriberKind kind = SubscriberKind::program;
  std::uint64_t key = 0;
  std::string pattern{};
};
struct UnsubscribeTopic {
  SubscriberKind kind = SubscriberKind::program;
  std::uint64_t key = 0;
  std::string pattern{};  ///< empty: all of them
};
struct LeaveCluster {
  Token token = 0;
};

// -- workers; `serial` is the one of StartWorker
struct WorkerUp {
  std::uint64_t serial = 0;
};
/// The answer to SetRole.
struct RoleTaken {
  std::uint64_t serial = 0;
  Role role = Role::active;
};
/// The answer to FreezeWorker, once, unless the worker ends first.
struct WorkerFrozen {
  std::uint64_t serial = 0;
  bool frozen = false;     ///< false: it goes on, `why` says why
  bool busy = false;       ///< not its fault: it waited for answers of its own until CancelFreeze
  bool has_state = false;  ///< its class hands one over
  Bytes state{};
  std::string why{};
  std::vector<PostedMessage> leftovers{};  ///< what it had not begun
};
/// It is built and has its state; it does nothing before ResumeWorker.
struct WorkerPrepared {
  std::uint64_t serial = 0;
};
struct WorkerDown {
  std::uint64_t serial = 0;
  WorkerExit exit = WorkerExit::stopped;
  std::string why{};
  std::vector<PostedMessage> leftovers{};
};
/// A Post met no worker: it is frozen, or it has ended and its WorkerDown has come or will.
struct Undelivered {
  std::uint64_t serial = 0;
  Uid child{};
  PostedMessage message{};
};
struct WorkerAnswer {
  ReplyRef to{};
  Result<Bytes> answer{Bytes{}};
};

/// The answer to MeasureLoad.
struct LoadMeasured {
  LoadSample sample{};
};

// -- the answer to an AdminQuery effect; body is msgpack
struct AdminAnswer {
  std::uint64_t client = 0;
  std::uint64_t request = 0;
  std::uint8_t code = 0;
  Bytes body{};
  Bytes too_long{};  ///< said instead if the session cannot take the body
};

}  // namespace event

using Event =
    std::variant<event::LinkFrame, event::RouteFrame, event::Publication, event::LinkUp, event::LinkDown,
                 event::SendRefused, event::TimerDue, event::StartChildren, event::StopChildren,
                 event::UpdateMetadata, event::RestartChild, event::MigrateChild, event::ResetClusterSize,
                 event::Operate, event::CallChild, event::CastChild, event::Broadcast, event::LockQueue,
                 event::UnlockQueue, event::DispatchEvent, event::PublishTopic, event::SubscribeTopic,
                 event::UnsubscribeTopic, event::LeaveCluster, event::WorkerUp, event::RoleTaken,
                 event::WorkerFrozen, event::WorkerPrepared, event::WorkerDown, event::Undelivered,
                 event::WorkerAnswer, event::LoadMeasured, event::AdminAnswer>;

}  // namespace processhub::protocol
