// What the ledger's children understand: numbered entries of several senders, and the question what came of
// them.
#pragma once

#include <processhub/processhub.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace ledger {

/// One entry. Each sender numbers those for one child 1, 2, 3 …
struct Entry {
  std::string from{};
  std::int64_t number = 0;
  PROCESSHUB_FIELDS(from, number)
};

/// The answer to an entry, if it was called.
struct Booked {
  std::int64_t number = 0;
  std::string life{};
  PROCESSHUB_FIELDS(number, life)
};

/// What is in the books of one sender?
struct Audit {
  std::string from{};
  PROCESSHUB_FIELDS(from)
};

/// All numbers from `first` to `last`.
struct Run {
  std::int64_t first = 0;
  std::int64_t last = 0;
  PROCESSHUB_FIELDS(first, last)
};

struct Account {
  std::string from{};
  std::int64_t repeated = 0;   ///< entries that were here before
  std::int64_t overtaken = 0;  ///< entries that came behind a later one
  std::vector<Run> runs{};     ///< what is here, ascending, with gaps between
  PROCESSHUB_FIELDS(from, repeated, overtaken, runs)
};

struct Books {
  std::string life{};  ///< named by the start that was no move: a crash loses what is in the books
  Account account{};
  PROCESSHUB_FIELDS(life, account)
};

}  // namespace ledger
