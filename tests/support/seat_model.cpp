#include "tests/support/seat_model.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace processhub::test {

using protocol::asked_for;
using protocol::Roll;
using protocol::SeatChange;
using protocol::SeatMessage;
using protocol::SeatVote;

namespace {

std::string text(const SeatChange& change) { return "-" + change.out.str() + " +" + change.in.str(); }

}  // namespace

struct SeatModel::Node final : protocol::SeatVoteEvents {
  Node(SeatModel& model, NodeId self) : world(model), life(self), vote(self, *this) {}
  void send_vote(NodeId to, const SeatMessage& m) override { world.letters_.push_back({life, to, m, {}}); }
  void on_decided(const SeatChange& change) override {
    world.note_decision(*this, change);
    world.adopt(*this, roll.after(change));
    world.tell(*this);
  }

  SeatModel& world;
  const NodeId life;
  SeatVote vote;
  Roll roll{};
  bool alive = true;
  std::uint64_t incarnation = 1;
};

SeatModel::SeatModel(std::uint64_t seed, std::size_t nodes, bool restless) : rng_(seed), restless_(restless) {
  std::vector<NodeId> first;
  for (std::size_t i = 0; i < nodes; ++i) first.push_back(add("n" + std::to_string(names_++), 1).life);
  for (auto& node : nodes_) adopt(*node, Roll::of(first, 0));
}

SeatModel::~SeatModel() = default;

SeatModel::Node& SeatModel::add(const std::string& name, std::uint64_t incarnation) {
  nodes_.push_back(std::make_unique<Node>(*this, NodeId::of(name, incarnation)));
  nodes_.back()->incarnation = incarnation;
  return *nodes_.back();
}

SeatModel::Node* SeatModel::any_alive() {
  std::vector<Node*> out;
  for (auto& node : nodes_)
    if (node->alive) out.push_back(node.get());
  return out.empty() ? nullptr : out[rng_.below(out.size())];
}

std::size_t SeatModel::alive() const {
  return static_cast<std::size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->alive; }));
}

std::size_t SeatModel::last_epoch() const {
  std::uint64_t last = 0;
  for (const auto& node : nodes_) last = std::max(last, node->roll.epoch);
  return last;
}

std::string SeatModel::run(std::size_t steps) {
  for (std::size_t i = 0; i < steps && wrong_.empty(); ++i) step();
  return wrong_;
}

void SeatModel::step() {
  ++now_;
  const auto dice = rng_.below(100);
  if (dice < 75 && !letters_.empty()) return deliver();
  auto* node = any_alive();
  if (node == nullptr) return;
  if (dice < 90) return propose(*node);
  if (dice < 97) return tell(*node);
  if (rng_.below(restless_ ? 2 : 6) == 0) return end_a_life();
  if (alive() < 8) add("n" + std::to_string(names_++), 1);
}

/// Any letter that is on its way; it may come again, or never.
void SeatModel::deliver() {
  const auto recent = rng_.below(2) == 0 ? std::min<std::size_t>(letters_.size(), 6) : letters_.size();
  const auto at = letters_.size() - 1 - rng_.below(recent);
  const auto letter = letters_[at];
  const auto fate = rng_.below(100);
  if (fate >= 10) {
    letters_[at] = std::move(letters_.back());
    letters_.pop_back();
  }
  const auto to =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& n) { return n->life == letter.to; });
  if (fate >= 80 || to == nodes_.end() || !(*to)->alive) return;
  auto& node = **to;
  if (letter.vote) return std::visit([&](const auto& m) { node.vote.on(letter.from, m); }, *letter.vote);
  if (!node.roll.formed() || letter.roll.epoch > node.roll.epoch) {
    adopt(node, letter.roll);
  } else if (node.roll.note_left_of(letter.roll)) {
    node.vote.follow(node.roll);
    check_sides();
  }
}

void SeatModel::end_a_life() {
  auto& node = *any_alive();
  if (alive() < 2) return;
  if (rng_.below(2) == 0) {
    if (const auto last = node.vote.retire(); node.roll.note_left(last)) tell(node);
    node.alive = false;
    return;
  }
  node.alive = false;
  add(std::string(node.life.name()), node.incarnation + 1);
}

/// Whatever is allowed: only a life that is over loses its seat, and one that is there gets it.
void SeatModel::propose(Node& node) {
  if (!node.roll.formed()) return;
  SeatChange change;
  for (const auto& other : nodes_) {
    const bool over = !other->alive && node.roll.has(other->life);
    if (over && rng_.below(2) == 0) change.out = other->life;
  }
  for (const auto& other : nodes_) {
    if (!other->alive || rng_.below(2) != 0) continue;
    const auto holder = node.roll.holder(other->life.name());
    if (holder == change.out) change.in = other->life;
  }
  if (change.out && change.in && change.out.name() != change.in.name()) change.in = {};
  if (!change) return;
  node.vote.propose(change, Time(now_), Time(now_ - static_cast<std::int64_t>(rng_.below(60))));
}

void SeatModel::adopt(Node& node, Roll roll) {
  roll.note_left_of(node.roll);
  node.roll = std::move(roll);
  node.vote.follow(node.roll);
  check_sides();
}

void SeatModel::tell(const Node& node) {
  for (const auto& other : nodes_)
    if (other->alive && other.get() != &node && rng_.below(2) == 0)
      letters_.push_back({node.life, other->life, {}, node.roll});
}

void SeatModel::note_decision(const Node& node, const SeatChange& change) {
  const auto [known, fresh] = decided_.try_emplace(node.roll.key(), change);
  if (!fresh && known->second != change)
    wrong_ = "after epoch " + std::to_string(node.roll.epoch) + ": " + text(known->second) + " and " +
             text(change);
}

/// Each has a majority of those that it counts, of nodes that know no more than it does, and nobody is in
/// both.
bool SeatModel::both_may_hold(const Node& a, const Node& b) const {
  const auto voters = [this](const Node& holder) {
    std::set<NodeId> out;
    for (const auto& node : nodes_) {
      const bool counts = holder.roll.has(node->life) && !holder.roll.has_left(node->life);
      if (node->alive && counts && node->roll.epoch <= holder.roll.epoch) out.insert(node->life);
    }
    return out;
  };
  const auto needed = [](const Node& holder) { return holder.roll.counted().size() / 2 + 1; };
  const auto of_a = voters(a);
  const auto of_b = voters(b);
  const auto common = static_cast<std::size_t>(
      std::count_if(of_a.begin(), of_a.end(), [&](NodeId life) { return of_b.contains(life); }));
  const auto missing = [&](std::size_t all, std::size_t enough) {
    const auto own = all - common;
    return own >= enough ? 0 : enough - own;
  };
  return missing(of_a.size(), needed(a)) + missing(of_b.size(), needed(b)) <= common;
}

void SeatModel::check_sides() {
  for (const auto& a : nodes_) {
    for (const auto& b : nodes_) {
      if (!wrong_.empty() || a == b || !a->alive || !b->alive) continue;
      if (!a->roll.formed() || !b->roll.formed() || !both_may_hold(*a, *b)) continue;
      wrong_ = a->life.str() + " (epoch " + std::to_string(a->roll.epoch) + ") and " + b->life.str() +
               " (epoch " + std::to_string(b->roll.epoch) + ") may both have a quorum";
    }
  }
}

}  // namespace processhub::test
