#include "strategies/redundancy/replication.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace processhub {
namespace {

constexpr std::size_t kDefaultFactor = 2;
constexpr std::size_t kLargestFactor = 1000;

struct ReplicationOptions {
  std::size_t factor = kDefaultFactor;  ///< 0: as many as there are nodes
  bool one_active = false;
  RoleSignal signal = RoleSignal::all;
};

class ReplicatedChildren final : public Redundancy {
 public:
  explicit ReplicatedChildren(ReplicationOptions options) : options_(options) {}
  std::string_view name() const override { return "replication"; }
  std::size_t replicas(const HubView& view) const override {
    return options_.factor == 0 ? std::max<std::size_t>(1, view.members.size()) : options_.factor;
  }
  /// The best owner of a child differs from child to child: the active ones are spread as the children are.
  Role role_of(NodeId node, const ChildKey&, const std::vector<NodeId>& owners) const override {
    const auto at = std::find(owners.begin(), owners.end(), node);
    if (at == owners.end()) return Role::none;
    return options_.one_active && at != owners.begin() ? Role::passive : Role::active;
  }
  bool singleton() const override { return options_.factor == 1; }
  bool one_active() const override { return options_.one_active || options_.factor == 1; }
  RoleSignal signals() const override { return options_.signal; }

 private:
  ReplicationOptions options_;
};

Error unexpected(const std::string& key, const std::string& text, std::string_view expected) {
  return {ErrorCode::invalid, key + " is '" + text + "', expected " + std::string(expected)};
}

Result<void> read_factor(const std::string& text, ReplicationOptions& out) {
  if (text == "cluster_size") {
    out.factor = 0;
    return {};
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.factor);
  if (error != std::errc() || end != text.data() + text.size() || out.factor < 1 ||
      out.factor > kLargestFactor)
    return unexpected("factor", text,
                      "a number from 1 to " + std::to_string(kLargestFactor) + " or cluster_size");
  return {};
}

Result<void> read_model(const std::string& text, ReplicationOptions& out) {
  out.one_active = text == "active_passive";
  if (!out.one_active && text != "active_active")
    return unexpected("model", text, "active_active or active_passive");
  return {};
}

Result<void> read_signal(const std::string& text, ReplicationOptions& out) {
  if (text == "none") {
    out.signal = RoleSignal::none;
  } else if (text == "active") {
    out.signal = RoleSignal::active;
  } else if (text == "passive") {
    out.signal = RoleSignal::passive;
  } else if (text != "all") {
    return unexpected("signal", text, "none, active, passive or all");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Redundancy>> make_replication(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {"factor", "model", "signal"}); !known)
    return known.error();
  ReplicationOptions out;
  for (const auto& [key, value] : options) {
    auto read = key == "factor"  ? read_factor(value, out)
                : key == "model" ? read_model(value, out)
                                 : read_signal(value, out);
    if (!read) return read.error();
  }
  return std::unique_ptr<Redundancy>(std::make_unique<ReplicatedChildren>(out));
}

}  // namespace processhub
