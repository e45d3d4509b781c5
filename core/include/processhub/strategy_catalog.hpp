// Strategies by kind and name. The built-in ones are rows of strategies/builtin.cpp; users add rows of their
// own.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy/distribution.hpp"
#include "processhub/strategy/migration.hpp"
#include "processhub/strategy/partition_tolerance.hpp"
#include "processhub/strategy/redundancy.hpp"
#include "processhub/strategy/synchronization.hpp"

namespace processhub {

using StrategyOptions = std::map<std::string, std::string>;

template <class Kind>
using StrategyFactory = std::function<Result<std::unique_ptr<Kind>>(const StrategyOptions&)>;

/// The five policies of one hub.
struct StrategySet {
  std::unique_ptr<Distribution> distribution{};
  std::unique_ptr<Redundancy> redundancy{};
  std::unique_ptr<Migration> migration{};
  std::unique_ptr<Synchronization> synchronization{};
  std::unique_ptr<PartitionTolerance> partition_tolerance{};
};

class PROCESSHUB_API StrategyCatalog {
 public:
  // A repeated name replaces the earlier row.
  StrategyCatalog& add_distribution(std::string name, StrategyFactory<Distribution> make);
  StrategyCatalog& add_redundancy(std::string name, StrategyFactory<Redundancy> make);
  StrategyCatalog& add_migration(std::string name, StrategyFactory<Migration> make);
  StrategyCatalog& add_synchronization(std::string name, StrategyFactory<Synchronization> make);
  StrategyCatalog& add_partition_tolerance(std::string name, StrategyFactory<PartitionTolerance> make);
  /// Every row of another catalog.
  StrategyCatalog& add(const StrategyCatalog& rows);

  /// Builds what the config names. The error says which kind, name or option is wrong and what exists.
  Result<StrategySet> build(const HubConfig& config) const;
  /// Rows as "kind/name", sorted.
  std::vector<std::string> names() const;

 private:
  template <class Kind>
  using Rows = std::map<std::string, StrategyFactory<Kind>>;
  Rows<Distribution> distribution_{};
  Rows<Redundancy> redundancy_{};
  Rows<Migration> migration_{};
  Rows<Synchronization> synchronization_{};
  Rows<PartitionTolerance> partition_tolerance_{};
};

/// Fails if `options` has a key that is not in `known`; for strategy factories.
PROCESSHUB_API Result<void> reject_unknown_options(const StrategyOptions& options,
                                                   const std::vector<std::string>& known);
/// Options as every other part of a file writes them: 250ms, 2s, 1m; true, false. `out` keeps its value if
/// the key is not there; the error names it.
PROCESSHUB_API Result<void> read_option(const StrategyOptions& options, const std::string& key,
                                        std::chrono::milliseconds& out);
PROCESSHUB_API Result<void> read_option(const StrategyOptions& options, const std::string& key, bool& out);

}  // namespace processhub
