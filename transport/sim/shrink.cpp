#include "transport/sim/shrink.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace processhub::sim {
namespace {

bool is_boot(const PlannedAction& action) { return action.words.front() == "boot"; }

std::set<std::string> booted(const Plan& plan) {
  std::set<std::string> out;
  for (const auto& action : plan.actions) {
    if (is_boot(action)) out.insert(action.words[1]);
  }
  return out;
}

void erase_word(Words& words, const std::string& word) {
  words.erase(std::remove(words.begin() + 1, words.end(), word), words.end());
}

/// Without the node and everything that is done at it or to it.
Plan without_node(Plan plan, const std::string& node) {
  std::erase_if(plan.actions, [&](const PlannedAction& action) {
    const auto& words = action.words;
    if (words.size() < 2 || words.front() == "split") return false;
    const bool of_two = words.front() == "cut" || words.front() == "one_way" || words.front() == "flap" ||
                        words.front() == "reset" || words.front() == "clog";
    return words[1] == node || (of_two && words.size() > 2 && words[2] == node);
  });
  for (auto& action : plan.actions) {
    if (action.words.front() == "split") erase_word(action.words, node);
  }
  for (auto& words : plan.rest) erase_word(words, node);
  return plan;
}

class Shrinker {
 public:
  Shrinker(std::string invariant, const SwarmOptions& options, std::size_t most_runs,
           const std::function<void(const Plan&, std::size_t)>& progress)
      : invariant_(std::move(invariant)), options_(options), most_runs_(most_runs), progress_(progress) {}

  Shrunk run(Plan plan) {
    best_.plan = std::move(plan);
    breaks(best_.plan);  // for the violation
    for (bool smaller = true; smaller && !spent();) {
      smaller = false;
      smaller |= fewer_actions();
      smaller |= fewer_nodes();
      smaller |= fewer_faults();
      smaller |= fewer_words();
      smaller |= shorter();
    }
    return best_;
  }

 private:
  bool spent() const { return best_.runs >= most_runs_; }

  bool breaks(const Plan& plan) {
    ++best_.runs;
    try {
      const auto result = run_plan(plan, options_);
      if (!result.violation || result.violation->invariant != invariant_) return false;
      best_.violation = *result.violation;
      return true;
    } catch (const std::invalid_argument&) {
      return false;  // too few words are left to make sense
    }
  }

  bool accept(Plan candidate) {
    if (spent() || !breaks(candidate)) return false;
    best_.plan = std::move(candidate);
    if (progress_) progress_(best_.plan, best_.runs);
    return true;
  }

  /// Delta debugging: takes out ever smaller runs of actions.
  bool fewer_actions() {
    bool any = false;
    for (auto size = std::max<std::size_t>(best_.plan.actions.size() / 2, 1);; size /= 2) {
      for (std::size_t at = 0; at < best_.plan.actions.size() && !spent();) {
        auto candidate = best_.plan;
        const auto from = candidate.actions.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(size, candidate.actions.size() - at);
        candidate.actions.erase(from, from + static_cast<std::ptrdiff_t>(count));
        if (accept(std::move(candidate))) {
          any = true;
        } else {
          at += size;
        }
      }
      if (size <= 1) return any;
    }
  }

  bool fewer_nodes() {
    bool any = false;
    for (const auto& node : booted(best_.plan)) {
      if (booted(best_.plan).size() < 2) break;
      any |= accept(without_node(best_.plan, node));
    }
    return any;
  }

  bool fewer_faults() {
    bool any = false;
    const Faults none;
    for (const auto& name : Faults::names()) {
      auto candidate = best_.plan;
      if (candidate.faults.value(name) == none.value(name)) continue;
      if (candidate.faults.set(name, none.value(name))) any |= accept(std::move(candidate));
    }
    for (std::size_t i = best_.plan.options.size(); i-- > 0;) {
      auto candidate = best_.plan;
      candidate.options.erase(candidate.options.begin() + static_cast<std::ptrdiff_t>(i));
      any |= accept(std::move(candidate));
    }
    if (best_.plan.clocks.count() != 0) {
      auto candidate = best_.plan;
      candidate.clocks = {};
      any |= accept(std::move(candidate));
    }
    for (std::size_t i = best_.plan.rest.size(); i-- > 0;) {
      auto candidate = best_.plan;
      candidate.rest.erase(candidate.rest.begin() + static_cast<std::ptrdiff_t>(i));
      any |= accept(std::move(candidate));
    }
    return any;
  }

  /// Fewer children in a start or stop, no flags. (Nodes with other seeds than the rest might never meet.)
  bool fewer_words() {
    bool any = false;
    for (std::size_t i = 0; i < best_.plan.actions.size(); ++i) {
      const auto verb = best_.plan.actions[i].words.front();
      if (verb != "start" && verb != "stop") continue;
      for (std::size_t w = best_.plan.actions[i].words.size(); w-- > 2;) {
        if (w >= best_.plan.actions[i].words.size()) continue;
        any |= halve_range(i, w);
        any |= without_word(i, w);
      }
    }
    return any;
  }

  bool without_word(std::size_t action, std::size_t word) {
    auto candidate = best_.plan;
    auto& words = candidate.actions[action].words;
    const auto takes_value = [](const std::string& text) {
      return text == "timeout" || text == "at" || text == "zone" || text == "cpu";
    };
    const bool needed = words.size() <= 3;
    if (needed || takes_value(words[word - 1])) return false;
    const auto from = words.begin() + static_cast<std::ptrdiff_t>(word);
    words.erase(from, from + (takes_value(*from) ? 2 : 1));
    return accept(std::move(candidate));
  }

  /// x1..x300 becomes x1..x150, and so on.
  bool halve_range(std::size_t action, std::size_t word) {
    bool any = false;
    while (!spent()) {
      auto candidate = best_.plan;
      auto& text = candidate.actions[action].words[word];
      const auto dots = text.find("..");
      if (dots == std::string::npos) return any;
      const auto slash = std::min(text.find('/'), text.size());
      const auto ids = expand({text.substr(0, slash)});
      const auto half = ids.size() / 2;
      text = (half < 2 ? ids.front() : ids.front() + ".." + ids[half - 1]) + text.substr(slash);
      if (!accept(std::move(candidate))) return any;
      any = true;
    }
    return any;
  }

  bool shorter() {
    const auto last = best_.plan.actions.empty() ? Time{} : best_.plan.actions.back().at;
    if (best_.plan.active <= last) return false;
    auto candidate = best_.plan;
    candidate.active = last;
    return accept(std::move(candidate));
  }

  std::string invariant_;
  const SwarmOptions& options_;
  std::size_t most_runs_;
  const std::function<void(const Plan&, std::size_t)>& progress_;
  Shrunk best_{};
};

}  // namespace

Shrunk shrink(Plan plan, const std::string& invariant, const SwarmOptions& options, std::size_t most_runs,
              const std::function<void(const Plan&, std::size_t runs)>& progress) {
  return Shrinker(invariant, options, most_runs, progress).run(std::move(plan));
}

}  // namespace processhub::sim
