// A stateful worker that misses nothing: it knows which numbers of each sender it has, which came twice and
// which came too late. hubd loads it with `--plugin ./libledger.so`.
#include <processhub/plugin.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "messages.hpp"

namespace ph = processhub;

namespace {

using namespace ledger;

struct State {
  std::string life{};
  std::vector<Account> accounts{};
  PROCESSHUB_FIELDS(life, accounts)
};

/// Behind a later one: between two runs, or in one of them.
void insert_late(Account& account, std::int64_t number) {
  auto& runs = account.runs;
  const auto at = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return number <= r.last; });
  if (at != runs.end() && number >= at->first) {
    ++account.repeated;
    return;
  }
  ++account.overtaken;
  runs.insert(at, {number, number});
  for (std::size_t i = 0; i + 1 < runs.size();) {
    if (runs[i].last + 1 < runs[i + 1].first) {
      ++i;
      continue;
    }
    runs[i].last = runs[i + 1].last;
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

class Ledger : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Ledger>& h) { h.on<&Ledger::entry>().on<&Ledger::audit>(); }

  State& state() { return state_; }

  void on_start(ph::StartReason reason) {
    if (reason != ph::StartReason::move) state_.life = ctx().generation().str();
  }

 private:
  Account& account_of(const std::string& from) {
    auto& all = state_.accounts;
    const auto known = std::find_if(all.begin(), all.end(), [&](const Account& a) { return a.from == from; });
    if (known != all.end()) return *known;
    all.emplace_back();
    all.back().from = from;
    return all.back();
  }

  Booked entry(const Entry& e) {
    auto& account = account_of(e.from);
    auto& runs = account.runs;
    const auto last = runs.empty() ? 0 : runs.back().last;
    if (e.number <= last) {
      insert_late(account, e.number);
    } else if (e.number == last + 1 && !runs.empty()) {
      runs.back().last = e.number;
    } else {
      runs.push_back({e.number, e.number});
    }
    return {e.number, state_.life};
  }

  Books audit(const Audit& a) { return {state_.life, account_of(a.from)}; }

  State state_{};
};

void register_plugin(ph::PluginRegistry& registry) { registry.types.add<Ledger>("ledger"); }

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
