#include "core/config/option_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/config/values.hpp"
#include "core/log_levels.hpp"

namespace processhub::config {
namespace {

using H = HubConfig;
using S = SecurityConfig;

const std::array kHubOptions{
    Option{kHubId, &H::hub_id, Unit::text, "nodes with the same id form the cluster"},
    Option{"listen", &H::listen, Unit::address, "where this hub is reached; port 0 picks a free one"},
    Option{"pub_listen", &H::pub_listen, Unit::address,
           "where it publishes; default: the host of listen, a free port"},
    Option{"advertise", &H::advertise, Unit::address,
           "what peers are told instead of listen; needed if that is a wildcard"},
    Option{"pub_advertise", &H::pub_advertise, Unit::address, "the same for pub_listen"},
    Option{"seed", &H::seeds, Unit::address,
           "tried to find the cluster; this node's own address may be among them"},
    Option{"weight", &H::weight, Unit::number,
           "share of children relative to other nodes; 0: none unless it is the only choice"},
    Option{"zone", &H::zone, Unit::text, "failure zone, for spreading replicas"},
    Option{"role", &H::roles, Unit::text, "what children may require of a node"},
    Option{"distribution", &H::distribution, Unit::strategy, "which nodes own a child; cluster-wide"},
    Option{"redundancy", &H::redundancy, Unit::strategy, "how many nodes run a child; cluster-wide"},
    Option{"migration", &H::migration, Unit::strategy,
           "how a child moves between living nodes; cluster-wide"},
    Option{"synchronization", &H::synchronization, Unit::strategy,
           "how facts reach the other nodes; cluster-wide"},
    Option{"partition_tolerance", &H::partition_tolerance, Unit::strategy,
           "which side of a cut cluster goes on; cluster-wide"},

    Option{"discover_interval", &H::discover_interval, Unit::duration,
           "seeds and lost members are tried this often", 1},
    Option{"sync_interval", &H::sync_interval, Unit::duration,
           "how long digests may differ before everything is compared", 1},
    Option{"heartbeat_interval", &H::heartbeat_interval, Unit::duration,
           "one small publication each; a fifth of suspect_after or less", 1},
    Option{"suspect_after", &H::suspect_after, Unit::duration,
           "silence before probes start; longer than a tolerable pause", 1},
    Option{"probe_timeout", &H::probe_timeout, Unit::duration, "how long an answer to a probe may take", 1},
    Option{"probe_peers", &H::probe_peers, Unit::count, "peers asked to probe a suspect"},
    Option{"stall_limit", &H::stall_limit, Unit::duration,
           "after a longer gap in its own loop a node trusts nothing it believed", 1},
    Option{"join_timeout", &H::join_timeout, Unit::duration,
           "a silent seed does not hold up the start longer"},
    Option{"drain_timeout", &H::drain_timeout, Unit::duration,
           "a graceful leave gives up waiting for moves after this"},
    Option{"deadlock_recovery_timeout", &H::deadlock_recovery_timeout, Unit::duration,
           "a lock held longer is freed and reported", 1},
    Option{"purge_interval", &H::purge_interval, Unit::duration,
           "how often members that are gone for good are forgotten", 1},
    Option{"migration_timeout", &H::migration_timeout, Unit::duration,
           "one move; after it the next pass tries again", 1},
    Option{"max_concurrent_moves", &H::max_concurrent_moves, Unit::count, "moves under way to one node", 1},
    Option{"spec_copies", &H::spec_copies, Unit::count,
           "other nodes that confirm a start or stop; all, if there are fewer"},

    Option{"max_restarts", &H::max_restarts, Unit::count,
           "crashes of a child within max_seconds before it is failed"},
    Option{"max_seconds", &H::max_seconds, Unit::duration, "window of max_restarts", 1},
    Option{"restart_backoff", &H::restart_backoff, Unit::duration,
           "wait before the second restart in the window; doubles"},
    Option{"restart_backoff_max", &H::restart_backoff_max, Unit::duration, "longest such wait"},
    Option{"shutdown_timeout", &H::shutdown_timeout, Unit::duration, "time for a worker to stop"},

    Option{"pool_threads", &H::pool_threads, Unit::count,
           "threads for pooled workers; 0: one per core, at least 2"},
    Option{"mailbox_limit", &H::mailbox_limit, Unit::count, "messages waiting at one child", 1},
    Option{"mailbox_bytes", &H::mailbox_bytes, Unit::bytes,
           "the same in bytes; an empty mailbox takes a message of any size", 1024},
    Option{"mailbox_policy", &H::mailbox_policy, Unit::choice,
           "what happens to messages for a full mailbox; block is for local senders", 0,
           "reject drop_oldest block"},
    Option{"turn_batch", &H::turn_batch, Unit::count, "messages per turn of a pooled worker", 1},
    Option{"inline_limit", &H::inline_limit, Unit::duration,
           "an inline handler that takes longer is counted and named", 1},
    Option{"max_message_size", &H::max_message_size, Unit::bytes, "larger messages are refused on both ends",
           1024},
    Option{"link_ring_bytes", &H::link_ring_bytes, Unit::bytes, "unacknowledged bytes kept per peer and lane",
           1 << 20},
    Option{"command_queue", &H::command_queue, Unit::count,
           "commands waiting for the loop before callers are told overloaded", 1},

    Option{"insecure", &S::insecure, Unit::flag, "allow other than loopback addresses without keys"},
    Option{"secret_key_file", &S::secret_key_file, Unit::file,
           "this node's key pair, made by hubctl keygen; without it nothing is encrypted"},
    Option{"server_key_file", &S::server_key_file, Unit::file,
           "key pair that all nodes share and present to those who connect; default: secret_key_file"},
    Option{"allow_dir", &S::allow_dir, Unit::file,
           "folder of public keys that may connect; read again when it changes"},
    Option{"hook_timeout", &H::hook_timeout, Unit::duration,
           "child_data hooks of one start that take longer refuse it", 1},
    Option{"log_level", &H::log_level, Unit::log_levels,
           "what is written to stderr; for some components another level: info,links=debug"},
};

constexpr std::array<StrategyKind, 5> kStrategyKinds{{{"distribution", &H::distribution},
                                                      {"redundancy", &H::redundancy},
                                                      {"migration", &H::migration},
                                                      {"synchronization", &H::synchronization},
                                                      {"partition_tolerance", &H::partition_tolerance}}};

/// More than any use, and small enough that sums of durations in microseconds cannot overflow.
constexpr HubConfig::ms kLongest = std::chrono::hours(24 * 365);

template <class T>
Result<void> assign(T& target, Result<T> parsed) {
  if (!parsed) return parsed.error();
  target = std::move(*parsed);
  return {};
}

template <class Number>
Result<void> assign_count(Number& target, Unit unit, const std::string& text) {
  const auto parsed =
      unit == Unit::bytes ? parse_size(text) : parse_count(text, std::numeric_limits<Number>::max());
  if (!parsed) return parsed.error();
  target = static_cast<Number>(*parsed);
  return {};
}

/// One overload per type a member can have.
struct Setter {
  HubConfig& config;
  const Option& option;
  const std::vector<std::string>& values;

  const std::string& text() const { return values.back(); }
  Result<void> operator()(std::string H::*m) const { return assign(config.*m, Result(text())); }
  Result<void> operator()(std::string S::*m) const { return assign(config.security.*m, Result(text())); }
  Result<void> operator()(std::vector<std::string> H::*m) const { return assign(config.*m, Result(values)); }
  Result<void> operator()(StrategyChoice H::*m) const { return assign((config.*m).name, Result(text())); }
  Result<void> operator()(double H::*m) const { return assign(config.*m, parse_real(text())); }
  Result<void> operator()(bool S::*m) const { return assign(config.security.*m, parse_flag(text())); }
  Result<void> operator()(HubConfig::ms H::*m) const { return assign(config.*m, parse_duration(text())); }
  Result<void> operator()(std::uint32_t H::*m) const { return assign_count(config.*m, option.unit, text()); }
  Result<void> operator()(std::uint64_t H::*m) const { return assign_count(config.*m, option.unit, text()); }
};

struct Formatter {
  const HubConfig& config;
  const Option& option;

  using Texts = std::vector<std::string>;
  static Texts unless_empty(const std::string& text) { return text.empty() ? Texts{} : Texts{text}; }
  Texts count(std::uint64_t value) const {
    return {option.unit == Unit::bytes ? format_size(value) : std::to_string(value)};
  }
  Texts operator()(std::string H::*m) const { return unless_empty(config.*m); }
  Texts operator()(std::string S::*m) const { return unless_empty(config.security.*m); }
  Texts operator()(std::vector<std::string> H::*m) const { return config.*m; }
  Texts operator()(StrategyChoice H::*m) const { return unless_empty((config.*m).name); }
  Texts operator()(double H::*m) const { return {format_real(config.*m)}; }
  Texts operator()(bool S::*m) const { return {config.security.*m ? "true" : "false"}; }
  Texts operator()(HubConfig::ms H::*m) const { return {format_duration(config.*m)}; }
  Texts operator()(std::uint32_t H::*m) const { return count(config.*m); }
  Texts operator()(std::uint64_t H::*m) const { return count(config.*m); }
};

bool is_choice(std::string_view choices, const std::string& word) {
  const std::string padded = " " + std::string(choices) + " ";
  return !word.empty() && word.find(' ') == std::string::npos &&
         padded.find(" " + word + " ") != std::string::npos;
}

struct Checker {
  const HubConfig& config;
  const Option& option;

  Result<void> at_least(std::uint64_t value, const std::string& least, const std::string& text) const {
    if (value < option.least) return expected("at least " + least, text);
    return {};
  }
  Result<void> count(std::uint64_t value) const {
    return option.unit == Unit::bytes ? at_least(value, format_size(option.least), format_size(value))
                                      : at_least(value, std::to_string(option.least), std::to_string(value));
  }
  Result<void> operator()(std::string H::*m) const {
    if (option.unit == Unit::log_levels) {
      const auto levels = LogLevels::parse(config.*m);
      return levels ? Result<void>() : levels.error();
    }
    if (option.unit != Unit::choice || is_choice(option.choices, config.*m)) return {};
    return expected("one of " + std::string(option.choices), config.*m);
  }
  Result<void> operator()(std::string S::*) const { return {}; }
  Result<void> operator()(std::vector<std::string> H::*m) const {
    for (const auto& value : config.*m) {
      if (value.empty()) return {ErrorCode::invalid, "expected a value, not nothing"};
    }
    return {};
  }
  Result<void> operator()(StrategyChoice H::*m) const {
    if ((config.*m).name.empty()) return {ErrorCode::invalid, "expected the name of a strategy, not nothing"};
    return {};
  }
  Result<void> operator()(double H::*m) const {
    if (std::isfinite(config.*m) && config.*m >= 0) return {};
    return expected("a number of 0 or more", format_real(config.*m));
  }
  Result<void> operator()(bool S::*) const { return {}; }
  Result<void> operator()(HubConfig::ms H::*m) const {
    const auto least = HubConfig::ms(static_cast<std::int64_t>(option.least));
    if (config.*m < least) return expected("at least " + format_duration(least), format_duration(config.*m));
    if (config.*m > kLongest)
      return expected("at most " + format_duration(kLongest), format_duration(config.*m));
    return {};
  }
  Result<void> operator()(std::uint32_t H::*m) const { return count(config.*m); }
  Result<void> operator()(std::uint64_t H::*m) const { return count(config.*m); }
};

}  // namespace

std::span<const Option> hub_options() { return kHubOptions; }

const Option* find_hub_option(std::string_view name) {
  const auto* at =
      std::find_if(kHubOptions.begin(), kHubOptions.end(), [&](const Option& o) { return o.name == name; });
  return at == kHubOptions.end() ? nullptr : &*at;
}

std::vector<std::string> hub_option_names() {
  std::vector<std::string> names;
  for (const auto& option : kHubOptions) names.emplace_back(option.name);
  return names;
}

std::string unit_text(const Option& option) {
  switch (option.unit) {
    case Unit::text:
      return "text";
    case Unit::address:
      return "tcp://HOST:PORT";
    case Unit::file:
      return "path";
    case Unit::choice:
      return "one of " + std::string(option.choices);
    case Unit::log_levels:
      return "trace, debug, info, warn, error or off, and PART=LEVEL";
    case Unit::strategy:
      return "strategy";
    case Unit::number:
      return "number";
    case Unit::count:
      return "count";
    case Unit::bytes:
      return "bytes, KiB, MiB or GiB";
    case Unit::duration:
      return "ms, s, m or h";
    case Unit::flag:
      return "true or false";
  }
  return "";
}

Result<void> set_option(HubConfig& config, const Option& option, const std::vector<std::string>& values) {
  return std::visit(Setter{config, option, values}, option.member);
}

std::vector<std::string> option_values(const HubConfig& config, const Option& option) {
  return std::visit(Formatter{config, option}, option.member);
}

Result<void> check_option(const HubConfig& config, const Option& option) {
  return std::visit(Checker{config, option}, option.member);
}

std::span<const StrategyKind> strategy_kinds() { return kStrategyKinds; }

const StrategyKind* find_strategy_kind(std::string_view name) {
  const auto* at = std::find_if(kStrategyKinds.begin(), kStrategyKinds.end(),
                                [&](const StrategyKind& k) { return k.name == name; });
  return at == kStrategyKinds.end() ? nullptr : &*at;
}

}  // namespace processhub::config
