// What a word is and how a text is cut, the same for every slice: a word is a longest run of ASCII letters,
// in lower case, which is what `LC_ALL=C tr -cs A-Za-z '\n' | tr A-Z a-z | sed '/^$/d'` makes of the text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace wordcount {

using Counts = std::map<std::string, std::uint64_t>;

/// Counts the words that begin in slice `index` of `count` equal stretches of the file. A word belongs to the
/// slice of its first letter, also when it ends beyond it, so the slices together count every word exactly
/// once. Throws std::runtime_error if the file cannot be read, std::invalid_argument if there is no such
/// slice.
Counts count_slice(const std::string& file, std::uint64_t index, std::uint64_t count);

/// Which of `count` children has the counts of this word: the same on every machine and in every program.
std::uint64_t child_of(std::string_view word, std::uint64_t count);

}  // namespace wordcount
