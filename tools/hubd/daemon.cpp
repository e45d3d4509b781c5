#include "tools/hubd/daemon.hpp"

#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "core/listed.hpp"
#include "core/runtime/plugin_loader.hpp"
#include "processhub/plugin.hpp"
#include "tools/hubd/exit_code.hpp"

namespace processhub::hubd {
namespace {

/// How soon we notice that a hub ended by itself.
constexpr std::chrono::milliseconds kLookAgain{200};
/// timeout(1), systemd and terminals signal a process and its group: the same wish, told twice.
constexpr std::chrono::milliseconds kSameSignal{500};

struct Loaded {
  WorkerTypes types{};
  StrategyCatalog strategies{};
  HookFunctions hooks{};
};

Result<void> load_plugins(const NodeConfig& config, Loaded& loaded) {
  PluginRegistry registry{loaded.types, loaded.strategies, loaded.hooks};
  for (const auto& path : config.plugins) {
    auto ok = runtime::load_plugin(path, registry);
    if (ok) continue;
    std::error_code error;
    if (path.starts_with('/') || std::filesystem::exists(path, error)) return ok;
    return {ok.error().code, ok.error().message + " (a relative path starts at the working directory, " +
                                 std::filesystem::current_path(error).string() + ")"};
  }
  return {};
}

std::string listed(const std::vector<std::string>& names, const char* none) {
  return processhub::listed(
      names, [](const std::string& name) { return name; }, none);
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
                                    "'; there are: " + listed(types.names(), "none (no plugin is loaded)")};
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
  if (config.log_json) runtime::Logger::write_json();
  runtime::Logger log("hubd", {}, config.hubs.front().log_level);
  log.info(LogPart::hub, "hubd " PROCESSHUB_VERSION ", process " + std::to_string(::getpid()) +
                             ", plugins: " + listed(config.plugins, "none"));
  const auto hubs = std::make_shared<std::vector<Hub>>();
  for (const auto& hub : config.hubs) {
    auto started = Hub::start(hub, loaded.types, loaded.strategies, loaded.hooks);
    if (!started) return of_hub(hub, started.error());
    hubs->push_back(std::move(*started));
  }
  Daemon daemon(hubs, std::move(log));
  if (!config.metrics.empty()) {
    if (auto ok = daemon.offer_metrics(config.metrics); !ok) return ok.error();
  }
  return daemon;
}

Result<void> Daemon::offer_metrics(const std::string& address) {
  auto server = MetricsServer::start(address, [hubs = hubs_] {
    std::vector<Metrics> all;
    for (const auto& hub : *hubs) all.push_back(hub.metrics());
    return all;
  });
  if (!server) return server.error();
  metrics_ = std::move(*server);
  const auto host = address.substr(0, address.rfind(':'));
  log_.info(LogPart::hub, "metrics: http://" + host + ":" + std::to_string(metrics_->port()) + "/metrics");
  return {};
}

std::vector<std::string> Daemon::addresses() const {
  std::vector<std::string> out;
  for (const auto& hub : *hubs_) out.push_back(hub.endpoint());
  return out;
}

int Daemon::run(Signals& signals) {
  bool terminated = false;
  while (!terminated && signals.wait(kLookAgain) != Signals::Woken::signal) terminated = report_terminated();
  if (!terminated) log_.info(LogPart::hub, "asked to end");
  const bool stopped = stop_all(signals);
  return stopped && !terminated ? kOk : kRuntimeError;
}

/// True if a hub ended by itself; says why.
bool Daemon::report_terminated() const {
  bool any = false;
  for (const auto& hub : *hubs_) {
    const auto why = hub.termination_reason();
    if (why.empty()) continue;
    std::fprintf(stderr, "hubd: hub '%s' ended: %s\n", hub.hub_id().c_str(), why.c_str());
    any = true;
  }
  return any;
}

/// Hands the hub's children over and leaves its cluster. False: not everything was handed over.
bool Daemon::leave(Hub& hub) const {
  const bool ended_before = !hub.termination_reason().empty();
  const auto name = "hub '" + hub.hub_id() + "'";
  if (!ended_before)
    log_.info(LogPart::hub,
              name + ": draining; children here: " + std::to_string(hub.status().children_local));
  if (auto ok = hub.stop(); !ok && !ended_before) {
    std::fprintf(stderr, "hubd: %s: %s\n", name.c_str(), ok.error().c_str());
    return false;
  }
  if (!ended_before) log_.info(LogPart::hub, name + ": left");
  return true;
}

/// All at the same time, because each may wait for its cluster. A second signal ends the program at once.
bool Daemon::stop_all(Signals& signals) {
  std::atomic<std::size_t> running = hubs_->size();
  std::atomic<bool> clean = true;
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::jthread> stoppers;
  for (auto& hub : *hubs_) {
    stoppers.emplace_back([&] {
      if (!leave(hub)) clean = false;
      if (--running == 0) signals.ring();
    });
  }
  while (running > 0) {
    if (signals.wait(std::nullopt) != Signals::Woken::signal) continue;
    if (std::chrono::steady_clock::now() - began < kSameSignal) continue;
    std::fputs("hubd: second signal: not waiting for the drain\n", stderr);
    std::_Exit(kRuntimeError);
  }
  return clean;
}

}  // namespace processhub::hubd
