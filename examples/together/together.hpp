// A distribution of one's own: children whose ids begin alike, such as "cart-7/items" and "cart-7/payment",
// run on the same node, so that they find each other without the network. The groups are spread over the
// nodes.
#pragma once

#include <processhub/strategy_catalog.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

class Together : public processhub::Distribution {
 public:
  struct Options {
    std::string separator = "/";
    bool last = false;  ///< the prefix ends at the last separator, not at the first
  };
  explicit Together(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return "together"; }
  void prepare(const processhub::HubView& view) override;
  void owners(const processhub::ChildKey& child, std::size_t replicas,
              std::vector<processhub::NodeId>& out) const override;

  /// What the child shares with its group: its whole id if there is no separator in it.
  std::string_view prefix_of(std::string_view id) const;

 private:
  Options options_;
  std::vector<processhub::NodeId> members_{};
};

/// Options: separator ("/"), prefix = first | last (first).
processhub::Result<std::unique_ptr<processhub::Distribution>> make_together(
    const processhub::StrategyOptions& options);
