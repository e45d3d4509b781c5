#include "tools/hubd/daemon.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "core/runtime/plugin_loader.hpp"
#include "processhub/plugin.hpp"
#include "tools/hubd/exit_code.hpp"

namespace processhub::hubd {
namespace {

/// How soon we notice that a hub ended by itself.
constexpr std::chrono::milliseconds kLookAgain{200};

struct Loaded {
  WorkerTypes types{};
  StrategyCatalog strategies{};
};

Result<void> load_plugins(const NodeConfig& config, Loaded& loaded) {
  PluginRegistry registry{loaded.types, loaded.strategies};
  for (const auto& path : config.plugins) {
    if (auto ok = runtime::load_plugin(path, registry); !ok) return ok;
  }
  return {};
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none (no plugin is loaded)" : text;
}

/// What only the whole program can check, before anything starts.
Result<void> check(const HubConfig& hub, const WorkerTypes& types) {
  if (hub.listen.empty()) {
    return {ErrorCode::invalid,
            "listen is not set: nobody could reach this hub (tcp://127.0.0.1:0 picks a free port)"};
  }
  for (const auto& child : hub.static_children) {
    if (types.find(child.type)) continue;
    return {ErrorCode::invalid, "child '" + child.id + "': there is no worker type '" + child.type +
                                    "'; there are: " + listed(types.names())};
  }
  return {};
}

Error of_hub(const HubConfig& hub, const Error& error) {
  return {error.code, "hub '" + hub.hub_id + "': " + error.message};
}

}  // namespace

Result<Daemon> Daemon::start(const NodeConfig& config) {
  Loaded loaded;
  if (auto ok = load_plugins(config, loaded); !ok) return ok.error();
  for (const auto& hub : config.hubs) {
    if (auto ok = check(hub, loaded.types); !ok) return of_hub(hub, ok.error());
  }
  std::vector<Hub> hubs;
  for (const auto& hub : config.hubs) {
    auto started = Hub::start(hub, loaded.types, loaded.strategies);
    if (!started) return of_hub(hub, started.error());
    hubs.push_back(std::move(*started));
  }
  return Daemon(std::move(hubs));
}

std::vector<std::string> Daemon::addresses() const {
  std::vector<std::string> out;
  for (const auto& hub : hubs_) out.push_back(hub.endpoint());
  return out;
}

int Daemon::run(Signals& signals) {
  bool terminated = false;
  while (!terminated && signals.wait(kLookAgain) != Signals::Woken::signal) terminated = report_terminated();
  const bool stopped = stop_all(signals);
  return stopped && !terminated ? kOk : kRuntimeError;
}

/// True if a hub ended by itself; says why.
bool Daemon::report_terminated() const {
  bool any = false;
  for (const auto& hub : hubs_) {
    const auto why = hub.termination_reason();
    if (why.empty()) continue;
    std::fprintf(stderr, "hubd: hub '%s' ended: %s\n", hub.hub_id().c_str(), why.c_str());
    any = true;
  }
  return any;
}

/// All at the same time, because each may wait for its cluster. A second signal ends the program at once.
bool Daemon::stop_all(Signals& signals) {
  std::atomic<std::size_t> running = hubs_.size();
  std::atomic<bool> clean = true;
  std::vector<std::jthread> stoppers;
  for (auto& hub : hubs_) {
    stoppers.emplace_back([&] {
      const bool ended_before = !hub.termination_reason().empty();
      if (auto ok = hub.stop(); !ok && !ended_before) {
        std::fprintf(stderr, "hubd: hub '%s': %s\n", hub.hub_id().c_str(), ok.error().c_str());
        clean = false;
      }
      if (--running == 0) signals.ring();
    });
  }
  while (running > 0) {
    if (signals.wait(std::nullopt) != Signals::Woken::signal) continue;
    std::fputs("hubd: second signal: not waiting for the drain\n", stderr);
    std::_Exit(kRuntimeError);
  }
  return clean;
}

}  // namespace processhub::hubd
