#include "tools/hubd/metrics_server.hpp"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <limits>
#include <map>
#include <utility>

namespace processhub::hubd {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr std::size_t kThreads = 1;  // whoever scrapes can wait

prometheus::MetricType type_of(MetricKind kind) {
  if (kind == MetricKind::counter) return prometheus::MetricType::Counter;
  return kind == MetricKind::gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Histogram;
}

/// Prometheus wants each bucket with all below it.
ClientMetric::Histogram histogram_of(const MetricSeries& series) {
  ClientMetric::Histogram out;
  for (std::size_t i = 0; i < series.buckets.size(); ++i) {
    out.sample_count += series.buckets[i];
    const auto bound = i < series.bounds.size() ? series.bounds[i] : std::numeric_limits<double>::infinity();
    out.bucket.push_back({out.sample_count, bound});
  }
  out.sample_sum = series.value;
  return out;
}

ClientMetric series_of(const MetricSeries& series, MetricKind kind, const Metrics& of) {
  ClientMetric out;
  out.label.push_back({"hub", of.hub_id});
  out.label.push_back({"node", std::string(of.node.name())});
  for (const auto& [name, value] : series.labels) out.label.push_back({name, value});
  if (kind == MetricKind::counter) out.counter.value = series.value;
  if (kind == MetricKind::gauge) out.gauge.value = series.value;
  if (kind == MetricKind::histogram) out.histogram = histogram_of(series);
  return out;
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(MetricsServer::Source source) : source_(std::move(source)) {}

  /// One family of each name, though several hubs have it.
  std::vector<MetricFamily> Collect() const override {
    std::map<std::string, MetricFamily> families;
    for (const auto& hub : source_()) {
      for (const auto& metric : hub.all) {
        auto& family = families[metric.name];
        family.name = metric.name;
        family.help = metric.help;
        family.type = type_of(metric.kind);
        for (const auto& series : metric.series) family.metric.push_back(series_of(series, metric.kind, hub));
      }
    }
    std::vector<MetricFamily> out;
    out.reserve(families.size());
    for (auto& [name, family] : families) out.push_back(std::move(family));
    return out;
  }

 private:
  const MetricsServer::Source source_;
};

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(const std::string& address, Source source)
      : collector_(std::make_shared<Collector>(std::move(source))), exposer_(address, kThreads) {
    exposer_.RegisterCollectable(collector_);
  }
  std::uint16_t port() const { return static_cast<std::uint16_t>(exposer_.GetListeningPorts().front()); }

 private:
  std::shared_ptr<prometheus::Collectable> collector_;
  prometheus::Exposer exposer_;
};

Result<MetricsServer> MetricsServer::start(const std::string& address, Source source) try {
  return MetricsServer(std::make_unique<Impl>(address, std::move(source)));
} catch (const std::exception& e) {
  return {ErrorCode::system, "metrics: cannot listen on " + address + ": " + e.what()};
}

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::MetricsServer(MetricsServer&&) noexcept = default;
MetricsServer& MetricsServer::operator=(MetricsServer&&) noexcept = default;
MetricsServer::~MetricsServer() = default;

std::uint16_t MetricsServer::port() const { return impl_->port(); }

}  // namespace processhub::hubd
