#include "tools/hub-bench/bench_worker.hpp"

#include <algorithm>
#include <charconv>

namespace processhub::hub_bench {
namespace {

Board* g_board = nullptr;  // written once before the hub's threads exist
std::uint32_t g_slot = 0;

NodeSlot& own_slot() { return g_board->nodes[g_slot]; }

/// The number at the end of "b-123".
std::uint32_t number_of(std::string_view id) {
  std::uint32_t number = kMaxChildren;
  const auto digits = id.substr(id.rfind('-') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return std::min(number, kMaxChildren);
}

bool lives_elsewhere(std::uint32_t number) {
  for (std::uint32_t slot = 0; slot < kMaxNodes; ++slot) {
    const auto& node = g_board->nodes[slot];
    if (slot != g_slot && node.alive.load() && node.live[number].load() != 0) return true;
  }
  return false;
}

}  // namespace

void use_board(Board& board, std::uint32_t slot) {
  g_board = &board;
  g_slot = slot;
}

void IdleWorker::on_start(StartReason) {
  number_ = number_of(ctx().id());
  if (number_ == kMaxChildren) return;
  if (lives_elsewhere(number_)) g_board->doubled.fetch_add(1);
  own_slot().live[number_].fetch_add(1);
}

void IdleWorker::gone() {
  if (number_ == kMaxChildren) return;
  own_slot().live[number_].fetch_sub(1);
  number_ = kMaxChildren;
}

void BusyWorker::note(const Note&) { own_slot().handled.fetch_add(1, std::memory_order_relaxed); }

/// A slice per turn, so that the pool's other workers get theirs; then the rest as a message to itself.
void BusyWorker::flood(const Flood& m) {
  constexpr std::uint64_t kSlice = 1'000;
  const auto unhandled = m.sent - own_slot().handled.load(std::memory_order_relaxed);
  const auto room = m.window > unhandled ? m.window - unhandled : 0;
  const auto now = std::min({kSlice, m.count - m.sent, room});
  const Note note{std::string(kTextSize, 'n')};
  for (std::uint64_t i = 0; i < now; ++i) ctx().cast(m.to, note);
  auto rest = m;
  rest.sent += now;
  if (rest.sent < rest.count) ctx().cast(ctx().id(), rest);
}

void BusyWorker::ball(const Ball& m) {
  if (m.left == 0) {
    own_slot().handled.fetch_add(1);
    return;
  }
  ctx().cast(partner_, Ball{m.left - 1, m.text});
}

WorkerTypes bench_types() {
  WorkerTypes types;
  types.add<IdleWorker>("idle").add<BusyWorker>("busy");
  return types;
}

}  // namespace processhub::hub_bench
