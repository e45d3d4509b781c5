// The verbs of a plan that stand for what users do.
#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "transport/sim/plan_player.hpp"

namespace processhub::sim {
namespace {

/// "id/type/tag/restart", what is missing or empty is as usual; "x1..x300/slow" are three hundred.
void read_children(const std::string& word, std::vector<ChildSpec>& out) {
  std::vector<std::string> parts(1);
  for (const char c : word) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  parts.resize(4);
  for (const auto& id : expand({parts[0]})) {
    auto& spec = out.emplace_back();
    spec.id = id;
    spec.type = parts[1].empty() ? "counter" : parts[1];
    spec.tag = parts[2];
    if (!parts[3].empty()) spec.restart = parse_restart(parts[3]);
    spec.metadata["by"] = "swarm";
    spec.shutdown_timeout = std::chrono::milliseconds(1'000);
  }
}

bool take_flag(Words& words, std::string_view flag) {
  if (words.empty() || words.front() != flag) return false;
  words.erase(words.begin());
  return true;
}

}  // namespace

void guide(const SimCluster& cluster, std::vector<ChildSpec>& specs) {
  if (cluster.config().distribution.name != "guided") return;
  std::vector<std::string> names;
  for (const auto* node : cluster.running_nodes()) names.emplace_back(node->id().name());
  if (names.empty()) return;
  const auto& options = cluster.config().redundancy.options;
  const auto factor = options.find("factor");
  const bool all = factor != options.end() && factor->second == "cluster_size";
  const auto copies = all ? names.size()
                      : factor == options.end()
                          ? 1
                          : std::min<std::size_t>(std::stoul(factor->second), names.size());
  for (auto& spec : specs) {
    for (std::size_t i = 0; i < copies; ++i)
      spec.nodes.push_back(names[(hash64(spec.id) + i) % names.size()]);
  }
}

void PlanPlayer::start(Words& words) {
  const auto name = take_word(words);
  StartOptions options;
  options.timeout = take_timeout(words, options.timeout);
  if (take_flag(words, "rollback")) options.on_failure = OnFailure::rollback;
  if (take_flag(words, "unchecked")) options.check_existing = false;
  std::vector<ChildSpec> specs;
  for (const auto& word : words) read_children(word, specs);
  guide(cluster_, specs);
  if (running(name) != nullptr) cluster_.start(name, std::move(specs), options);
}

void PlanPlayer::stop(Words& words) {
  const auto name = take_word(words);
  StopOptions options;
  options.timeout = take_timeout(words, options.timeout);
  if (running(name) != nullptr) cluster_.stop(name, protocol::event::Select::ids, expand(words), options);
}

void PlanPlayer::stop_prefix(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.stop(name, protocol::event::Select::prefix, {take_word(words)});
}

void PlanPlayer::stop_tag(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.stop(name, protocol::event::Select::tag, {take_word(words)});
}

void PlanPlayer::metadata(Words& words) {
  const auto name = take_word(words);
  const auto id = take_word(words);
  const auto pair = take_word(words);
  const auto equals = pair.find('=');
  if (equals == std::string::npos) throw std::invalid_argument("metadata takes key=value");
  if (running(name) != nullptr)
    cluster_.metadata(name, id, {{pair.substr(0, equals), pair.substr(equals + 1)}});
}

void PlanPlayer::client(Words& words) {
  const auto name = take_word(words);
  take_keyword(words, "knows");
  if (known(name) == nullptr && !cluster_.has_client(name)) cluster_.add_client(name, words);
}

void PlanPlayer::call(Words& words) {
  const auto name = take_word(words);
  const auto id = take_word(words);
  const auto message = take_word(words);
  const auto amount = take_word(words);
  const auto number = take_word(words);
  const auto timeout = take_duration(words);
  if (speaks(name)) cluster_.call(name, id, message, amount + " " + number, timeout);
}

void PlanPlayer::cast(Words& words) {
  const auto name = take_word(words);
  const auto id = take_word(words);
  const auto amount = take_word(words);
  const auto number = take_word(words);
  if (speaks(name)) cluster_.cast(name, id, "add", amount + " " + number);
}

void PlanPlayer::broadcast(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.broadcast(name, take_word(words), "add", "1");
}

void PlanPlayer::crash_child(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.cast(name, take_word(words), "crash", {});
}

void PlanPlayer::restart_child(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.restart_child(name, take_word(words));
}

void PlanPlayer::migrate(Words& words) {
  const auto name = take_word(words);
  const auto id = take_word(words);
  const auto target = take_word(words);
  if (running(name) != nullptr) cluster_.migrate(name, id, target);
}

/// Without a duration the lock is forgotten: the hub frees it after its deadlock timeout.
void PlanPlayer::lock(Words& words) {
  const auto name = take_word(words);
  if (running(name) == nullptr) return;
  const auto& operation = cluster_.lock(name, "maintenance", 10);
  if (words.empty()) return;
  cluster_.scheduler().after(take_duration(words), [this, name, number = operation.number] {
    const auto& held = cluster_.operations()[number - 1];
    if (held.ok() && cluster_.find(held.node) != nullptr) cluster_.unlock(name, held.lock);
  });
}

void PlanPlayer::dispatch(Words& words) {
  const auto name = take_word(words);
  const auto scope = take_word(words) == "global" ? Scope::global : Scope::local;
  if (running(name) != nullptr) cluster_.dispatch(name, "news", "hello", scope);
}

}  // namespace processhub::sim
