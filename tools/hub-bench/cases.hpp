// What can be measured. Every case makes its own cluster, adds its rows to the report, and leaves nothing
// behind.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/hub-bench/report.hpp"

namespace processhub::hub_bench {

struct Options {
  bool quick = false;
  std::uint32_t runs = 5;
};

/// Medians of raw ZeroMQ in this run.
struct Floors {
  double round_trip_us = 0;
  double calls_per_s = 0;   ///< 1,000 in flight, 100 of them in one ZeroMQ message
  double single_per_s = 0;  ///< 1,000 in flight, each in a message of its own
  double casts_per_s = 0;
};

class Bench {
 public:
  explicit Bench(Options options) : options_(options) {}
  const Options& options() const { return options_; }
  Report& report() { return report_; }
  /// Measured once, when first asked for.
  const Floors& floors();
  /// `full`, or a tenth with --quick.
  std::uint64_t amount(std::uint64_t full) const { return options_.quick ? full / 10 : full; }

 private:
  Options options_;
  Report report_{};
  std::optional<Floors> floors_{};
};

struct Case {
  std::string name{};
  bool in_quick = true;
  std::function<void(Bench&)> run{};
};

std::vector<Case> all_cases();

// One file each adds its own.
void add_children_cases(std::vector<Case>& cases);
void add_change_cases(std::vector<Case>& cases);
void add_message_cases(std::vector<Case>& cases);
void add_watch_cases(std::vector<Case>& cases);

Floors measure_floors(const Options& options);

}  // namespace processhub::hub_bench
