#include "core/config/child_options.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "core/config/values.hpp"

namespace processhub::config {
namespace {

/// More children than this come from a program, not from a file.
constexpr std::uint64_t kMaxCount = 1'000'000;

template <class Enum, std::size_t N>
Result<void> set_word(Enum& target, const std::array<Enum, N>& all, const std::string& text) {
  std::string words;
  for (const Enum e : all) {
    if (to_string(e) == text) {
      target = e;
      return {};
    }
    words += (words.empty() ? "" : " ") + std::string(to_string(e));
  }
  return expected("one of " + words, text);
}

Result<void> set_args(ChildSpec& spec, const std::string& text) {
  auto bytes = parse_json_to_msgpack(text);
  if (!bytes) return bytes.error();
  spec.args = Payload::raw(std::move(*bytes));
  return {};
}

Result<void> set_max_restarts(ChildSpec& spec, const std::string& text) {
  const auto value = parse_count(text, UINT32_MAX);
  if (!value) return value.error();
  spec.max_restarts = static_cast<std::uint32_t>(*value);
  return {};
}

template <auto Member>
Result<void> set_text(ChildSpec& spec, const std::string& text) {
  spec.*Member = text;
  return {};
}

template <auto Member>
Result<void> set_duration(ChildSpec& spec, const std::string& text) {
  const auto value = parse_duration(text);
  if (!value) return value.error();
  spec.*Member = *value;
  return {};
}

Result<void> set_nodes(ChildSpec& spec, const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) spec.nodes.push_back(word);
  return {};
}

std::string get_nodes(const ChildSpec& spec) {
  std::string text;
  for (const auto& node : spec.nodes) text += (text.empty() ? "" : " ") + node;
  return text;
}

template <auto Member>
std::string get_text(const ChildSpec& spec) {
  return spec.*Member;
}

template <auto Member>
std::string get_word(const ChildSpec& spec) {
  return std::string(to_string(spec.*Member));
}

template <auto Member>
std::string get_duration(const ChildSpec& spec) {
  return spec.*Member ? format_duration(*(spec.*Member)) : "";
}

constexpr std::array kRestarts{Restart::permanent, Restart::transient, Restart::temporary};
constexpr std::array kExecutors{Executor::pooled, Executor::dedicated};

const std::array kChildOptions{
    ChildOption{"type", "text", "worker type, as registered by a plugin; required",
                set_text<&ChildSpec::type>, get_text<&ChildSpec::type>},
    ChildOption{"args", "JSON", "arguments of the worker", set_args,
                [](const ChildSpec& s) { return msgpack_to_json(s.args.bytes()); }},
    ChildOption{"restart", "one of permanent transient temporary",
                "when it runs again after it ended; default: permanent",
                [](ChildSpec& s, const std::string& t) { return set_word(s.restart, kRestarts, t); },
                get_word<&ChildSpec::restart>},
    ChildOption{"executor", "one of pooled dedicated",
                "shares a pool of threads, or has one that may block; default: pooled",
                [](ChildSpec& s, const std::string& t) { return set_word(s.executor, kExecutors, t); },
                get_word<&ChildSpec::executor>},
    ChildOption{"tag", "text", "group for look-ups, broadcasts and stops", set_text<&ChildSpec::tag>,
                get_text<&ChildSpec::tag>},
    ChildOption{"max_restarts", "count", "crashes allowed within max_seconds; default: the hub's",
                set_max_restarts,
                [](const ChildSpec& s) { return s.max_restarts ? std::to_string(*s.max_restarts) : ""; }},
    ChildOption{"max_seconds", "ms, s, m or h", "window of max_restarts; default: the hub's",
                set_duration<&ChildSpec::max_seconds>, get_duration<&ChildSpec::max_seconds>},
    ChildOption{"shutdown_timeout", "ms, s, m or h", "time for the worker to stop; default: the hub's",
                set_duration<&ChildSpec::shutdown_timeout>, get_duration<&ChildSpec::shutdown_timeout>},
    ChildOption{
        "passivate_after", "ms, s, m or h",
        "idle for so long, the worker is put away with its state until the next message; default: never",
        set_duration<&ChildSpec::passivate_after>, get_duration<&ChildSpec::passivate_after>},
    ChildOption{"requires_role", "text", "runs only on nodes with this role",
                set_text<&ChildSpec::requires_role>, get_text<&ChildSpec::requires_role>},
    ChildOption{"nodes", "names, separated by spaces", "its nodes, for the distribution guided", set_nodes,
                get_nodes},
};

}  // namespace

std::span<const ChildOption> child_options() { return kChildOptions; }

AllowedKeys child_keys(bool with_count) {
  AllowedKeys keys;
  for (const auto& option : kChildOptions) keys.single.emplace_back(option.name);
  keys.single.push_back(std::string(kMetadataPrefix) + "*");
  if (with_count) keys.single.emplace_back(kCount);
  return keys;
}

Result<ChildSpec> make_child(std::string id, const std::vector<Setting>& settings) {
  ChildSpec spec;
  spec.id = std::move(id);
  for (const auto& setting : settings) {
    if (setting.key == kCount) continue;
    if (setting.key.starts_with(kMetadataPrefix)) {
      spec.metadata[setting.key.substr(kMetadataPrefix.size())] = setting.value;
      continue;
    }
    const auto* option = std::find_if(kChildOptions.begin(), kChildOptions.end(),
                                      [&](const ChildOption& o) { return o.name == setting.key; });
    if (auto ok = option->set(spec, setting.value); !ok) {
      return {ok.error().code, setting.where + ": " + ok.error().message};
    }
  }
  return spec;
}

Result<std::size_t> child_count(const std::vector<Setting>& settings) {
  const auto at =
      std::find_if(settings.begin(), settings.end(), [](const Setting& s) { return s.key == kCount; });
  if (at == settings.end()) return {ErrorCode::invalid, "count is missing: how many children?"};
  const auto count = parse_count(at->value, kMaxCount);
  if (!count) return {ErrorCode::invalid, at->where + ": " + count.error().message};
  return static_cast<std::size_t>(*count);
}

}  // namespace processhub::config
