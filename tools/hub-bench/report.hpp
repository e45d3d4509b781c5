// The rows of a run: what was measured, against its budget and its floor. A table for people, JSON for
// programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace processhub::hub_bench {

enum class Better { lower, higher };

struct Row {
  std::string name{};
  std::string unit{};
  Better better = Better::lower;
  std::vector<double> samples{};
  std::optional<double> budget{};  ///< in `unit`
  std::optional<double> floor{};   ///< raw ZeroMQ in the same run, in `unit`
  std::string note{};
};

class Report {
 public:
  /// Called with every finished row, so that a long run shows what it does.
  void add(Row row);
  const std::vector<Row>& rows() const { return rows_; }
  std::string table() const;
  nlohmann::json json() const;

 private:
  std::vector<Row> rows_{};
};

/// More than 1 is over the budget, whichever way is better; 0 without one.
double over_budget(const Row& row);
/// The same against the floor.
double over_floor(const Row& row);

}  // namespace processhub::hub_bench
