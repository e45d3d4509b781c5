// What there is, for an error text.
#pragma once

#include <string>

namespace processhub {

/// "a, b, c", or `none`.
template <class Range, class Name>
std::string listed(const Range& range, Name name, const char* none = "none") {
  std::string text;
  for (const auto& item : range) text += (text.empty() ? "" : ", ") + std::string(name(item));
  return text.empty() ? none : text;
}

}  // namespace processhub
