// Context: what every part of the core shares during a step: the time, the effects buffer, configuration,
// identity, counters and the one source of randomness.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/protocol/effect.hpp"
#include "core/protocol/hub_core.hpp"
#include "core/protocol/meters.hpp"
#include "core/protocol/tally.hpp"
#include "core/protocol/tap.hpp"
#include "processhub/config.hpp"
#include "processhub/strategy/synchronization.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

/// SplitMix64: small, fast, the same everywhere.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

/// For people: "1.5 s".
std::string seconds_text(Duration time);

struct Context {
  Context(Identity identity_, HubConfig config_)
      : identity(std::move(identity_)), config(std::move(config_)), rng(identity.random_seed) {}

  Identity identity;
  HubConfig config;
  SyncPlan sync{};  ///< of the hub's synchronization strategy
  Rng rng;
  Time now{};
  Effects* fx = nullptr;
  HubStats stats{};
  Meters meters{};
  Tally tally{};
  TapSink* tap = nullptr;  ///< who watches the messages; mostly nobody

  NodeId self() const { return identity.self; }
  bool gossips() const { return sync.recipients > 0; }
  // Instantiated in context.cpp for every effect and hook: the machinery of the two big variants then costs
  // one file's compile time, not everybody's.
  template <class E>
  void emit(E effect);
  template <class H>
  void hook(H event);
  void log(LogPart part, LogLevel level, std::string text);
  /// Something that may happen to many children at once: told together.
  void note(LogPart part, LogLevel level, std::string what, const std::string& child) {
    tally.note(now, part, level, std::move(what), child);
  }
  /// A message that no worker will get, and nobody waits for an answer to.
  void count_dead_letter(ErrorCode why) {
    ++stats.dead_letters;
    meters.dead_letters.note(why);
  }
};

}  // namespace processhub::protocol
