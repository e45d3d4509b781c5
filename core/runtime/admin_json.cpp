#include "core/runtime/admin_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "processhub/message.hpp"

namespace processhub::runtime {

namespace {

template <class E, std::size_t N>
E enum_of(AdminArgs& args, std::string_view key, E fallback, const std::array<E, N>& all) {
  const auto text = args.text_or(key, std::string(to_string(fallback)));
  std::string known;
  for (const auto value : all) {
    if (to_string(value) == text) return value;
    known += (known.empty() ? "" : ", ") + std::string(to_string(value));
  }
  args.refuse(key, "is '" + text + "'; it may be " + known);
}

Json instance_json(const Instance& instance) {
  return {{"node", std::string(instance.ref.node.name())},
          {"ref", instance.ref.str()},
          {"role", std::string(to_string(instance.role))},
          {"state", std::string(to_string(instance.state))},
          {"generation", instance.generation.str()}};
}

Json instances_json(const std::vector<Instance>& instances) {
  Json out = Json::array();
  for (const auto& instance : instances) out.push_back(instance_json(instance));
  return out;
}

/// The arguments as a value if they are msgpack, which hubctl wrote; else as they are.
Json json_of_args(const Bytes& args) {
  try {
    return json_of(args);
  } catch (const BadRequest&) {
    return Json::binary({args.begin(), args.end()});
  }
}

Json stats_json(const HubStats& stats) {
  return {{"messages_in", stats.messages_in},
          {"messages_out", stats.messages_out},
          {"published", stats.published},
          {"gaps", stats.gaps},
          {"resends", stats.resends},
          {"bad_frames", stats.bad_frames},
          {"send_refusals", stats.send_refusals},
          {"dead_letters", stats.dead_letters},
          {"worker_crashes", stats.worker_crashes},
          {"loop_lag_max_us", stats.loop_lag_max.count()},
          {"loop_lag_avg_us", stats.loop_lag_avg.count()},
          {"queue_wait_max_us", stats.queue_wait_max.count()}};
}

std::string_view name_of(CallStatus status) {
  switch (status) {
    case CallStatus::ok:
      return "ok";
    case CallStatus::partial:
      return "partial";
    case CallStatus::failed:
      return "failed";
  }
  return "?";
}

template <class Result>
void add_first_error(Json& out, const Result& result) {
  if (!result) out.update(to_json(first_cause(result.errors())));
}

}  // namespace

AdminArgs::AdminArgs(std::string where, Json map) : where_(std::move(where)), map_(std::move(map)) {
  if (map_.is_null()) map_ = Json::object();
  if (!map_.is_object()) throw BadRequest(where_ + ": the arguments are no map");
}

void AdminArgs::refuse(std::string_view key, const std::string& why) const {
  throw BadRequest(where_ + ": '" + std::string(key) + "' " + why);
}

std::optional<Json> AdminArgs::take(std::string_view key) {
  const auto found = map_.find(std::string(key));
  if (found == map_.end()) return std::nullopt;
  Json value = std::move(*found);
  map_.erase(found);
  if (value.is_null()) return std::nullopt;  // JSON writers say "not given" this way
  return value;
}

std::string AdminArgs::text(std::string_view key) {
  auto value = text_or(key, {});
  if (value.empty()) refuse(key, "is missing");
  return value;
}

std::string AdminArgs::text_or(std::string_view key, std::string fallback) {
  const auto value = take(key);
  if (!value) return fallback;
  if (!value->is_string()) refuse(key, "must be a string");
  return value->get<std::string>();
}

bool AdminArgs::flag_or(std::string_view key, bool fallback) {
  const auto value = take(key);
  if (!value) return fallback;
  if (!value->is_boolean()) refuse(key, "must be true or false");
  return value->get<bool>();
}

std::optional<std::uint32_t> AdminArgs::count(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (value->is_number_unsigned() || value->get<std::int64_t>() >= 0) &&
                    value->get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
  if (!fits) refuse(key, "must be a whole number from 0 to 4294967295");
  return value->get<std::uint32_t>();
}

std::optional<std::chrono::milliseconds> AdminArgs::time(std::string_view key) {
  const auto value = count(key);
  return value ? std::optional(std::chrono::milliseconds(*value)) : std::nullopt;
}

std::optional<Metadata> AdminArgs::string_map(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  Metadata out;
  if (!value->is_object()) refuse(key, "must be a map of strings");
  for (const auto& [name, text] : value->items()) {
    if (!text.is_string()) refuse(key, "must be a map of strings");
    out[name] = text.get<std::string>();
  }
  return out;
}

std::optional<std::vector<std::string>> AdminArgs::texts(std::string_view key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  if (!value->is_array()) refuse(key, "must be a list of strings");
  for (const auto& text : *value) {
    if (!text.is_string()) refuse(key, "must be a list of strings");
    out.push_back(text.get<std::string>());
  }
  return out;
}

void AdminArgs::done() const {
  if (!map_.empty()) refuse(map_.begin().key(), "is unknown here");
}

Json json_of(const Bytes& msgpack) {
  try {
    // The JSON reader recurses and trusts claimed sizes: look at the text first.
    const processhub::detail::Unpacked checked(msgpack);
    return Json::from_msgpack(msgpack);
  } catch (const std::exception& e) {
    throw BadRequest(std::string("no msgpack: ") + e.what());
  }
}

Bytes bytes_of(const Json& json) {
  Bytes out;
  Json::to_msgpack(json, nlohmann::detail::output_adapter<char>(out));
  return out;
}

Json spec_json(const ChildSpec& spec) {
  Json out{{"id", spec.id},
           {"type", spec.type},
           {"tag", spec.tag},
           {"restart", std::string(to_string(spec.restart))},
           {"executor", std::string(to_string(spec.executor))}};
  if (spec.max_restarts) out["max_restarts"] = *spec.max_restarts;
  if (spec.max_seconds) out["max_seconds"] = spec.max_seconds->count();
  if (spec.shutdown_timeout) out["shutdown_timeout"] = spec.shutdown_timeout->count();
  if (spec.passivate_after) out["passivate_after"] = spec.passivate_after->count();
  if (!spec.requires_role.empty()) out["requires_role"] = spec.requires_role;
  if (!spec.nodes.empty()) out["nodes"] = spec.nodes;
  return out;
}

ChildSpec spec_of(const Json& json, std::size_t index) {
  AdminArgs args("specs[" + std::to_string(index) + "]", json);
  ChildSpec spec;
  spec.id = args.text("id");
  spec.type = args.text("type");
  if (const auto value = args.take("args")) spec.args = Payload::raw(bytes_of(*value));
  spec.tag = args.text_or("tag", {});
  spec.restart = enum_of(args, "restart", spec.restart,
                         std::array{Restart::permanent, Restart::transient, Restart::temporary});
  spec.executor = enum_of(args, "executor", spec.executor, std::array{Executor::pooled, Executor::dedicated});
  spec.metadata = args.string_map("metadata").value_or(Metadata{});
  spec.max_restarts = args.count("max_restarts");
  spec.max_seconds = args.time("max_seconds");
  spec.shutdown_timeout = args.time("shutdown_timeout");
  spec.passivate_after = args.time("passivate_after");
  spec.requires_role = args.text_or("requires_role", {});
  spec.nodes = args.texts("nodes").value_or(std::vector<std::string>{});
  args.done();
  return spec;
}

Json to_json(const Error& error) {
  return {{"code", std::string(to_string(error.code))}, {"error", error.message}};
}

Error first_cause(const std::vector<Error>& errors) {
  if (errors.empty()) return {ErrorCode::unknown, "failed"};
  const auto cause = std::find_if(errors.begin(), errors.end(),
                                  [](const Error& e) { return e.code != ErrorCode::rolled_back; });
  return cause == errors.end() ? errors.front() : *cause;
}

Json to_json(const NodeInfo& node) {
  return {{"name", std::string(node.id.name())},
          {"incarnation", node.id.incarnation()},
          {"endpoint", node.endpoint},
          {"state", std::string(to_string(node.state))}};
}

Json to_json(const ChildInfo& child) {
  Json out{{"id", child.spec.id},
           {"type", child.spec.type},
           {"tag", child.spec.tag},
           {"instances", instances_json(child.instances)}};
  if (!child.failure.empty()) out["failure"] = child.failure;
  return out;
}

Json to_json_with_spec(const ChildInfo& child) {
  auto out = to_json(child);
  auto& spec = out["spec"] = spec_json(child.spec);
  if (!child.spec.args.empty()) spec["args"] = json_of_args(child.spec.args.bytes());
  out["metadata"] = child.spec.metadata;
  return out;
}

Json to_json(const HubStatus& status) {
  return {{"node", std::string(status.node.name())},
          {"incarnation", status.node.incarnation()},
          {"hub", status.hub_id},
          {"locked", status.locked},
          {"partitioned", status.partitioned},
          {"joined", status.joined},
          {"children_local", status.children_local},
          {"children_total", status.children_total},
          {"digest", hex16(status.digest)},
          {"stats", stats_json(status.stats)}};
}

Json to_json(const StartResult& result) {
  Json children = Json::array();
  for (const auto& child : result.children) {
    Json one{{"id", child.id}, {"instances", instances_json(child.instances)}};
    if (child.error) one.update(to_json(*child.error));
    children.push_back(std::move(one));
  }
  Json out{{"status", std::string(name_of(result.status))},
           {"rolled_back", result.rolled_back},
           {"children", std::move(children)}};
  add_first_error(out, result);
  return out;
}

Json to_json(const StopResult& result) {
  Json children = Json::array();
  for (const auto& child : result.children) {
    Json one{{"id", child.id}, {"nodes", child.nodes}};
    if (child.error) one.update(to_json(*child.error));
    children.push_back(std::move(one));
  }
  Json out{{"status", std::string(name_of(result.status))}, {"children", std::move(children)}};
  add_first_error(out, result);
  return out;
}

std::string hex16(std::uint64_t value) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 0xf];
  return out;
}

}  // namespace processhub::runtime
