// What a hub's options demand, one by one and of each other.
#include <algorithm>
#include <functional>
#include <set>

#include "core/config/draft.hpp"
#include "core/config/hook_options.hpp"
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"

namespace processhub::config {
namespace {

using Found = std::optional<Problem>;

constexpr std::uint32_t kMostThreads = 1024;
constexpr std::size_t kMaxName = 255;

Found problem(std::string option, std::string text, std::size_t index = 0) {
  return Problem{std::move(option), index, std::move(text)};
}

Found each_option(const HubConfig& c) {
  for (const auto& option : hub_options()) {
    if (auto ok = check_option(c, option); !ok) return problem(std::string(option.name), ok.error().message);
  }
  return {};
}

Found names(const HubConfig& c) {
  if (auto text = name_problem(c.hub_id); !text.empty()) return problem(std::string(kHubId), text);
  if (c.name.empty()) return {};
  if (auto text = name_problem(c.name); !text.empty()) return problem(std::string(kName), text);
  return {};
}

enum class Use : std::uint8_t { bind, reach };

/// A bind address may have port 0 or be a wildcard; one that others shall reach may not.
Found address(const std::string& option, const std::string& text, Use use, std::size_t index = 0) {
  if (text.empty()) return {};
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return problem(option, endpoint.error().message, index);
  if (use == Use::bind) return {};
  if (endpoint->is_wildcard())
    return problem(option, "expected an address that others can reach, not '" + text + "'", index);
  if (endpoint->port == 0) return problem(option, "expected a port from 1 to 65535, not 0", index);
  return {};
}

Found addresses(const HubConfig& c) {
  if (auto p = address("listen", c.listen, Use::bind)) return p;
  if (auto p = address("pub_listen", c.pub_listen, Use::bind)) return p;
  if (auto p = address("advertise", c.advertise, Use::reach)) return p;
  if (auto p = address("pub_advertise", c.pub_advertise, Use::reach)) return p;
  for (std::size_t i = 0; i < c.seeds.size(); ++i) {
    if (auto p = address("seed", c.seeds[i], Use::reach, i)) return p;
  }
  return {};
}

Found wildcard_has_advertise(const std::string& option, const std::string& bind,
                             const std::string& advertise_option, const std::string& advertise) {
  if (bind.empty() || !advertise.empty() || !parse_endpoint(bind)->is_wildcard()) return {};
  return problem(option, "'" + bind + "' listens on every address, so " + advertise_option +
                             " must say which one peers shall use");
}

Found wildcards(const HubConfig& c) {
  if (auto p = wildcard_has_advertise("listen", c.listen, "advertise", c.advertise)) return p;
  return wildcard_has_advertise("pub_listen", c.pub_listen, "pub_advertise", c.pub_advertise);
}

Found keys(const HubConfig& c) {
  const auto& s = c.security;
  if (s.secret_key_file.empty()) {
    if (!s.server_key_file.empty())
      return problem("server_key_file", "means nothing without secret_key_file");
    if (!s.allow_dir.empty()) return problem("allow_dir", "means nothing without secret_key_file");
    return {};
  }
  if (s.insecure) return problem("insecure", "must be false when secret_key_file is set");
  if (!s.server_key_file.empty() && s.allow_dir.empty()) {
    return problem("server_key_file", "needs allow_dir: with a key pair per node it says who may connect");
  }
  return {};
}

/// Without encryption a hub must not be reachable from other machines by accident.
Found exposure(const HubConfig& c) {
  if (!c.security.secret_key_file.empty() || c.security.insecure) return {};
  for (const auto& [option, text] : {std::pair{"listen", &c.listen}, {"pub_listen", &c.pub_listen}}) {
    if (text->empty() || parse_endpoint(*text)->is_loopback()) continue;
    return problem(option,
                   "'" + *text +
                       "' can be reached from other machines: set secret_key_file, or insecure = true "
                       "if the network is trusted");
  }
  return {};
}

Found times(const HubConfig& c) {
  if (c.heartbeat_interval * 2 > c.suspect_after) {
    return problem("heartbeat_interval", "expected at most half of suspect_after (" +
                                             format_duration(c.suspect_after) + "), not '" +
                                             format_duration(c.heartbeat_interval) + "'");
  }
  if (c.restart_backoff > c.restart_backoff_max) {
    return problem("restart_backoff", "expected at most restart_backoff_max (" +
                                          format_duration(c.restart_backoff_max) + "), not '" +
                                          format_duration(c.restart_backoff) + "'");
  }
  return {};
}

Found threads(const HubConfig& c) {
  if (c.pool_threads <= kMostThreads) return {};
  return problem("pool_threads",
                 expected("at most " + std::to_string(kMostThreads), std::to_string(c.pool_threads)).message);
}

Found children(const HubConfig& c) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < c.static_children.size(); ++i) {
    const auto& spec = c.static_children[i];
    if (auto ok = validate(spec); !ok) return problem("child", ok.error().message, i);
    if (!ids.insert(spec.id).second)
      return problem("child", "there are two children with the id '" + spec.id + "'", i);
  }
  return {};
}

Found hooks(const HubConfig& c) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < c.hooks.size(); ++i) {
    const auto& hook = c.hooks[i];
    if (auto text = hook_problem(hook); !text.empty()) return problem("hook", text, i);
    if (!ids.insert(hook.id).second)
      return problem("hook", "there are two hooks with the id '" + hook.id + "'", i);
  }
  return {};
}

}  // namespace

std::string name_problem(std::string_view name) {
  const auto bad = [](unsigned char c) { return c <= ' ' || c == 127; };
  if (name.empty() || name.size() > kMaxName || std::any_of(name.begin(), name.end(), bad)) {
    return expected("a name of 1 to 255 bytes without spaces", name).message;
  }
  return {};
}

std::optional<Problem> find_problem(const HubConfig& config) {
  for (const auto& check :
       {each_option, names, addresses, wildcards, keys, exposure, times, threads, children, hooks}) {
    if (auto found = check(config)) return found;
  }
  return std::nullopt;
}

}  // namespace processhub::config
