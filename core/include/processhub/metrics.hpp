// Metrics: what a hub measures of itself, as plain values. Hub::metrics() takes a snapshot; hubd offers the
// same numbers to Prometheus (--metrics). docs/operations/metrics.md lists all of them.
//
// Threads: any. A snapshot is made from counters that the hub keeps anyway; only the mailboxes are walked, so
// taking one costs about a microsecond for each hundred children on this node. It never waits for the hub's
// loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processhub/export.hpp"
#include "processhub/ids.hpp"

namespace processhub {

enum class MetricKind : std::uint8_t {
  counter,    ///< only grows while the hub lives
  gauge,      ///< a value of now
  histogram,  ///< how often something took how long
};
PROCESSHUB_API std::string_view to_string(MetricKind kind);

/// One series of a metric.
struct MetricSeries {
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Labels labels{};
  double value = 0;                      ///< of a counter or gauge; of a histogram the sum of all values
  std::vector<double> bounds{};          ///< of a histogram: the upper bounds of all buckets but the last
  std::vector<std::uint64_t> buckets{};  ///< of a histogram: how many fell into each; one more than `bounds`

  std::uint64_t count() const;  ///< of a histogram: how many values
};

/// Series of one name. Times are in seconds, sizes in bytes.
struct Metric {
  std::string name{};  ///< begins with processhub_
  std::string help{};
  MetricKind kind = MetricKind::gauge;
  std::vector<MetricSeries> series{};
};

struct Metrics {
  NodeId node{};
  std::string hub_id{};
  std::vector<Metric> all{};
  std::string fullest{};  ///< the child with the most messages in its mailbox; empty: no message waits

  /// Null if there is none of this name.
  const Metric* find(std::string_view name) const;
  /// The value of the series with exactly these labels, 0 if there is none.
  double value(std::string_view name, const MetricSeries::Labels& labels = {}) const;
};

}  // namespace processhub
