#include "tools/hub-bench/cluster.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace processhub::hub_bench {
namespace {

/// Runs follow each other, and an old node must not find a new cluster.
std::string new_hub_id() {
  static int count = 0;
  return "bench-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

void pause_between_looks() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

Cluster::Cluster(std::uint32_t nodes, const std::vector<double>& weights)
    : board_(SharedBoard::create()), hub_id_(new_hub_id()) {
  for (std::uint32_t i = 0; i < nodes; ++i) {
    prepare_node();
    const auto answer = nodes_[i].ask(hub_command(i, i < weights.size() ? weights[i] : 1.0));
    endpoints_.push_back(answer.at("endpoint"));
  }
  wait_nodes();
}

Json Cluster::hub_command(std::uint32_t index, double weight) const {
  return {
      {"do", "hub"}, {"hub_id", hub_id_}, {"name", name(index)}, {"seeds", endpoints_}, {"weight", weight}};
}

void Cluster::prepare_node() {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  slot(index).alive = true;
  nodes_.emplace_back(index, board_.descriptor());
}

void Cluster::wait_nodes() {
  for (auto& node : nodes_) node.ask({{"do", "wait_nodes"}, {"count", nodes_.size()}});
}

std::int64_t Cluster::join_last(std::uint64_t children) {
  ++watch_;
  watched_ = children;
  const Json task{{"do", "watch"}, {"number", watch_}, {"count", children}};
  for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) nodes_[i].ask(task);
  auto command = hub_command(nodes_.back().slot(), 1.0);
  command["watch"] = task;
  const auto answer = nodes_.back().ask(command);
  endpoints_.push_back(answer.at("endpoint"));
  return answer.at("since");
}

void Cluster::watch(std::uint64_t children, const std::string& avoid) {
  ++watch_;
  watched_ = children;
  for (auto& node : nodes_) {
    node.ask({{"do", "watch"}, {"number", watch_}, {"count", children}, {"avoid", avoid}});
  }
}

std::int64_t Cluster::kill(std::uint32_t index) {
  slot(index).alive = false;
  const auto since = now_ns();
  nodes_[index].kill();
  return since;
}

bool Cluster::agree() const {
  std::uint64_t digest = 0;
  bool first = true;
  for (const auto& slot : board_->nodes) {
    if (!slot.alive) continue;
    if (slot.watch != watch_ || slot.total != watched_ || slot.running != watched_) return false;
    if (!first && slot.digest != digest) return false;
    digest = slot.digest;
    first = false;
  }
  return !first;
}

std::int64_t Cluster::last_change() const {
  std::int64_t last = 0;
  for (const auto& slot : board_->nodes) {
    if (slot.alive) last = std::max(last, slot.changed_at.load());
  }
  return last;
}

void Cluster::expect_in_time(std::int64_t deadline) const {
  if (now_ns() < deadline) return;
  std::string seen;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& slot = board_->nodes[i];
    seen += fmt::format(" {}{}: {} children, {} running, digest {:x};", name(static_cast<std::uint32_t>(i)),
                        slot.alive ? "" : " (killed)", slot.total.load(), slot.running.load(),
                        slot.digest.load());
  }
  throw std::runtime_error(
      fmt::format("registries do not agree on {} children within two minutes:{}", watched_, seen));
}

std::uint64_t Cluster::live_on(std::uint32_t index) const {
  const auto& live = board_->nodes.at(index).live;
  return static_cast<std::uint64_t>(
      std::count_if(live.begin(), live.end(), [](const auto& l) { return l.load() != 0; }));
}

Cluster::Census Cluster::census(std::uint64_t children) {
  Census census;
  census.doubled = board_->doubled;
  for (std::uint64_t i = 0; i < children; ++i) {
    std::uint64_t workers = 0;
    for (const auto& slot : board_->nodes) workers += slot.alive ? slot.live[i].load() : 0U;
    census.lost += workers == 0 ? 1U : 0U;
    census.doubled += workers > 1 ? 1U : 0U;
  }
  for (auto& node : nodes_) {
    if (!slot(node.slot()).alive) continue;
    const auto counted = node.ask({{"do", "count_instances"}});
    const auto once = counted.at("once").get<std::uint64_t>();
    const auto several = counted.at("several").get<std::uint64_t>();
    census.lost = std::max(census.lost, children - std::min(children, once + several));
    census.doubled = std::max(census.doubled, several);
  }
  return census;
}

}  // namespace processhub::hub_bench
