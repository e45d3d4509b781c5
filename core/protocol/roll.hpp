// Roll: the lives of nodes that majority_quorum counts. One roll follows another by a single change, which a
// majority of its voters has decided (seat_vote.hpp): whoever heard of fewer changes knows an earlier roll,
// never a different one. Only forming a cluster, and counting anew by hand, begin another sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/codec.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// One step: a life comes in, goes out, or takes the seat of an earlier life of its name.
struct SeatChange {
  NodeId out{};
  NodeId in{};
  PROCESSHUB_FIELDS(out, in)

  explicit operator bool() const { return out || in; }
  friend bool operator==(const SeatChange&, const SeatChange&) = default;
};

/// One attempt of a voter to have a change decided; the higher one counts.
struct SeatBallot {
  std::uint64_t count = 0;
  NodeId by{};
  PROCESSHUB_FIELDS(count, by)
  explicit operator bool() const { return count != 0; }
  friend auto operator<=>(const SeatBallot&, const SeatBallot&) = default;
};

/// What a voter has said about which change follows a roll.
struct VoterState {
  SeatBallot promised{};  ///< nothing below it will be accepted
  SeatBallot accepted{};  ///< with `change`; none: nothing yet
  SeatChange change{};
  PROCESSHUB_FIELDS(promised, accepted, change)
};

/// The state of a voter that has left: it says no more, and so it stands for its answer to every question.
struct LastWord {
  NodeId life{};
  VoterState said{};
  PROCESSHUB_FIELDS(life, said)
};

struct Roll {
  std::uint64_t root = 0;        ///< names the sequence; 0: not formed
  std::uint64_t resets = 0;      ///< how often somebody counted anew by hand
  std::uint64_t epoch = 0;       ///< changes since the root
  std::vector<NodeId> voters{};  ///< in order, one of a name
  /// Names that had a seat when this sequence or one before it began, in order. They may come back where
  /// newcomers may not; who was let in later is not added, so that it does not grow with every name that ever
  /// came.
  std::vector<std::string> former{};
  /// Voters that have left, in order. Each is struck by a change of its own; until then it is not counted.
  std::vector<LastWord> left{};
  PROCESSHUB_FIELDS(root, resets, epoch, voters, former, left)

  static Roll of(std::vector<NodeId> voters, std::uint64_t resets);

  bool formed() const { return root != 0; }
  /// What came from outside is in order.
  bool is_well_formed() const;
  bool has(NodeId life) const;
  bool has_left(NodeId life) const;
  /// The life that has the seat of this name, if any.
  NodeId holder(std::string_view name) const;
  bool knew(std::string_view name) const;
  void note_former(const std::string& name);
  /// Those that a quorum is counted from.
  std::vector<NodeId> counted() const;
  Roll after(const SeatChange& change) const;
  /// A voter of this roll has left; true if that is new.
  bool note_left(const LastWord& last);
  /// Who has left, as this roll says, which is the same one or came before; true if some of it is new.
  bool note_left_of(const Roll& other);
  /// Equal for equal voters of one sequence: what a vote refers to. 0: not formed.
  std::uint64_t key() const;
  /// Of all of it. 0: not formed.
  std::uint64_t digest() const;
};

}  // namespace processhub::protocol
