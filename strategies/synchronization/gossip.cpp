#include "strategies/synchronization/gossip.hpp"

#include <charconv>
#include <string>
#include <string_view>

namespace processhub {
namespace {

constexpr std::uint32_t kDefaultRecipients = 3;
constexpr std::uint32_t kMostRecipients = 100;

class Gossip final : public Synchronization {
 public:
  explicit Gossip(std::uint32_t recipients) : recipients_(recipients) {}
  std::string_view name() const override { return "gossip"; }
  SyncPlan plan() const override { return {.recipients = recipients_}; }

 private:
  std::uint32_t recipients_;
};

}  // namespace

Result<std::unique_ptr<Synchronization>> make_gossip(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {"recipients"}); !known) return known.error();
  std::uint32_t recipients = kDefaultRecipients;
  if (const auto given = options.find("recipients"); given != options.end()) {
    const std::string& text = given->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), recipients);
    if (error != std::errc() || end != text.data() + text.size() || recipients < 1 ||
        recipients > kMostRecipients)
      return {ErrorCode::invalid,
              "recipients is '" + text + "', expected a number from 1 to " + std::to_string(kMostRecipients)};
  }
  return std::unique_ptr<Synchronization>(std::make_unique<Gossip>(recipients));
}

}  // namespace processhub
