#include "transport/zmq/curve_settings.hpp"

#include <utility>

namespace processhub::zmq_detail {
namespace {

Result<std::optional<CurveSettings>> without_keys(const SecurityConfig& security) {
  if (security.server_key_file.empty() && security.allow_dir.empty()) return std::optional<CurveSettings>();
  // Silently running open when half of the keys are configured would be the worst reading of such a file.
  return {ErrorCode::invalid,
          "security.server_key_file and security.allow_dir need security.secret_key_file"};
}

}  // namespace

Result<std::optional<CurveSettings>> load_curve_settings(const SecurityConfig& security) {
  if (security.secret_key_file.empty()) return without_keys(security);
  auto own = read_key_file(security.secret_key_file);
  if (!own) return own.error();
  const bool shared_pair = security.server_key_file.empty();
  if (!shared_pair && security.allow_dir.empty()) {
    return {ErrorCode::invalid,
            "security.allow_dir is needed: with security.server_key_file nobody may enter without it"};
  }
  auto server = shared_pair ? own : read_key_file(security.server_key_file);
  if (!server) return server.error();
  auto allowed = AllowList::open(security.allow_dir, {own->public_key});
  if (!allowed) return {ErrorCode::invalid, "allow_dir: " + allowed.error().message};
  return std::optional<CurveSettings>(
      CurveSettings{std::move(*own), std::move(*server), std::move(*allowed)});
}

}  // namespace processhub::zmq_detail
