// Numbers for people: "0.25", "3.142".
#pragma once

#include <array>
#include <charconv>
#include <string>

namespace processhub {

inline std::string number_text(double value) {
  constexpr int kDigits = 4;
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, kDigits).ptr;
  return {text.data(), end};
}

}  // namespace processhub
