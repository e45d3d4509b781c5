// The keys a node works with, as its configuration says (curve_keys.hpp explains the two schemes).
#pragma once

#include <optional>

#include "processhub/config.hpp"
#include "processhub/result.hpp"
#include "transport/zmq/allow_list.hpp"
#include "transport/zmq/curve_keys.hpp"

namespace processhub::zmq_detail {

struct CurveSettings {
  KeyPair own{};     ///< proved when we connect
  KeyPair server{};  ///< presented to those that connect to us; its public half is what we expect of others
  AllowList allowed;
};

/// Nothing if no encryption is configured.
Result<std::optional<CurveSettings>> load_curve_settings(const SecurityConfig& security);

}  // namespace processhub::zmq_detail
