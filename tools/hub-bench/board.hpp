// The board: memory that all processes of one run share. Nodes write down what they see and run, the parent
// reads it: so a measurement needs no message that the product would have to carry, and outlives a killed
// node.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace processhub::hub_bench {

inline constexpr std::uint32_t kMaxNodes = 6;
inline constexpr std::uint32_t kMaxChildren = 100'000;

/// CLOCK_MONOTONIC in ns: the same for all processes of a machine.
std::int64_t now_ns();

/// What one node process writes. `changed_at` is written last, after what changed.
struct NodeSlot {
  alignas(64) std::atomic<bool> alive{false};  ///< written by the parent, before it kills
  std::atomic<std::uint64_t> watch{0};         ///< which watch the next four belong to
  std::atomic<std::uint64_t> total{0};         ///< children in its registry
  std::atomic<std::uint64_t> running{0};       ///< of those watched, how many its registry shows running
  std::atomic<std::uint64_t> digest{0};
  std::atomic<std::int64_t> changed_at{0};
  alignas(64) std::atomic<std::uint64_t> handled{0};  ///< messages its workers have handled
  std::array<std::atomic<std::uint8_t>, kMaxChildren>
      live{};  ///< workers alive, by the number in the child's id
};

struct Board {
  std::array<NodeSlot, kMaxNodes> nodes{};
  std::atomic<std::uint64_t> doubled{
      0};  ///< starts of a child while a worker of it was alive on another living node
};

/// A mapping of the board. The creator's descriptor is inherited by the processes it starts.
class SharedBoard {
 public:
  static SharedBoard create();
  static SharedBoard open(int descriptor);
  SharedBoard(SharedBoard&& other) noexcept;
  SharedBoard& operator=(SharedBoard&&) = delete;
  ~SharedBoard();

  int descriptor() const { return descriptor_; }
  Board& operator*() const { return *board_; }
  Board* operator->() const { return board_; }

 private:
  SharedBoard(int descriptor, Board* board) : descriptor_(descriptor), board_(board) {}
  int descriptor_;
  Board* board_;  // a mapping, unmapped by the destructor
};

}  // namespace processhub::hub_bench
