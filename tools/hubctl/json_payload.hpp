// JSON as people write it <-> msgpack as it travels. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <processhub/payload.hpp>
#include <processhub/result.hpp>

namespace processhub::hubctl {

using Json = nlohmann::json;

/// `what` names the text in the error ("--args", "specs.jsonl:3").
Result<Json> parse_json(std::string_view text, std::string_view what);

Bytes to_msgpack(const Json& value);
/// No bytes at all read as null, which is how an answer without a value travels.
Result<Json> from_msgpack(std::string_view bytes);

/// One line, always valid UTF-8: bytes that are no text are replaced.
std::string to_line(const Json& value);
/// Indented, for people.
std::string to_text(const Json& value);

}  // namespace processhub::hubctl
