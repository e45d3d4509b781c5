#include "tools/hubctl/json_payload.hpp"

namespace processhub::hubctl {

namespace {
constexpr int kMaxDepth = 64;  // as in a node's file
}

Result<Json> parse_json(std::string_view text, std::string_view what) {
  bool too_deep = false;
  // Parsing keeps its own stack, but everything after it recurses.
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    auto value = Json::parse(text, limit_depth);
    if (too_deep) return {ErrorCode::invalid, std::string(what) + ": expected JSON of at most 64 levels"};
    return value;
  } catch (const Json::parse_error& e) {
    return {ErrorCode::invalid, std::string(what) +
                                    ": expected JSON; what is written breaks off or goes wrong at byte " +
                                    std::to_string(e.byte)};
  }
}

Bytes to_msgpack(const Json& value) {
  Bytes out;
  Json::to_msgpack(value, out);
  return out;
}

Result<Json> from_msgpack(std::string_view bytes) {
  if (bytes.empty()) return Json();
  auto value = Json::from_msgpack(bytes, true, false);
  if (value.is_discarded()) return {ErrorCode::invalid, "the answer is no msgpack"};
  return value;
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string to_text(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace processhub::hubctl
