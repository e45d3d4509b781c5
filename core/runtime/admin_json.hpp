// The JSON side of admin requests: arguments taken one by one, with errors that name them, and answers built
// from values.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/hub.hpp"

namespace processhub::runtime {

using Json = nlohmann::json;

/// A request that does not fit; the text names the argument. Caught by handle_admin.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Arguments of one request (or of one spec in it). Each is taken once; done() refuses what nobody took.
class AdminArgs {
 public:
  /// `where` stands before every error, such as "start".
  AdminArgs(std::string where, Json map);

  std::optional<Json> take(std::string_view key);
  std::string text(std::string_view key);  ///< required, not empty
  std::string text_or(std::string_view key, std::string fallback);
  bool flag_or(std::string_view key, bool fallback);
  std::optional<std::chrono::milliseconds> time(std::string_view key);
  std::optional<std::uint32_t> count(std::string_view key);
  std::optional<Metadata> string_map(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  void done() const;
  [[noreturn]] void refuse(std::string_view key, const std::string& why) const;

 private:
  const std::string where_;
  Json map_;
};

/// msgpack to JSON, bounded in depth and size; BadRequest if it is no msgpack.
Json json_of(const Bytes& msgpack);
Bytes bytes_of(const Json& json);

ChildSpec spec_of(const Json& json, std::size_t index);
/// Without args, which may be no msgpack, and metadata, which may have changed since.
Json spec_json(const ChildSpec& spec);

Json to_json(const Error& error);
/// Of a start or stop that failed in part: the first failure, or if there is one, the first that is a cause
/// (what was rolled back was undone because of another).
Error first_cause(const std::vector<Error>& errors);
Json to_json(const NodeInfo& node);
Json to_json(const ChildInfo& child);
Json to_json_with_spec(const ChildInfo& child);
Json to_json(const HubStatus& status);
Json to_json(const StartResult& result);
Json to_json(const StopResult& result);
std::string hex16(std::uint64_t value);

}  // namespace processhub::runtime
