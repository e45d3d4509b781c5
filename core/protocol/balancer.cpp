#include "core/protocol/balancer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace processhub::protocol {

namespace {

/// After this a child that was promised to a node is known as its own, or will never be.
constexpr Duration kPromise = std::chrono::seconds(2);
/// A batch is spread in at most so many steps.
constexpr std::uint64_t kSteps = 1000;

/// It may come from anywhere.
double share(double value) { return value >= 0 && value <= 1 ? value : value > 1 ? 1 : 0; }

LoadSample sane(double cpu, double run_queue, double memory) {
  constexpr double kMostThreads = 1e6;
  return {share(cpu), run_queue >= 0 ? std::min(run_queue, kMostThreads) : 0, share(memory)};
}

}  // namespace

Balancer::Balancer(Context& context, Links& links, const LoadRules* rules)
    : ctx_(context), links_(links), rules_(rules) {}

void Balancer::on_view_changed(const HubView& view) {
  if (!on()) return;
  std::map<NodeId, Node> nodes;
  const MemberView* first = nullptr;
  bool member = false;
  for (const auto& m : view.members) {
    auto known = nodes_.find(m.id);
    auto& node = nodes[m.id];
    if (known != nodes_.end()) node = std::move(known->second);
    node.weight = m.weight;
    member = member || m.id == ctx_.self();
    if (first == nullptr || m.joined < first->joined) first = &m;  // they come in order of name
  }
  nodes_ = std::move(nodes);
  const auto leader = first == nullptr ? NodeId() : first->id;
  if (!member) due_ = kNever;
  if (member && (leader != leader_ || due_ == kNever)) due_ = ctx_.now;
  if (leader != leader_ && leader == ctx_.self()) {
    ctx_.log(LogPart::moves, LogLevel::debug, "this node balances the load from now on");
    for (auto& [id, node] : nodes_) node.history.clear();
  }
  leader_ = leader;
}

void Balancer::tick() {
  if (ctx_.now < due_) return;
  due_ = ctx_.now + rules_->push_interval();
  ctx_.emit(effect::MeasureLoad{});
}

void Balancer::on(const event::LoadMeasured& measured) {
  if (!on() || !leader_) return;
  const auto& s = measured.sample;
  if (leader_ != ctx_.self()) {
    links_.send(leader_, Lane::control, LoadReport{s.cpu, s.run_queue, s.memory});
    return;
  }
  take(ctx_.self(), sane(s.cpu, s.run_queue, s.memory));
  round_ = true;
  const auto all = board(0);
  for (const auto& [node, state] : nodes_)
    if (node != ctx_.self()) links_.send(node, Lane::control, all);
}

void Balancer::on(NodeId from, const LoadReport& report) {
  if (on() && leader_ == ctx_.self()) take(from, sane(report.cpu, report.run_queue, report.memory));
}

void Balancer::take(NodeId node, const LoadSample& sample) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return;
  auto& history = at->second.history;
  history.push_back(sample);
  while (history.size() > rules_->max_history()) history.pop_front();
  const std::vector<LoadSample> samples(history.begin(), history.end());
  at->second.busy = share(rules_->busy(samples));
}

LoadBoard Balancer::board(std::uint64_t ask) const {
  LoadBoard out;
  out.ask = ask;
  for (const auto& [node, state] : nodes_) out.nodes.push_back({node, state.busy, children_of(node, state)});
  return out;
}

void Balancer::on(NodeId from, const LoadBoard& board) {
  if (!on() || from != leader_) return;
  for (const auto& told : board.nodes) {
    const auto at = nodes_.find(told.node);
    if (at == nodes_.end()) continue;
    at->second.busy = share(told.busy);
    if (board.ask == 0) continue;
    // What is on its way there is known to the leader only.
    at->second.promised = std::max(children_of(told.node, at->second), told.children);
    at->second.promised_until = ctx_.now + kPromise;
  }
}

/// The answer is what is true now; then the leader assumes that the asker does with it what it would do.
void Balancer::on(NodeId from, const LoadAsk& ask) {
  if (!on()) return;
  links_.send(from, Lane::control, board(ask.ask));
  std::vector<NodeId> all;
  for (const auto& [node, state] : nodes_) all.push_back(node);
  const auto step = std::max<std::uint64_t>(1, ask.count / kSteps);
  for (std::uint64_t given = 0; given < ask.count && !all.empty(); given += step) {
    rank(all, 1);
    give(all.front(), std::min(step, ask.count - given));
  }
}

bool Balancer::ask(std::uint64_t number, std::size_t count) {
  return on() && leader_ && leader_ != ctx_.self() &&
         links_.send(leader_, Lane::control, LoadAsk{number, count});
}

void Balancer::owned(NodeId node, std::int64_t change) {
  auto& count = children_[node];
  count += change;
  if (count == 0) children_.erase(node);
  const auto at = nodes_.find(node);
  if (change < 0 && at != nodes_.end() && at->second.promised > 0) --at->second.promised;
}

std::uint64_t Balancer::children_of(NodeId node, const Node& state) const {
  const auto at = children_.find(node);
  const auto own =
      at == children_.end() ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(0, at->second));
  return ctx_.now < state.promised_until ? std::max(own, state.promised) : own;
}

void Balancer::rank(std::vector<NodeId>& nodes, std::size_t count) const {
  std::vector<NodeLoad> loads;
  std::sort(nodes.begin(), nodes.end());  // so that ties are decided alike, whoever asks
  for (const auto node : nodes) {
    const auto at = nodes_.find(node);
    if (at == nodes_.end()) loads.push_back({node, 0, 1, 0});
    if (at != nodes_.end())
      loads.push_back({node, at->second.weight, at->second.busy, children_of(node, at->second)});
  }
  for (std::size_t i = 0; i < std::min(count, loads.size()); ++i) {
    const auto best = i + rules_->next(std::span(loads).subspan(i));
    std::rotate(loads.begin() + static_cast<std::ptrdiff_t>(i),
                loads.begin() + static_cast<std::ptrdiff_t>(best),
                loads.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    nodes[i] = loads[i].node;
  }
  for (std::size_t i = 0; i < loads.size(); ++i) nodes[i] = loads[i].node;
}

void Balancer::give(NodeId node, std::uint64_t children) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return;
  auto& state = at->second;
  state.promised = children_of(node, state) + children;
  state.promised_until = ctx_.now + kPromise;
}

std::uint64_t Balancer::children(NodeId node) const {
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? 0 : children_of(node, at->second);
}

std::vector<NodeLoad> Balancer::loads() const {
  std::vector<NodeLoad> out;
  for (const auto& [node, state] : nodes_)
    out.push_back({node, state.weight, state.busy, children_of(node, state)});
  return out;
}

double Balancer::busy(NodeId node) const {
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? 0 : at->second.busy;
}

}  // namespace processhub::protocol
