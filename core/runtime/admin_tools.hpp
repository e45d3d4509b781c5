// The answers of admin requests that only tools ask: the inside of a node, its metrics, its journal.
#pragma once

#include "core/protocol/report.hpp"
#include "core/runtime/admin_json.hpp"
#include "core/runtime/journal.hpp"
#include "core/runtime/tap.hpp"
#include "processhub/metrics.hpp"
#include "processhub/transport.hpp"

namespace processhub::runtime {

Json to_json(const std::vector<protocol::MoveInfo>& moves);
/// Without the child.
Json to_json(const protocol::Report& report);
Json to_json(const std::vector<ConnectionInfo>& connections);
Json to_json(const protocol::ChildReport& child);
Json to_json(const Metrics& metrics);
Json to_json(const Journal::Read& read);
Json to_json(const Tap::Read& read);

}  // namespace processhub::runtime
