#include "processhub/child.hpp"

#include <algorithm>

namespace processhub {

namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxArgs = 16ULL << 20;      // a spec travels in one frame, with room to spare
constexpr std::size_t kMaxMetadata = 64ULL << 10;  // it is kept on every node

/// Everything but control characters and spaces; other languages' letters (UTF-8) are fine.
bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u > 0x20 && u != 0x7f;
  });
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char c : text.substr(0, 64)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > 64 ? "…'" : "'");
}

Result<void> check_name(std::string_view field, std::string_view text, bool may_be_empty) {
  const std::string what(field);
  if (text.empty() && !may_be_empty) return {ErrorCode::invalid, what + " is empty"};
  if (text.size() > kMaxName)
    return {ErrorCode::invalid, what + " " + in_quotes(text) + " is longer than 255 bytes"};
  if (!printable(text))
    return {ErrorCode::invalid, what + " " + in_quotes(text) + " has spaces or control characters"};
  return {};
}

Result<void> check_metadata(const Metadata& metadata) {
  std::size_t total = 0;
  for (const auto& [key, value] : metadata) {
    if (key.empty()) return {ErrorCode::invalid, "metadata has an empty key"};
    total += key.size() + value.size();
  }
  if (total > kMaxMetadata) return {ErrorCode::invalid, "metadata is larger than 64 KiB"};
  return {};
}

Result<void> check_limits(const ChildSpec& spec) {
  if (spec.args.bytes().size() > kMaxArgs) return {ErrorCode::invalid, "args are larger than 16 MiB"};
  if (spec.restart > Restart::temporary) return {ErrorCode::invalid, "restart is no known kind"};
  if (spec.executor > Executor::dedicated) return {ErrorCode::invalid, "executor is no known kind"};
  if (spec.max_seconds && spec.max_seconds->count() <= 0)
    return {ErrorCode::invalid, "max_seconds must be above 0"};
  if (spec.shutdown_timeout && spec.shutdown_timeout->count() < 0) {
    return {ErrorCode::invalid, "shutdown_timeout must not be negative"};
  }
  if (spec.passivate_after && spec.passivate_after->count() <= 0)
    return {ErrorCode::invalid, "passivate_after must be above 0"};
  return {};
}

template <class Children>
std::vector<Error> errors_of(const Children& children) {
  std::vector<Error> out;
  for (const auto& child : children) {
    if (child.error) out.push_back(*child.error);
  }
  return out;
}

template <class Children>
std::vector<std::string> ids_without_error(const Children& children) {
  std::vector<std::string> out;
  for (const auto& child : children) {
    if (!child.error) out.push_back(child.id);
  }
  return out;
}

Result<void> check_nodes(const std::vector<std::string>& nodes) {
  for (const auto& node : nodes) {
    if (auto good = check_name("nodes", node, false); !good) return good;
  }
  return {};
}

}  // namespace

std::string_view to_string(Restart restart) {
  switch (restart) {
    case Restart::permanent:
      return "permanent";
    case Restart::transient:
      return "transient";
    case Restart::temporary:
      return "temporary";
  }
  return "?";
}

std::string_view to_string(Executor executor) {
  switch (executor) {
    case Executor::pooled:
      return "pooled";
    case Executor::dedicated:
      return "dedicated";
  }
  return "?";
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::none:
      return "none";
    case Role::active:
      return "active";
    case Role::passive:
      return "passive";
  }
  return "?";
}

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::starting:
      return "starting";
    case InstanceState::running:
      return "running";
    case InstanceState::moving:
      return "moving";
    case InstanceState::stopping:
      return "stopping";
    case InstanceState::restarting:
      return "restarting";
    case InstanceState::failed:
      return "failed";
    case InstanceState::released:
      return "released";
  }
  return "?";
}

std::string_view to_string(StartReason reason) {
  switch (reason) {
    case StartReason::first:
      return "first";
    case StartReason::restart:
      return "restart";
    case StartReason::takeover:
      return "takeover";
    case StartReason::move:
      return "move";
    case StartReason::activation:
      return "activation";
  }
  return "?";
}

std::string_view to_string(ChildState s) {
  switch (s) {
    case ChildState::running:
      return "running";
    case ChildState::absent:
      return "absent";
    case ChildState::failed:
      return "failed";
    case ChildState::gone:
      return "gone";
  }
  return "?";
}

ChildNews news_of(const std::string& id, const std::optional<ChildInfo>& child) {
  ChildNews news;
  news.id = id;
  if (!child) return news;
  if (!child->failure.empty()) {
    news.state = ChildState::failed;
    news.why = child->failure;
  } else if (const auto* active = child->active()) {
    news.state = ChildState::running;
    news.node = active->ref.node;
    news.generation = active->generation;
  } else {
    news.state = ChildState::absent;
  }
  return news;
}

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::user:
      return "user";
    case StopReason::move:
      return "move";
    case StopReason::conflict:
      return "conflict";
    case StopReason::shutdown:
      return "shutdown";
    case StopReason::crash:
      return "crash";
    case StopReason::no_quorum:
      return "no_quorum";
    case StopReason::restart:
      return "restart";
    case StopReason::passivation:
      return "passivation";
  }
  return "?";
}

std::vector<std::string> StartResult::ids() const { return ids_without_error(children); }

std::vector<std::string> StartResult::nodes() const {
  std::vector<std::string> out;
  for (const auto& child : children) {
    for (const auto& instance : child.instances) out.emplace_back(instance.ref.node.name());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<Error> StartResult::errors() const { return errors_of(children); }

std::vector<std::string> StopResult::ids() const { return ids_without_error(children); }

std::vector<Error> StopResult::errors() const { return errors_of(children); }

void apply(const StartOptions& options, ChildSpec& spec) {
  if (spec.tag.empty()) spec.tag = options.tag;
  for (const auto& [key, value] : options.metadata) spec.metadata.try_emplace(key, value);
}

Result<void> validate(const ChildSpec& spec) {
  if (auto id = check_name("id", spec.id, false); !id) return id;
  for (const auto& check : {check_name("type", spec.type, false), check_name("tag", spec.tag, true),
                            check_name("requires_role", spec.requires_role, true), check_nodes(spec.nodes),
                            check_metadata(spec.metadata), check_limits(spec)}) {
    if (!check) return {check.error().code, "child " + in_quotes(spec.id) + ": " + check.error().message};
  }
  return {};
}

}  // namespace processhub
