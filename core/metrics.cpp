#include "processhub/metrics.hpp"

#include <algorithm>
#include <numeric>

namespace processhub {

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
  }
  return "?";
}

std::uint64_t MetricSeries::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

const Metric* Metrics::find(std::string_view name) const {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Metric& m) { return m.name == name; });
  return at == all.end() ? nullptr : &*at;
}

double Metrics::value(std::string_view name, const MetricSeries::Labels& labels) const {
  const auto* metric = find(name);
  if (metric == nullptr) return 0;
  const auto at = std::find_if(metric->series.begin(), metric->series.end(),
                               [&](const MetricSeries& s) { return s.labels == labels; });
  return at == metric->series.end() ? 0 : at->value;
}

}  // namespace processhub
