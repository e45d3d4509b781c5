#include "transport/sim/sim_describe.hpp"

#include <array>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace processhub::sim {
namespace {

using namespace protocol;

std::string_view name_of(WorkerExit exit) {
  switch (exit) {
    case WorkerExit::start_failed:
      return "start_failed";
    case WorkerExit::crashed:
      return "crashed";
    case WorkerExit::finished:
      return "finished";
    case WorkerExit::stop_self:
      return "stop_self";
    case WorkerExit::stopped:
      return "stopped";
  }
  return "?";
}

std::string list(const std::vector<std::string>& items) { return fmt::format("[{}]", fmt::join(items, " ")); }

std::string text(const Result<Bytes>& result) {
  return result ? "'" + *result + "'" : describe(result.error());
}

std::string text(const PostedMessage& m) {
  auto out = fmt::format("{}({})", m.message, m.body);
  if (m.reply) out += fmt::format(" reply {}:{}", m.reply.origin.str(), m.reply.token);
  return out;
}

std::string ids_of(const std::vector<ChildSpec>& specs) {
  std::vector<std::string> ids;
  for (const auto& spec : specs) ids.push_back(spec.id);
  return list(ids);
}

struct EventText {
  std::string operator()(const event::LinkFrame& e) {
    return fmt::format("link {} frame {}", e.link, frame_text(e.frame));
  }
  std::string operator()(const event::RouteFrame& e) {
    return fmt::format("route {} frame {}", e.route, frame_text(e.frame));
  }
  std::string operator()(const event::Publication& e) {
    return fmt::format("publication {}", frame_text(*e.frame));
  }
  std::string operator()(const event::LinkUp& e) { return fmt::format("link {} up", e.link); }
  std::string operator()(const event::LinkDown& e) {
    return fmt::format("link {} down{}", e.link, e.refused ? " refused" : "");
  }
  std::string operator()(const event::SendRefused& e) {
    return fmt::format("link {} refused a frame", e.link);
  }
  std::string operator()(const event::TimerDue&) { return "timer"; }
  std::string operator()(const event::StartChildren& e) {
    return fmt::format("start #{} {}", e.token, ids_of(e.specs));
  }
  std::string operator()(const event::StopChildren& e) {
    return fmt::format("stop #{} {}", e.token, list(e.values));
  }
  std::string operator()(const event::UpdateMetadata& e) {
    return fmt::format("metadata #{} {} {}", e.token, e.id, fmt::join(e.metadata, " "));
  }
  std::string operator()(const event::RestartChild& e) {
    return fmt::format("restart #{} {}", e.token, e.id);
  }
  std::string operator()(const event::MigrateChild& e) {
    return fmt::format("migrate #{} {} to {}", e.token, e.id, e.node);
  }
  std::string operator()(const event::ResetClusterSize& e) { return fmt::format("reset_size #{}", e.token); }
  std::string operator()(const event::CallChild& e) {
    return fmt::format("call #{} {} {}({})", e.token, e.id, e.message, e.body);
  }
  std::string operator()(const event::CastChild& e) {
    return fmt::format("cast {} {}({})", e.id, e.message, e.body);
  }
  std::string operator()(const event::Broadcast& e) {
    return fmt::format("broadcast {} {}({})", e.tag, e.message, e.body);
  }
  std::string operator()(const event::Operate& e) {
    static constexpr std::array kNames = {"freeze", "unfreeze", "drain", "undrain"};
    return fmt::format("{} #{}", kNames.at(static_cast<std::size_t>(e.what)), e.token);
  }
  std::string operator()(const event::LockQueue& e) {
    return fmt::format("lock #{} {} level {}{}", e.token, e.reason, e.level, e.discard ? " discard" : "");
  }
  std::string operator()(const event::UnlockQueue& e) {
    return fmt::format("unlock #{} lock {}", e.token, e.lock);
  }
  std::string operator()(const event::DispatchEvent& e) {
    return fmt::format("dispatch {}({})", e.name, e.body);
  }
  std::string operator()(const event::PublishTopic& e) {
    return fmt::format("publish {} {} ({}){}", e.topic, e.message, e.body, e.reliable ? " reliable" : "");
  }
  std::string operator()(const event::SubscribeTopic& e) {
    return fmt::format("subscribe {} {}", e.key, e.pattern);
  }
  std::string operator()(const event::UnsubscribeTopic& e) {
    return fmt::format("unsubscribe {} {}", e.key, e.pattern.empty() ? "all" : e.pattern);
  }
  std::string operator()(const event::LeaveCluster& e) { return fmt::format("leave #{}", e.token); }
  std::string operator()(const event::WorkerUp& e) { return fmt::format("worker {} up", e.serial); }
  std::string operator()(const event::LoadMeasured& e) {
    return fmt::format("load: cpu {:g}, run queue {:g}, memory {:g}", e.sample.cpu, e.sample.run_queue,
                       e.sample.memory);
  }
  std::string operator()(const event::RoleTaken& e) {
    return fmt::format("worker {} is {}", e.serial, to_string(e.role));
  }
  std::string operator()(const event::WorkerFrozen& e) {
    if (!e.frozen) return fmt::format("worker {} goes on: {}", e.serial, e.why);
    return fmt::format("worker {} frozen with {} bytes, left {}", e.serial, e.state.size(),
                       e.leftovers.size());
  }
  std::string operator()(const event::WorkerPrepared& e) {
    return fmt::format("worker {} prepared", e.serial);
  }
  std::string operator()(const event::WorkerDown& e) {
    return fmt::format("worker {} down {} {} left {}", e.serial, name_of(e.exit), e.why, e.leftovers.size());
  }
  std::string operator()(const event::Undelivered& e) {
    return fmt::format("worker {} had ended: {}", e.serial, e.message.message);
  }
  std::string operator()(const event::WorkerAnswer& e) {
    return fmt::format("answer {}:{} {}", e.to.origin.str(), e.to.token, text(e.answer));
  }
  std::string operator()(const event::AdminAnswer& e) {
    return fmt::format("admin answer {}/{} code {}", e.client, e.request, e.code);
  }
};

struct EffectText {
  std::string operator()(const effect::Connect& e) {
    return fmt::format("connect {} {}", e.link, e.endpoint);
  }
  std::string operator()(const effect::Disconnect& e) { return fmt::format("disconnect {}", e.link); }
  std::string operator()(const effect::Subscribe& e) { return fmt::format("subscribe {}", e.endpoint); }
  std::string operator()(const effect::Unsubscribe& e) { return fmt::format("unsubscribe {}", e.endpoint); }
  std::string operator()(const effect::SendLink& e) {
    return fmt::format("send link {} {}", e.link, frame_text(e.frame));
  }
  std::string operator()(const effect::SendRoute& e) {
    return fmt::format("send route {} {}", e.route, frame_text(e.frame));
  }
  std::string operator()(const effect::Publish& e) { return fmt::format("publish {}", frame_text(e.frame)); }
  std::string operator()(const effect::StartWorker& e) {
    return fmt::format("{} worker {} {} {} {} {}", e.prepare ? "prepare" : "start", e.serial, e.spec->id,
                       e.generation.str(), to_string(e.role), to_string(e.reason));
  }
  std::string operator()(const effect::StopWorker& e) {
    return fmt::format("stop worker {} {}", e.serial, to_string(e.reason));
  }
  std::string operator()(const effect::SetRole& e) {
    return fmt::format("role worker {} {} {}", e.serial, e.generation.str(), to_string(e.role));
  }
  std::string operator()(const effect::FreezeWorker& e) {
    return fmt::format("freeze worker {}{}{}", e.serial, e.save ? "" : " without state",
                       e.hold ? " now" : "");
  }
  std::string operator()(const effect::MergeState& e) {
    return fmt::format("merge into worker {} the {} bytes of {}", e.serial, e.state->size(), e.loser.str());
  }
  std::string operator()(const effect::CancelFreeze& e) {
    return fmt::format("cancel freeze of worker {}", e.serial);
  }
  std::string operator()(const effect::ResumeWorker& e) {
    return fmt::format("resume worker {} {}", e.serial, e.generation.str());
  }
  std::string operator()(const effect::Post& e) {
    return fmt::format("post worker {} {}", e.serial, text(e.message));
  }
  std::string operator()(const effect::DirectWay& e) {
    return fmt::format("direct way to {} {}", e.id, e.open ? "open" : "closed");
  }
  std::string operator()(const effect::CloseGates&) { return "close gates"; }
  std::string operator()(const effect::OpenGates&) { return "open gates"; }
  std::string operator()(const effect::MeasureLoad&) { return "measure load"; }
  std::string operator()(const effect::CompleteStart& e) {
    return fmt::format("complete #{} {}", e.token,
                       e.result ? describe(*e.result) : describe(e.result.error()));
  }
  std::string operator()(const effect::CompleteStop& e) {
    return fmt::format("complete #{} {}", e.token,
                       e.result ? describe(*e.result) : describe(e.result.error()));
  }
  std::string operator()(const effect::CompleteCall& e) {
    return fmt::format("complete #{} {}", e.token, text(e.result));
  }
  std::string operator()(const effect::CompleteVoid& e) {
    return fmt::format("complete #{} {}", e.token, e.result ? "ok" : describe(e.result.error()));
  }
  std::string operator()(const effect::CompleteLock& e) {
    return fmt::format("complete #{} {}", e.token,
                       e.result ? fmt::format("lock {}", *e.result) : describe(e.result.error()));
  }
  std::string operator()(const effect::RunHook& e) { return "hook " + describe(e.event); }
  std::string operator()(const effect::UserEvent& e) {
    return fmt::format("user event {} from {} ({})", e.name, e.from.str(), e.body);
  }
  std::string operator()(const effect::TopicDelivery& e) {
    return fmt::format("topic {} #{} from {} to {}", e.message->topic, e.message->number,
                       e.message->publisher.str(), e.subscription);
  }
  std::string operator()(const effect::Log& e) { return "log " + e.text; }
  std::string operator()(const effect::AdminQuery& e) {
    return fmt::format("admin {}/{} {}", e.client, e.request, e.verb);
  }
  std::string operator()(const effect::Terminate& e) { return "terminate: " + e.why; }
};

std::string details(const std::vector<std::string>& ids) { return " " + list(ids); }

}  // namespace

std::string describe(const Event& event) { return std::visit(EventText{}, event); }
std::string describe(const Effect& effect) { return std::visit(EffectText{}, effect); }

std::string describe(const HookEvent& event) {
  std::string out(hook_name(event));
  std::visit(
      [&out](const auto& e) {
        if constexpr (requires { e.node.str(); }) out += " " + e.node.str();
        if constexpr (requires { e.cause.str(); })
          out += " " + e.cause.str() + (e.joined ? " joined" : " left");
        if constexpr (requires { e.from.str(); }) out += " from " + (e.from ? e.from.str() : "nobody");
        if constexpr (requires { e.to.str(); }) out += " to " + e.to.str();
        if constexpr (requires { e.ids.size(); }) out += details(e.ids);
        if constexpr (requires { e.failed.size(); })
          if (!e.failed.empty()) out += " failed" + details(e.failed);
        if constexpr (requires { e.members.size(); })
          for (const auto& member : e.members) out += " " + member.str();
        if constexpr (requires { e.id.size(); }) out += " " + e.id;
        if constexpr (requires { e.from + e.to; }) out += fmt::format(" {} -> {}", e.from, e.to);
        if constexpr (requires { e.why.size(); }) out += fmt::format(" ({})", e.why);
      },
      event);
  return out;
}

std::string describe(const Error& error) {
  auto out = std::string(to_string(error.code));
  if (!error.message.empty()) out += ": " + error.message;
  return out;
}

std::string describe(const StartResult& result) {
  std::string out = result.rolled_back ? "rolled back" : "started";
  for (const auto& child : result.children) {
    out += " " + child.id;
    for (const auto& instance : child.instances) out += fmt::format(" on {}", instance.ref.node.str());
    if (child.error) out += fmt::format(" ({})", describe(*child.error));
  }
  return out;
}

std::string describe(const StopResult& result) {
  std::string out = "stopped";
  for (const auto& child : result.children) {
    out += " " + child.id;
    if (child.error) out += fmt::format(" ({})", describe(*child.error));
  }
  return out;
}

std::string describe_frame(const Bytes& frame) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : frame) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return fmt::format("{}B:{:06x}", frame.size(), hash & 0xFFFFFF);
}

}  // namespace processhub::sim
