#include "words.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace wordcount {
namespace {

bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The first byte of slice `index`; without overflow for any file size.
std::uint64_t boundary(std::uint64_t size, std::uint64_t index, std::uint64_t count) {
  return size / count * index + std::min(index, size % count);
}

/// Steps over the rest of a word that began before `begin`; returns the position after it.
std::uint64_t skip_begun_word(std::ifstream& in, std::uint64_t begin) {
  in.seekg(static_cast<std::streamoff>(begin == 0 ? 0 : begin - 1));
  if (begin == 0 || !is_letter(in.get())) return begin;
  while (is_letter(in.peek())) {
    in.get();
    ++begin;
  }
  return begin;
}

}  // namespace

Counts count_slice(const std::string& file, std::uint64_t index, std::uint64_t count) {
  if (index >= count)
    throw std::invalid_argument("slice " + std::to_string(index) + " of " + std::to_string(count));
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) throw std::runtime_error("cannot read " + file);
  const auto size = static_cast<std::uint64_t>(in.tellg());
  const auto end = boundary(size, index + 1, count);

  Counts counts;
  std::string word;
  for (auto at = skip_begun_word(in, boundary(size, index, count)); at < end || !word.empty(); ++at) {
    const int c = in.get();
    if (is_letter(c)) {
      word += lower(static_cast<char>(c));
      continue;
    }
    if (!word.empty()) ++counts[std::exchange(word, {})];
    if (!in) break;
  }
  return counts;
}

// FNV-1a: std::hash may differ between two programs.
std::uint64_t child_of(std::string_view word, std::uint64_t count) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return (hash >> 16) % count;
}

}  // namespace wordcount
