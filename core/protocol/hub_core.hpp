// HubCore: the hub as a function of time and events. It owns no thread, socket or clock, and only routes
// events to parts that each own their state. One driver at a time calls it: the loop thread in a program, the
// scheduler in the simulator.
//
//   core.start(now, fx);                      // once, after the addresses are bound
//   for (;;) {
//     ... core.step(now, event, fx) for what arrived ...; perform fx after each or after a few
//     bool more = core.run(now, fx);          // a bounded slice (about `slice` units) of queued and due work
//     core.flush(now, fx);                    // end of a turn: what was said to peers goes out, batched
//     perform(fx); publish core.take_registry_changes() and core.take_cluster_change();
//     wait for traffic until core.next_deadline(), or not at all if `more`
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"
#include "core/protocol/type_offers.hpp"
#include "processhub/config.hpp"
#include "processhub/hub.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

class SpecPool;
class TapSink;
struct Meters;

/// What the driver knows before the core exists.
struct Identity {
  NodeId self{};
  std::string router_endpoint{};  ///< as told to peers; empty: no network
  std::string pub_endpoint{};
  std::uint64_t random_seed = 0;      ///< all randomness of the core comes from it
  OfferedTypes types{};               ///< of workers, that this node can make
  std::shared_ptr<SpecPool> specs{};  ///< shared with the other hubs of this process; none: not shared
};

/// What of a child is no longer as its spec says; few have any.
struct ChildChanges {
  std::optional<Metadata> metadata{};  ///< none: that of the spec
  std::string failure{};               ///< why it is failed
  NodeId placement{};                  ///< where it shall run by somebody's wish
  std::vector<NodeId> placed{};        ///< with a distribution by load: where it was placed
};

/// The registry's answer about one id. What it points to is immutable, and may be read by other threads.
struct ChildRecord {
  std::shared_ptr<const SharedSpec> spec{};
  Uid uid{};
  std::shared_ptr<const ChildChanges> changes{};  ///< null: none
  std::vector<Instance> instances{};              ///< the highest generation first
};

struct RegistryChange {
  std::string id{};
  std::optional<ChildRecord> record{};  ///< none: the id is gone
};

/// Published when anything in it changed (counters alone do not publish).
struct ClusterSnapshot {
  std::vector<NodeInfo> nodes{};
  bool locked = false;
  bool partitioned = false;
  bool joined = false;
  std::uint64_t children_local = 0;
  std::uint64_t children_total = 0;
  std::uint64_t digest = 0;
};

class HubCore {
 public:
  static constexpr std::size_t kSlice = 1000;

  HubCore(Identity identity, HubConfig config, StrategySet strategies);
  ~HubCore();

  void start(Time now, Effects& fx);
  void step(Time now, Event&& event, Effects& fx);
  /// `slice`: children looked at by each part. A driver that measures its turns makes it smaller.
  bool run(Time now, Effects& fx, std::size_t slice = kSlice);
  void flush(Time now, Effects& fx);
  Time next_deadline() const;
  /// No turn of a worker may start later, by the clock that gives `now`. Changes with every call above.
  Time turns_until() const;

  std::vector<RegistryChange> take_registry_changes();
  std::optional<ClusterSnapshot> take_cluster_change();
  HubStats stats() const;
  const Meters& meters();
  NodeId self() const;
  /// Who is shown every message from now on; null: nobody. Outlives this or is taken back.
  void set_tap(TapSink* tap);

  /// For tests and tools: read-only looks into the parts.
  class Parts;
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace processhub::protocol
