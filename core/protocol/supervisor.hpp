// Supervisor: the workers of this node. It starts and stops them through effects, restarts crashed ones in
// place within their intensity and with back-off, and writes this node's table rows. Which children run here
// is Placement's decision.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/protocol/context.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/replication.hpp"

namespace processhub::protocol {

enum class LocalState : std::uint8_t { starting, running, stopping, backoff, failed };

struct LocalChild {
  Uid uid{};
  std::shared_ptr<const SpecRecord> spec{};
  std::uint64_t serial = 0;
  std::uint64_t epoch = 0;
  std::uint32_t restarts = 0;
  Role role = Role::active;
  LocalState state = LocalState::starting;
  StopReason stop_reason = StopReason::user;
  bool unseen = false;  ///< a first start: no row until it runs
  std::vector<Time>
      crashes{};  ///< within the window; a vector, because an empty deque costs 600 bytes a child
  Time restart_at{kNever};

  Generation generation(NodeId node) const { return {epoch, restarts, node}; }
};

class SupervisorEvents {
 public:
  virtual ~SupervisorEvents() = default;
  virtual void on_running(const LocalChild& child) = 0;
  /// It does not run here any more and its row is written. `leftovers` are the messages it did not get to.
  virtual void on_stopped(const LocalChild& child, std::vector<PostedMessage> leftovers) = 0;
  virtual void on_start_failed(const LocalChild& child, const std::string& why) = 0;
  /// Over its intensity: the spec value is to say so.
  virtual void on_failed(const LocalChild& child, const std::string& why) = 0;
  /// Normal end of a transient or temporary child, stop_self, or a temporary child's crash: remove the uid.
  virtual void on_finished(const LocalChild& child) = 0;
  /// Messages a crashed worker had not begun: they wait for its restart.
  virtual void on_undelivered(std::vector<PostedMessage> messages, const std::string& id) = 0;
};

class Supervisor {
 public:
  Supervisor(Context& context, Registry& registry, Replication& replication, SupervisorEvents& events)
      : ctx_(context), registry_(registry), replication_(replication), events_(events) {}

  LocalChild* find(const Uid& uid);
  const LocalChild* find_serial(std::uint64_t serial) const;
  std::size_t count() const { return children_.size(); }
  /// Every local child, in order of uid.
  std::vector<Uid> all() const;

  void start(const Child& child, std::uint64_t epoch, Role role, StartReason reason, bool unseen);
  void stop(const Uid& uid, StopReason reason);
  void stop_all(StopReason reason);
  void post(const LocalChild& child, PostedMessage message);

  void on(const event::WorkerUp& up);
  void on(event::WorkerDown& down);
  void tick();
  Time next_deadline() const;

 private:
  void launch(LocalChild& child, StartReason reason);
  void write_row(const LocalChild& child, InstanceState state);
  void forget(LocalChild& child, std::vector<PostedMessage> leftovers);
  void on_crash(LocalChild& child, const event::WorkerDown& down);
  bool over_intensity(LocalChild& child);
  Duration shutdown_timeout(const LocalChild& child) const;

  Context& ctx_;
  Registry& registry_;
  Replication& replication_;
  SupervisorEvents& events_;
  HashMap<Uid, std::unique_ptr<LocalChild>, UidHash> children_{};
  HashMap<std::uint64_t, LocalChild*> by_serial_{};
  std::map<std::pair<Time, Uid>, LocalChild*> backoff_{};
  std::uint64_t last_serial_ = 0;
};

}  // namespace processhub::protocol
