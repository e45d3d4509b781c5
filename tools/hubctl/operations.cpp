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
    if (inside.value("votes", false)) return node.name + " waits for a vote on who is counted for the quorum";
    if (const auto moves = inside.value("moves", Json::array()); !moves.empty())
      return std::to_string(moves.size()) + " children are on their way to " + node.name + " or from it";
    const auto own = status.value("digest", "");
    if (digest.empty()) digest = own;
    if (own != digest) return "the registry of " + node.name + " differs from that of " + look.nodes[0].name;
  }
  return {};
}

namespace {

Json failed_restart(const std::string& id, const Error& error) {
  return {{"id", id},
          {"restarted", false},
          {"code", std::string(to_string(error.code))},
          {"error", error.message}};
}

/// The restart of one child: of each of its instances after the other, the active one last.
class ChildRestart {
 public:
  ChildRestart(std::string id, const Command& command, const LookOptions& options)
      : id_(std::move(id)), only_(command.get("node")), options_(options), patience_(command.timeout) {}

  Result<Json> run() {
    auto nodes = whose();
    if (!nodes) return nodes.error();
    for (const auto& node : *nodes) {
      auto endpoint = endpoint_of(options_, node);
      if (!endpoint) return endpoint.error();
      if (auto done = tell({*endpoint}); !done) return done.error();
    }
    // It is failed, or waits for something.
    if (nodes->empty())
      if (auto done = tell(options_.endpoints); !done) return done.error();
    return Json{{"id", id_}, {"restarted", true}, {"nodes", *nodes}};
  }

 private:
  Result<std::vector<std::string>> whose() const {
    auto child = ask_one(options_.endpoints, {"lookup", {{"id", id_}}}, options_.patience, options_.client);
    if (!child) return child.error();
    std::vector<std::string> passive;
    std::vector<std::string> active;
    for (const auto& instance : child->value("instances", Json::array())) {
      const auto state = instance.value("state", "");
      const auto node = instance.value("node", "");
      if (state == "failed" && only_.empty()) return std::vector<std::string>{};
      if (!only_.empty() && node != only_) continue;
      (instance.value("role", "") == "active" ? active : passive).push_back(node);
    }
    passive.insert(passive.end(), active.begin(), active.end());
    if (passive.empty() && !only_.empty())
      return Error{ErrorCode::invalid, "'" + id_ + "' does not run on '" + only_ + "'"};
    return passive;
  }
  Result<void> tell(const std::vector<std::string>& endpoints) const {
    auto answer = ask_one(endpoints, {"restart", {{"ids", {id_}}}}, patience_, options_.client);
    if (!answer) return answer.error();
    return {};
  }

  std::string id_;
  std::string only_;  ///< the node whose instance is meant; empty: all
  const LookOptions& options_;
  std::chrono::milliseconds patience_;
};

}  // namespace

Result<Json> run_restart(const Command& command, const LookOptions& options, const Progress& progress) {
  Json out{{"children", Json::array()}};
  const auto all = static_cast<double>(command.words.size());
  const auto deadline = Clock::now() + command.timeout;
  for (const auto& id : command.words) {
    progress(static_cast<double>(out["children"].size()) / all, "restarts " + id);
    ChildRestart restart(id, command, options);
    auto done = restart.run();
    // It went elsewhere while it was looked for.
    while (!done && done.error().code == ErrorCode::moved && Clock::now() < deadline) {
      std::this_thread::sleep_for(kLookAgain);
      done = restart.run();
    }
    if (!done && done.error().code == ErrorCode::node_down) return done.error();
    out["children"].push_back(done ? *done : failed_restart(id, done.error()));
    if (done || out.contains("code")) continue;
    out["code"] = out["children"].back()["code"];
    out["error"] = out["children"].back()["error"];
  }
  return out;
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
