#include "processhub/strategy_catalog.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/listed.hpp"

namespace processhub {
namespace {

template <class Kind>
Result<void> build_one(std::string_view kind, const std::map<std::string, StrategyFactory<Kind>>& rows,
                       const StrategyChoice& choice, std::unique_ptr<Kind>& out) {
  const auto row = rows.find(choice.name);
  if (row == rows.end()) {
    return {ErrorCode::invalid, std::string(kind) + ": there is no strategy '" + choice.name +
                                    "'; there are: " + listed(rows, [](const auto& r) { return r.first; })};
  }
  auto made = row->second(choice.options);
  if (!made)
    return {made.error().code, std::string(kind) + " '" + choice.name + "': " + made.error().message};
  if (!*made)
    return {ErrorCode::invalid, std::string(kind) + " '" + choice.name + "': its factory made nothing"};
  out = std::move(*made);
  return {};
}

template <class Rows>
void append_names(std::string_view kind, const Rows& rows, std::vector<std::string>& out) {
  for (const auto& row : rows) out.push_back(std::string(kind) + "/" + row.first);
}

}  // namespace

StrategyCatalog& StrategyCatalog::add_distribution(std::string name, StrategyFactory<Distribution> make) {
  distribution_[std::move(name)] = std::move(make);
  return *this;
}

StrategyCatalog& StrategyCatalog::add_redundancy(std::string name, StrategyFactory<Redundancy> make) {
  redundancy_[std::move(name)] = std::move(make);
  return *this;
}

StrategyCatalog& StrategyCatalog::add_migration(std::string name, StrategyFactory<Migration> make) {
  migration_[std::move(name)] = std::move(make);
  return *this;
}

StrategyCatalog& StrategyCatalog::add_synchronization(std::string name,
                                                      StrategyFactory<Synchronization> make) {
  synchronization_[std::move(name)] = std::move(make);
  return *this;
}

StrategyCatalog& StrategyCatalog::add_partition_tolerance(std::string name,
                                                          StrategyFactory<PartitionTolerance> make) {
  partition_tolerance_[std::move(name)] = std::move(make);
  return *this;
}

StrategyCatalog& StrategyCatalog::add(const StrategyCatalog& rows) {
  for (const auto& [name, make] : rows.distribution_) distribution_[name] = make;
  for (const auto& [name, make] : rows.redundancy_) redundancy_[name] = make;
  for (const auto& [name, make] : rows.migration_) migration_[name] = make;
  for (const auto& [name, make] : rows.synchronization_) synchronization_[name] = make;
  for (const auto& [name, make] : rows.partition_tolerance_) partition_tolerance_[name] = make;
  return *this;
}

Result<StrategySet> StrategyCatalog::build(const HubConfig& config) const {
  StrategySet set;
  for (const auto& built : {
           build_one("distribution", distribution_, config.distribution, set.distribution),
           build_one("redundancy", redundancy_, config.redundancy, set.redundancy),
           build_one("migration", migration_, config.migration, set.migration),
           build_one("synchronization", synchronization_, config.synchronization, set.synchronization),
           build_one("partition_tolerance", partition_tolerance_, config.partition_tolerance,
                     set.partition_tolerance),
       }) {
    if (!built) return built.error();
  }
  return set;
}

std::vector<std::string> StrategyCatalog::names() const {
  std::vector<std::string> out;
  append_names("distribution", distribution_, out);
  append_names("redundancy", redundancy_, out);
  append_names("migration", migration_, out);
  append_names("synchronization", synchronization_, out);
  append_names("partition_tolerance", partition_tolerance_, out);
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> reject_unknown_options(const StrategyOptions& options, const std::vector<std::string>& known) {
  for (const auto& [key, value] : options) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return {ErrorCode::invalid,
              "unknown option '" + key + "'; known: " + listed(known, [](const auto& k) { return k; })};
    }
  }
  return {};
}

}  // namespace processhub
