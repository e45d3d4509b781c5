#include "processhub/topic.hpp"

namespace processhub {

namespace {

constexpr std::size_t kLongest = 255;

/// Takes the first token off.
std::string_view take_token(std::string_view& rest) {
  const auto dot = rest.find('.');
  const auto token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return token;
}

Result<void> check(std::string_view name, bool wildcards) {
  const auto wrong = [&](const char* why) {
    return Result<void>(ErrorCode::invalid, "topic '" + std::string(name.substr(0, kLongest)) + "' " + why);
  };
  if (name.empty() || name.size() > kLongest) return wrong("is empty or longer than 255 bytes");
  if (name.back() == '.') return wrong("ends with a dot");
  for (auto rest = name; !rest.empty();) {
    const auto token = take_token(rest);
    if (token.empty()) return wrong("has an empty token");
    if (wildcards && (token == "*" || (token == ">" && rest.empty()))) continue;
    if (token.find_first_of("*> \t\r\n") != std::string_view::npos)
      return wrong(wildcards ? "has a wildcard that is no whole token, or > before its end"
                             : "has a wildcard or a space");
  }
  return {};
}

}  // namespace

Result<void> check_topic(std::string_view topic) { return check(topic, false); }

Result<void> check_topic_pattern(std::string_view pattern) { return check(pattern, true); }

Result<void> check_publication(std::string_view topic, std::string_view body) {
  if (body.size() <= kMaxTopicBody) return check_topic(topic);
  return {ErrorCode::invalid,
          "topic '" + std::string(topic) + "': a body of more than 1 MiB is not published"};
}

bool topic_matches(std::string_view pattern, std::string_view topic) {
  while (!pattern.empty() && !topic.empty()) {
    const auto wanted = take_token(pattern);
    if (wanted == ">") return true;
    const auto token = take_token(topic);
    if (wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && topic.empty();
}

}  // namespace processhub
