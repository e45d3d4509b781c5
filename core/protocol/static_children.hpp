// StaticChildren: children declared in config files. In an agreed view the lowest-named node that declares an
// id starts it, unless a value of that id says it was stopped or ended by itself since the file was last
// edited.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/replication.hpp"
#include "core/protocol/requests.hpp"

namespace processhub::protocol {

class StaticChildren {
 public:
  StaticChildren(Context& context, Registry& registry, Membership& membership, Replication& replication,
                 Requests& requests);

  /// Hashes of the declared ids, sorted.
  static std::vector<std::uint64_t> declared(const HubConfig& config);
  void merge(const StaticValue& value);
  std::vector<StaticValue> values() const;
  std::uint64_t digest() const { return digest_; }
  /// A stop by hand or a normal end of `id`.
  void on_removed(std::string_view id);
  /// Called when the cluster is agreed and tables are current.
  void start_missing();

 private:
  void set(const std::string& id, std::uint64_t spec_hash, bool stopped);
  bool ours_to_start(const std::string& id) const;

  Context& ctx_;
  Registry& registry_;
  Membership& membership_;
  Replication& replication_;
  Requests& requests_;
  std::map<std::string, StaticValue, std::less<>> values_{};
  std::set<std::string, std::less<>> unable_{};  ///< reported: no node can run them
  std::uint64_t digest_ = 0;
};

}  // namespace processhub::protocol
