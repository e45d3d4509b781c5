#include "transport/assembly/client_json.hpp"

#include <array>
#include <charconv>
#include <string>

namespace processhub::assembly {

namespace {

template <class E, std::size_t N>
E enum_named(const Json& object, const char* key, E fallback, const std::array<E, N>& all) {
  const auto text = object.value(key, std::string());
  for (const auto value : all)
    if (to_string(value) == text) return value;
  return fallback;
}

constexpr std::array kStates{InstanceState::starting, InstanceState::running,    InstanceState::moving,
                             InstanceState::stopping, InstanceState::restarting, InstanceState::failed,
                             InstanceState::released};
constexpr std::array kRoles{Role::none, Role::active, Role::passive};
constexpr std::array kNodeStates{NodeState::joining, NodeState::up,   NodeState::suspect, NodeState::indirect,
                                 NodeState::leaving, NodeState::down, NodeState::left};
constexpr std::array kStatuses{std::pair{CallStatus::ok, "ok"}, std::pair{CallStatus::partial, "partial"},
                               std::pair{CallStatus::failed, "failed"}};

/// Takes what stands behind the last `separator` off `text`.
std::uint64_t take_number(std::string_view& text, char separator) {
  const auto at = text.rfind(separator);
  std::uint64_t value = 0;
  const auto from = at == std::string_view::npos ? 0 : at + 1;
  std::from_chars(text.data() + from, text.data() + text.size(), value);
  text = text.substr(0, at == std::string_view::npos ? 0 : at);
  return value;
}

/// "name/incarnation/serial"
WorkerRef ref_of(std::string_view text) {
  WorkerRef ref;
  ref.serial = take_number(text, '/');
  const auto incarnation = take_number(text, '/');
  ref.node = NodeId::of(text, incarnation);
  return ref;
}

/// "epoch.restarts@node"
Generation generation_of(std::string_view text, NodeId node) {
  auto numbers = text.substr(0, text.find('@'));
  Generation generation;
  generation.node = node;
  generation.restarts = static_cast<std::uint32_t>(take_number(numbers, '.'));
  std::from_chars(numbers.data(), numbers.data() + numbers.size(), generation.epoch);
  return generation;
}

std::vector<Instance> instances_of(const Json& object) {
  std::vector<Instance> out;
  for (const auto& from : object.value("instances", Json::array())) {
    Instance instance;
    instance.ref = ref_of(from.at("ref").get<std::string>());
    instance.role = enum_named(from, "role", instance.role, kRoles);
    instance.state = enum_named(from, "state", instance.state, kStates);
    instance.generation = generation_of(from.at("generation").get<std::string>(), instance.ref.node);
    out.push_back(instance);
  }
  return out;
}

ErrorCode code_named(const std::string& name) {
  for (int code = 1; code < 256; ++code)
    if (to_string(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  return ErrorCode::unknown;
}

std::optional<Error> error_in(const Json& object) {
  if (!object.is_object() || !object.contains("code")) return std::nullopt;
  return Error{code_named(object.value("code", std::string())), object.value("error", std::string())};
}

ChildInfo child_of(const Json& from) {
  ChildInfo child;
  child.spec.id = from.at("id").get<std::string>();
  child.spec.type = from.at("type").get<std::string>();
  child.spec.tag = from.value("tag", std::string());
  child.failure = from.value("failure", std::string());
  child.instances = instances_of(from);
  if (const auto spec = from.find("spec"); spec != from.end()) child.spec = runtime::spec_of(*spec, 0);
  if (const auto data = from.find("metadata"); data != from.end())
    child.spec.metadata = data->get<Metadata>();
  return child;
}

CallStatus status_of(const Json& object) {
  const auto text = object.value("status", std::string());
  for (const auto& [status, name] : kStatuses)
    if (name == text) return status;
  return CallStatus::failed;
}

/// Reads the value of an answer; an error code without `also` in the value is an error.
template <class T, class Read>
Result<T> read_answer(std::string_view answer, const char* also, Read read) {
  if (answer.empty()) return {ErrorCode::unknown, "the node sent an empty answer"};
  const auto code = static_cast<ErrorCode>(answer.front());
  try {
    const auto json = runtime::json_of(Bytes(answer.substr(1)));
    const bool has_value = also != nullptr && json.is_object() && json.contains(also);
    if (code != ErrorCode{} && !has_value) {
      return Error{code, json.is_object() ? json.value("error", std::string()) : std::string()};
    }
    return read(json);
  } catch (const std::exception& e) {
    return {ErrorCode::unknown, std::string("the node's answer cannot be read: ") + e.what()};
  }
}

}  // namespace

Result<Json> json_of_specs(const std::vector<ChildSpec>& specs) {
  Json out = Json::array();
  for (const auto& spec : specs) {
    auto one = runtime::spec_json(spec);
    one["metadata"] = spec.metadata;
    try {
      if (!spec.args.empty()) one["args"] = runtime::json_of(spec.args.bytes());
    } catch (const std::exception& e) {
      return {ErrorCode::invalid, "child '" + spec.id + "': the arguments are " + e.what()};
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<StartResult> read_start(std::string_view answer) {
  return read_answer<StartResult>(answer, "children", [](const Json& json) {
    StartResult result;
    result.status = status_of(json);
    result.rolled_back = json.value("rolled_back", false);
    for (const auto& child : json.at("children"))
      result.children.push_back({child.at("id").get<std::string>(), instances_of(child), error_in(child)});
    return Result<StartResult>(std::move(result));
  });
}

Result<StopResult> read_stop(std::string_view answer) {
  return read_answer<StopResult>(answer, "children", [](const Json& json) {
    StopResult result;
    result.status = status_of(json);
    for (const auto& child : json.at("children"))
      result.children.push_back({child.at("id").get<std::string>(),
                                 child.value("nodes", std::vector<std::string>{}), error_in(child)});
    return Result<StopResult>(std::move(result));
  });
}

Result<void> read_nothing(std::string_view answer) {
  return read_answer<void>(answer, nullptr, [](const Json&) { return Result<void>(); });
}

Result<ChildInfo> read_child(std::string_view answer) {
  return read_answer<ChildInfo>(answer, nullptr,
                                [](const Json& json) { return Result<ChildInfo>(child_of(json)); });
}

Result<std::vector<ChildInfo>> read_children(std::string_view answer) {
  return read_answer<std::vector<ChildInfo>>(answer, nullptr, [](const Json& json) {
    std::vector<ChildInfo> out;
    for (const auto& child : json) out.push_back(child_of(child));
    return Result<std::vector<ChildInfo>>(std::move(out));
  });
}

Result<std::vector<NodeInfo>> read_nodes(std::string_view answer) {
  return read_answer<std::vector<NodeInfo>>(answer, nullptr, [](const Json& json) {
    std::vector<NodeInfo> out;
    for (const auto& from : json) {
      NodeInfo node;
      node.id = NodeId::of(from.at("name").get<std::string>(), from.at("incarnation").get<std::uint64_t>());
      node.endpoint = from.at("endpoint").get<std::string>();
      node.state = enum_named(from, "state", node.state, kNodeStates);
      out.push_back(std::move(node));
    }
    return Result<std::vector<NodeInfo>>(std::move(out));
  });
}

Result<Bytes> read_bytes(std::string_view answer) {
  return read_answer<Bytes>(answer, nullptr,
                            [answer](const Json&) { return Result<Bytes>(Bytes(answer.substr(1))); });
}

}  // namespace processhub::assembly
