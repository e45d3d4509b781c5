// Three worker types. `wordcount_slice` owns one slice of a text and can count it again; `wordcount_words`
// has nothing but its state: it counts the words that are sent to it, and the counts go where it goes;
// `wordcount_merge` asks all of a kind, wherever they run, and adds up what they say.
#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "messages.hpp"
#include "words.hpp"

namespace ph = processhub;
using namespace std::chrono_literals;

namespace {

using wordcount::Counts;

struct SliceArgs {
  std::string file{};
  std::uint64_t index = 0;
  std::uint64_t count = 1;
  PROCESSHUB_FIELDS(file, index, count)
};

using wordcount::CountOf;
using wordcount::GetCounts;
using wordcount::Top;
using wordcount::TopWords;
using wordcount::Word;

TopWords top_of(const Counts& counts, std::uint64_t n) {
  TopWords top{{counts.begin(), counts.end()}};
  std::stable_sort(top.words.begin(), top.words.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (top.words.size() > n) top.words.resize(n);
  return top;
}

class Slice : public ph::Worker {
 public:
  using Args = SliceArgs;
  static void handlers(ph::Handlers<Slice>& h) { h.on<&Slice::top>().on<&Slice::counts>(); }
  explicit Slice(Args args) : args_(std::move(args)) {}

  /// Counted on every start: a slice that was taken over or moved needs nothing but its args.
  void on_start(ph::StartReason) override {
    counts_ = wordcount::count_slice(args_.file, args_.index, args_.count);
  }

 private:
  TopWords top(const Top& message) { return top_of(counts_, message.n); }
  Counts counts(const GetCounts&) { return counts_; }

  Args args_;
  Counts counts_{};
};

class Words : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Words>& h) {
    h.on<&Words::word>().on<&Words::top>().on<&Words::counts>();
  }

  /// What a move takes along. A crash loses it: compare `Slice`.
  Counts& state() { return counts_; }

 private:
  CountOf word(const Word& message) { return {++counts_[message.text]}; }
  TopWords top(const Top& message) { return top_of(counts_, message.n); }
  const Counts& counts(const GetCounts&) { return counts_; }

  Counts counts_{};
};

struct MergeArgs {
  std::string prefix{};     ///< the ids are PREFIX-0, PREFIX-1 …
  std::uint64_t count = 1;  ///< how many there are
  PROCESSHUB_FIELDS(prefix, count)
};

class Merge : public ph::Worker {
 public:
  using Args = MergeArgs;
  static void handlers(ph::Handlers<Merge>& h) { h.on<&Merge::top>().on<&Merge::counts>(); }
  explicit Merge(Args args) : args_(std::move(args)) {}

 private:
  void counts(const GetCounts&, ph::Reply<Counts> reply) {
    merge([reply](const ph::Result<Counts>& all) { all ? reply(*all) : reply.fail(all.error()); });
  }

  void top(const Top& message, ph::Reply<TopWords> reply) {
    merge([reply, n = message.n](const ph::Result<Counts>& all) {
      all ? reply(top_of(*all, n)) : reply.fail(all.error());
    });
  }

  /// Asks all at once and goes on when the last has answered. One that does not answer fails the whole: a
  /// count that misses a part would be wrong without showing it.
  template <class Then>
  void merge(Then then) {
    struct Gathering {
      Counts sum{};
      std::uint64_t missing;
      bool failed = false;
    };
    auto gathering = std::make_shared<Gathering>(Gathering{{}, args_.count});
    for (std::uint64_t i = 0; i < args_.count; ++i) {
      const auto id = args_.prefix + "-" + std::to_string(i);
      ctx().call<Counts>(id, GetCounts{}, 5s, [gathering, id, then](const ph::Result<Counts>& part) {
        if (gathering->failed) return;
        if (!part) {
          gathering->failed = true;
          return then({part.error().code, id + ": " + part.error().message});
        }
        for (const auto& [word, n] : *part) gathering->sum[word] += n;
        if (--gathering->missing == 0) then(std::move(gathering->sum));
      });
    }
  }

  Args args_;
};

void register_plugin(ph::PluginRegistry& registry) {
  registry.types.add<Slice>("wordcount_slice").add<Words>("wordcount_words").add<Merge>("wordcount_merge");
}

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
