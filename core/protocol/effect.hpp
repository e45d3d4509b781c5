// Everything a hub can ask of its driver, as values, in the order they must be carried out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/log_levels.hpp"
#include "core/protocol/event.hpp"
#include "core/protocol/shared_spec.hpp"
#include "processhub/hooks.hpp"

namespace processhub::protocol {

using processhub::LogLevel;
using processhub::LogPart;

struct Report;

namespace effect {

// -- network
struct Connect {
  LinkId link = 0;
  std::string endpoint{};
};
struct Disconnect {
  LinkId link = 0;
};
struct Subscribe {
  std::string endpoint{};
};
struct Unsubscribe {
  std::string endpoint{};
};
struct SendLink {
  LinkId link = 0;
  Bytes frame{};
};
struct SendRoute {
  RouteId route = 0;
  Bytes frame{};
};
struct Publish {
  Bytes frame{};
};

// -- workers. `serial` is fresh for every start on this node and never used again.
struct StartWorker {
  std::uint64_t serial = 0;
  Uid uid{};
  std::shared_ptr<const SharedSpec> spec{};
  Generation generation{};
  Role role = Role::active;
  StartReason reason = StartReason::first;
  Duration shutdown_timeout{};
  bool prepare = false;                  ///< build it and load its state; the rest waits for ResumeWorker
  std::shared_ptr<const Bytes> state{};  ///< null: none
};
struct StopWorker {
  std::uint64_t serial = 0;
  StopReason reason = StopReason::user;
};
/// A worker that runs gets another role. Answered by event::RoleTaken when it has it, after the messages that
/// were posted before.
struct SetRole {
  std::uint64_t serial = 0;
  Generation generation{};
  Role role = Role::active;
  bool tell = true;  ///< call on_role
};
/// As soon as nothing of its own is open the worker saves its state, and takes nothing more.
struct FreezeWorker {
  std::uint64_t serial = 0;
  bool save = true;
  bool hold = false;  ///< meanwhile it takes answers to calls of its own, but no messages
};
/// The worker gets the state of another instance, which has lost against it, as a turn of its own.
struct MergeState {
  std::uint64_t serial = 0;
  Generation loser{};
  std::shared_ptr<const Bytes> state{};
};
/// A worker that is not frozen yet goes on, and says so.
struct CancelFreeze {
  std::uint64_t serial = 0;
};
/// A prepared worker starts, a frozen one goes on.
struct ResumeWorker {
  std::uint64_t serial = 0;
  Generation generation{};
};
/// Comes back as event::Undelivered if the worker is frozen or has ended by then.
struct Post {
  std::uint64_t serial = 0;
  PostedMessage message{};
  Uid child{};
};
/// While it is closed, threads of this process do not hand messages for this child to its worker here:
/// earlier ones are still under way. They come as events.
struct DirectWay {
  std::string id{};
  bool open = true;
};
/// No worker turn starts between CloseGates and OpenGates: this node was away and does not know what it may
/// still run.
struct CloseGates {};
struct OpenGates {};

/// How busy is this machine? Answered by event::LoadMeasured.
struct MeasureLoad {};

// -- answers to requests
struct CompleteStart {
  Token token = 0;
  Result<StartResult> result{StartResult{}};
};
struct CompleteStop {
  Token token = 0;
  Result<StopResult> result{StopResult{}};
};
struct CompleteCall {
  Token token = 0;
  Result<Bytes> result{Bytes{}};
};
struct CompleteVoid {
  Token token = 0;
  Result<void> result{};
};
struct CompleteLock {
  Token token = 0;
  Result<std::uint64_t> result{std::uint64_t{0}};
};

// -- the program around
struct RunHook {
  HookEvent event{};
};
struct UserEvent {
  std::string name{};
  NodeId from{};
  Bytes body{};
};
/// For a handler of the program around.
struct TopicDelivery {
  std::uint64_t subscription = 0;
  std::shared_ptr<const TopicMessage> message{};
};
struct Log {
  LogPart part = LogPart::hub;
  LogLevel level = LogLevel::info;
  std::string text{};
  std::vector<std::string> ids{};  ///< of children that the text tells of; some, if there are many
};
/// A client (hubctl) asks; the driver answers with event::AdminAnswer. args is a msgpack map.
struct AdminQuery {
  std::uint64_t client = 0;
  std::uint64_t request = 0;
  std::string verb{};
  Bytes args{};
  std::shared_ptr<const Report> report{};  ///< if the verb asks for it
  /// With the report of "inspect"; filled in by the driver, who has the transport.
  std::vector<ConnectionInfo> connections{};
};
/// This node must not live on (a newer life of its name exists, or the cluster refused it). Stop everything,
/// report `why`.
struct Terminate {
  std::string why{};
};

}  // namespace effect

using Effect = std::variant<
    effect::Connect, effect::Disconnect, effect::Subscribe, effect::Unsubscribe, effect::SendLink,
    effect::SendRoute, effect::Publish, effect::StartWorker, effect::StopWorker, effect::SetRole,
    effect::FreezeWorker, effect::CancelFreeze, effect::MergeState, effect::ResumeWorker, effect::Post,
    effect::DirectWay, effect::CloseGates, effect::OpenGates, effect::MeasureLoad, effect::CompleteStart,
    effect::CompleteStop, effect::CompleteCall, effect::CompleteVoid, effect::CompleteLock, effect::RunHook,
    effect::UserEvent, effect::TopicDelivery, effect::Log, effect::AdminQuery, effect::Terminate>;

/// Reused between steps; the driver performs and clears it.
using Effects = std::vector<Effect>;

}  // namespace processhub::protocol
