#include "core/protocol/roll.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/hash.hpp"

namespace processhub::protocol {
namespace {

template <class T>
bool holds(const std::vector<T>& ordered, const T& item) {
  return std::binary_search(ordered.begin(), ordered.end(), item);
}

template <class T>
bool add(std::vector<T>& ordered, T item) {
  const auto at = std::lower_bound(ordered.begin(), ordered.end(), item);
  if (at != ordered.end() && *at == item) return false;
  ordered.insert(at, std::move(item));
  return true;
}

template <class T>
void take(std::vector<T>& ordered, const T& item) {
  const auto [first, last] = std::equal_range(ordered.begin(), ordered.end(), item);
  ordered.erase(first, last);
}

std::string listed(const std::vector<NodeId>& lives) {
  std::string out;
  for (const auto life : lives) out += life.str() + " ";
  return out;
}

auto place_of(std::vector<LastWord>& left, NodeId life) {
  return std::lower_bound(left.begin(), left.end(), life,
                          [](const LastWord& a, NodeId b) { return a.life < b; });
}

}  // namespace

Roll Roll::of(std::vector<NodeId> voters, std::uint64_t resets) {
  Roll out;
  out.voters = std::move(voters);
  std::sort(out.voters.begin(), out.voters.end());
  out.resets = resets;
  // A life is there once: who forms the same set forms the same cluster.
  out.root = std::max<std::uint64_t>(1, hash64(std::to_string(resets) + ":" + listed(out.voters)));
  for (const auto life : out.voters) add(out.former, std::string(life.name()));
  return out;
}

bool Roll::is_well_formed() const {
  const auto in_order = [](const auto& items, auto less) {
    return std::adjacent_find(items.begin(), items.end(),
                              [&](const auto& a, const auto& b) { return !less(a, b); }) == items.end();
  };
  return formed() && in_order(voters, std::less<>()) && in_order(former, std::less<>()) &&
         in_order(left, [](const LastWord& a, const LastWord& b) { return a.life < b.life; });
}

bool Roll::has(NodeId life) const { return holds(voters, life); }

bool Roll::has_left(NodeId life) const {
  return std::any_of(left.begin(), left.end(), [&](const LastWord& last) { return last.life == life; });
}

NodeId Roll::holder(std::string_view name) const {
  const auto at = std::find_if(voters.begin(), voters.end(), [&](NodeId v) { return v.name() == name; });
  return at == voters.end() ? NodeId() : *at;
}

bool Roll::knew(std::string_view name) const { return holds(former, std::string(name)); }

void Roll::note_former(const std::string& name) { add(former, name); }

std::vector<NodeId> Roll::counted() const {
  auto out = voters;
  std::erase_if(out, [&](NodeId life) { return has_left(life); });
  return out;
}

Roll Roll::after(const SeatChange& change) const {
  auto out = *this;
  ++out.epoch;
  take(out.voters, change.out);
  std::erase_if(out.left, [&](const LastWord& last) { return last.life == change.out; });
  for (auto& last : out.left) last.said = {};  // that was about the roll before
  if (change.in) add(out.voters, change.in);
  return out;
}

bool Roll::note_left(const LastWord& last) {
  const auto at = place_of(left, last.life);
  if (!has(last.life) || (at != left.end() && at->life == last.life)) return false;
  left.insert(at, last);
  return true;
}

bool Roll::note_left_of(const Roll& other) {
  if (other.root != root || other.epoch > epoch) return false;
  const bool same = other.key() == key();
  bool changed = false;
  for (const auto& last : other.left) changed = note_left(same ? last : LastWord{last.life, {}}) || changed;
  return changed;
}

std::uint64_t Roll::key() const {
  if (!formed()) return 0;
  return std::max<std::uint64_t>(
      1, hash64(std::to_string(root) + " " + std::to_string(epoch) + ":" + listed(voters)));
}

std::uint64_t Roll::digest() const {
  if (!formed()) return 0;
  std::vector<NodeId> gone;
  for (const auto& last : left) gone.push_back(last.life);
  return std::max<std::uint64_t>(1, key() ^ hash64("left:" + listed(gone)));
}

}  // namespace processhub::protocol
