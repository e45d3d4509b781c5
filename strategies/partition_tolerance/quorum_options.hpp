// What the options of the quorum strategies have in common.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Reads options one by one; the first mistake is the error of the whole.
class QuorumOptions {
 public:
  /// `own`: those of the strategy itself, beside quorum_lease and trust_refused.
  QuorumOptions(const StrategyOptions& options, std::vector<std::string> own);

  /// `otherwise`: if it is not given; 0 stands for an option that must be given.
  std::size_t number(const std::string& key, std::size_t otherwise, std::size_t most);
  bool flag(const std::string& key, bool otherwise);
  /// A number with ms, s, m or h.
  Duration duration(const std::string& key, Duration otherwise, Duration least);

  const Error* mistake() const { return mistake_.get(); }
  /// With the options that all have.
  QuorumPlan plan();

 private:
  const std::string* given(const std::string& key) const;
  void wrong(const std::string& key, const std::string& expected);

  const StrategyOptions& options_;
  std::unique_ptr<Error> mistake_{};
};

}  // namespace processhub
