#include "tools/hubctl/operations.hpp"

#include <algorithm>
#include <thread>

namespace processhub::hubctl {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookAgain{200};

Result<std::uint64_t> children_at(const std::string& endpoint, const LookOptions& options) {
  auto status = ask_one({endpoint}, {"status"}, options.patience, options.client);
  if (!status) return status.error();
  return status->value("children_local", std::uint64_t{0});
}

Result<void> tell(const std::string& endpoint, const std::string& verb, const LookOptions& options) {
  auto done = ask_one({endpoint}, {verb}, options.patience, options.client);
  if (!done) return done.error();
  return {};
}

}  // namespace

Result<Json> run_drain(const Command& command, const LookOptions& options, const Progress& progress) {
  const auto& node = command.words[0];
  auto endpoint = endpoint_of(options, node);
  if (!endpoint) return endpoint.error();
  auto before = children_at(*endpoint, options);
  if (!before) return before.error();
  if (auto told = tell(*endpoint, "drain", options); !told) return told.error();
  const auto deadline = Clock::now() + command.timeout;
  for (auto left = *before; left > 0;) {
    const auto done = 1.0 - static_cast<double>(left) / static_cast<double>(std::max(left, *before));
    progress(done, std::to_string(left) + " children left on " + node);
    if (Clock::now() >= deadline) {
      return {ErrorCode::timeout,
              std::to_string(left) + " children are still on " + node + "; it goes on giving them away"};
    }
    std::this_thread::sleep_for(kLookAgain);
    auto now = children_at(*endpoint, options);
    if (!now) return now.error();
    left = *now;
  }
  return Json{{"node", node}, {"children", 0}};
}

Result<Json> run_undrain(const Command& command, const LookOptions& options, const Progress&) {
  auto endpoint = endpoint_of(options, command.words[0]);
  if (!endpoint) return endpoint.error();
  if (auto told = tell(*endpoint, "undrain", options); !told) return told.error();
  return Json{{"node", command.words[0]}};
}

const std::vector<Question>& stable_questions() {
  static const std::vector<Question> kQuestions = {{"status"}, {"inspect"}};
  return kQuestions;
}

std::string unstable_because(const ClusterLook& look) {
  std::string digest;
  for (const auto& node : look.nodes) {
    if (node.state == "down" || node.state == "left") continue;
    if (!node.answered()) return node.name + " does not answer: " + node.error;
    const auto& status = node.answer(0);
    const auto& inside = node.answer(1);
    if (!status.value("joined", false)) return node.name + " has not joined yet";
    if (status.value("partitioned", false)) return node.name + " has no quorum";
    if (!inside.value("agreed", false)) return node.name + " waits for others to agree on who is there";
    if (!inside.value("settled", false)) return node.name + " does not know yet what others run";
    if (const auto moves = inside.value("moves", Json::array()); !moves.empty())
      return std::to_string(moves.size()) + " children are on their way to " + node.name + " or from it";
    const auto own = status.value("digest", "");
    if (digest.empty()) digest = own;
    if (own != digest) return "the registry of " + node.name + " differs from that of " + look.nodes[0].name;
  }
  return {};
}

Result<Json> run_wait(const Command& command, const LookOptions& options, const Progress& progress) {
  if (!command.has("stable")) return {ErrorCode::invalid, "wait: say for what: --stable"};
  const auto began = Clock::now();
  std::string why = "not looked yet";
  for (int good = 0; good < 2;) {  // twice: something may just be about to begin
    auto look = look_at(options, stable_questions());
    why = look ? unstable_because(*look) : look.error().message;
    good = why.empty() ? good + 1 : 0;
    if (good == 2) break;
    if (!why.empty()) progress(0, why);
    if (Clock::now() - began >= command.timeout)
      return {ErrorCode::timeout, why.empty() ? "not stable for long enough" : why};
    std::this_thread::sleep_for(kLookAgain);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  return Json{{"stable", true}, {"waited_ms", took.count()}};
}

}  // namespace processhub::hubctl
