// What the children of the demo understand.
#pragma once

#include <processhub/processhub.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wordcount {

/// One word more. Sent by call or cast.
struct Word {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
/// The answer to a Word that was called: how often it has come, this time included.
struct CountOf {
  std::uint64_t count = 0;
  PROCESSHUB_FIELDS(count)
};

/// The `n` most frequent words.
struct Top {
  std::uint64_t n = 10;
  PROCESSHUB_FIELDS(n)
};
struct TopWords {
  std::vector<std::pair<std::string, std::uint64_t>> words{};
  PROCESSHUB_FIELDS(words)
};

/// All of them.
struct GetCounts {
  static constexpr std::string_view ph_name = "counts";
  PROCESSHUB_FIELDS()
};

}  // namespace wordcount
