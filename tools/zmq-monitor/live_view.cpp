#include "tools/zmq-monitor/live_view.hpp"

#include <algorithm>
#include <utility>

namespace processhub::monitor {

namespace {

const NodeLook* same_node(const ClusterLook& look, const NodeLook& node) {
  for (const auto& other : look.nodes)
    if (other.name == node.name && other.incarnation == node.incarnation && other.answered()) return &other;
  return nullptr;
}

/// The only series of a histogram; null if the node does not know it.
Json histogram(const NodeLook& node, const std::string& name) {
  const auto metrics = node.answer(kMetrics).value("metrics", Json::object());
  const auto found = metrics.find(name);
  if (found == metrics.end() || found->at("series").empty()) return nullptr;
  return found->at("series").front();
}

Json in_ms(double seconds) { return seconds < 0 ? Json(nullptr) : Json(seconds * 1000); }

void add_times(Json& row, const NodeLook* before, const NodeLook& node, double seconds) {
  row["lag_ms"] = in_ms(quantile_between(before, node, "processhub_loop_lag_seconds", 0.99));
  row["call_p50_ms"] = in_ms(quantile_between(before, node, "processhub_call_seconds", 0.5));
  row["call_p99_ms"] = in_ms(quantile_between(before, node, "processhub_call_seconds", 0.99));
  if (before == nullptr || seconds <= 0) {  // a rate of which nothing is known is not 0
    for (const char* rate : {"in_per_s", "out_per_s", "handled_per_s", "calls_per_s"}) row[rate] = nullptr;
    return;
  }
  const auto calls = metric(node, "processhub_calls_total") - metric(*before, "processhub_calls_total");
  row["calls_per_s"] = std::max(0.0, calls) / seconds;
}

Json rows_of(const Examination& of) {
  auto rows = top_view(of.before, of.now, of.seconds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& node = of.now.nodes[i];
    auto& row = rows[i];
    row["endpoint"] = node.endpoint;
    if (!node.answered()) continue;
    const auto& status = node.answer(kStatus);
    for (const char* name : {"partitioned", "joined", "version"})
      if (status.contains(name)) row[name] = status.at(name);
    row["up_ms"] = status.value("uptime_ms", 0);
    row["children_total"] = status.value("children_total", 0);
    add_times(row, same_node(of.before, node), node, of.seconds);
  }
  return rows;
}

/// A link as the page draws it: "ok", "relayed" or "cut".
Json links_of(const ClusterLook& look) {
  Json out = Json::array();
  for (const auto& link : links_view(look)) {
    const auto peer = link.value("state", "");
    if (peer == "down" || peer == "left" || peer.empty()) continue;
    const bool relayed = link.value("relayed", false);
    out.push_back({{"from", link.value("from", "")},
                   {"to", link.value("peer", "")},
                   {"state", relayed                        ? "relayed"
                             : link.value("session", false) ? "ok"
                                                            : "cut"},
                   {"queued", link.value("queued_data", std::uint64_t{0})}});
  }
  return out;
}

Json moves_of(const ClusterLook& look) {
  Json out = Json::array();
  for (const auto& node : look.nodes) {
    for (const auto& move : node.answer(kInspect).value("moves", Json::array())) {
      // Both ends tell of it; the target's word is the one that leads to the end.
      if (move.value("to", "") == node.name) out.push_back(move);
    }
  }
  return out;
}

}  // namespace

double quantile_between(const NodeLook* before, const NodeLook& now, const std::string& metric, double q) {
  if (before == nullptr) return -1;
  const auto later = histogram(now, metric);
  const auto earlier = histogram(*before, metric);
  if (later.is_null()) return -1;
  const auto bounds = later.at("bounds").get<std::vector<double>>();
  auto counts = later.at("buckets").get<std::vector<double>>();
  if (!earlier.is_null() && earlier.at("buckets").size() == counts.size()) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] -= earlier.at("buckets")[i].get<double>();
  }
  double all = 0;
  for (const auto count : counts) all += count;
  if (all <= 0 || bounds.empty()) return -1;
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (below + counts[i] >= q * all && counts[i] > 0) {
      const double low = i == 0 ? 0 : bounds[i - 1];
      return low + (bounds[i] - low) * (q * all - below) / counts[i];
    }
    below += counts[i];
  }
  return bounds.back();
}

Json live_view(const Examination& of) {
  std::string hub;
  for (const auto& node : of.now.nodes)
    if (hub.empty()) hub = node.answer(kStatus).value("hub", "");
  return {{"time_us", of.now_us},      {"hub", hub},
          {"nodes", rows_of(of)},      {"links", links_of(of.now)},
          {"moves", moves_of(of.now)}, {"findings", to_json(examine(of))}};
}

}  // namespace processhub::monitor
