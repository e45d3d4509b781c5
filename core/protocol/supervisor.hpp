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
#include "processhub/strategy/redundancy.hpp"

namespace processhub::protocol {

enum class LocalState : std::uint8_t {
  starting,
  running,
  frozen,    ///< it saved its state and takes nothing: another node gets it
  prepared,  ///< it is built, perhaps has its state, and waits to be told to run
  stopping,
  backoff,
  failed
};

struct LocalChild {
  /// Within the window, and when the next restart is due.
  struct Crashes {
    std::vector<Time> times{};
    Time restart_at{kNever};
  };

  std::uint32_t number = 0;  ///< its place at the supervisor
  std::uint32_t restarts = 0;
  Uid uid{};
  std::shared_ptr<const SpecRecord> spec{};
  std::uint64_t serial = 0;
  std::uint64_t epoch = 0;
  Role role = Role::active;
  LocalState state = LocalState::starting;
  StopReason stop_reason = StopReason::user;
  bool unseen = false;                 ///< a first start: no row until it runs
  bool only_prepared = false;          ///< nobody else knows of it
  bool renewed = false;                ///< it stops to start again
  bool demoting = false;               ///< its worker was told, and has not taken the role yet
  std::unique_ptr<Crashes> crashes{};  ///< null: it never crashed here

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
  virtual void on_frozen(const LocalChild& child, event::WorkerFrozen& frozen) = 0;
  virtual void on_freeze_failed(const LocalChild& child, const event::WorkerFrozen& answer) = 0;
  virtual void on_prepared(const LocalChild& child) = 0;
  virtual void on_prepare_failed(const LocalChild& child, const std::string& why) = 0;
};

class Supervisor {
 public:
  Supervisor(Context& context, Registry& registry, Replication& replication, SupervisorEvents& events)
      : ctx_(context), registry_(registry), replication_(replication), events_(events) {}
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void tell_roles(RoleSignal signals) { signals_ = signals; }
  LocalChild* find(const Uid& uid);
  const LocalChild* find_serial(std::uint64_t serial) const;
  std::size_t count() const { return by_uid_.size(); }
  /// Every local child, in order of uid.
  std::vector<Uid> all() const;

  void start(const Child& child, std::uint64_t epoch, Role role, StartReason reason, bool unseen);
  void stop(const Uid& uid, StopReason reason);
  /// Its worker stops and starts again in place, with the next `restarts`, and is not counted as crashed; one
  /// that waits after a crash starts now. What it did not get to is sent again. False: there is nothing to
  /// restart.
  bool restart(const Uid& uid);
  void stop_all(StopReason reason);
  void post(const LocalChild& child, PostedMessage message);
  /// Of a passive child that runs: it is active from now on, under a higher epoch.
  void promote(LocalChild& child, std::uint64_t epoch);
  /// Of an active one that runs: its row says passive once its worker knows.
  void demote(LocalChild& child);

  // -- a move with the state (handover.hpp)
  void freeze(const LocalChild& child, bool save, bool hold) {
    ctx_.emit(effect::FreezeWorker{child.serial, save, hold});
  }
  void cancel_freeze(const LocalChild& child) { ctx_.emit(effect::CancelFreeze{child.serial}); }
  /// A frozen one goes on, under a higher epoch if one is given.
  void thaw(LocalChild& child, std::uint64_t epoch);
  /// Starts a worker that waits for activate(); it has no row.
  void prepare(const Child& child, std::uint64_t epoch, Role role, std::shared_ptr<const Bytes> state);
  void activate(LocalChild& child);
  bool is_prepared(const Uid& uid) const;

  void on(const event::WorkerUp& up);
  void on(event::WorkerFrozen& frozen);
  void on(const event::WorkerPrepared& prepared);
  void on(const event::RoleTaken& taken);
  void on(event::WorkerDown& down);
  void on(event::Undelivered& back);
  void tick();
  Time next_deadline() const;

 private:
  struct ByUid {
    const Slab<LocalChild>* children;
    const Uid& key_at(std::uint32_t number) const { return (*children)[number].uid; }
    std::size_t hash_at(std::uint32_t number) const { return key_at(number).hash(); }
    std::size_t hash(const Uid& uid) const { return uid.hash(); }
  };
  struct BySerial {
    const Slab<LocalChild>* children;
    std::uint64_t key_at(std::uint32_t number) const { return (*children)[number].serial; }
    std::size_t hash_at(std::uint32_t number) const { return hash(key_at(number)); }
    std::size_t hash(std::uint64_t serial) const { return serial * 0x9E3779B97F4A7C15ULL; }
  };

  void tell_role(const LocalChild& child, Role role);
  static void end_demotion(LocalChild& child);
  LocalChild& add(const Child& child, std::uint64_t epoch, Role role);
  LocalChild* running_as(std::uint64_t serial);
  void add_what_came_back(event::WorkerDown& down);
  void renew(LocalChild& child, event::WorkerDown& down);
  void launch(LocalChild& child, StartReason reason, std::shared_ptr<const Bytes> state = {});
  void write_row(const LocalChild& child, InstanceState state);
  void forget(LocalChild& child, std::vector<PostedMessage> leftovers);
  void on_crash(LocalChild& child, const event::WorkerDown& down);
  bool over_intensity(LocalChild& child);
  Duration shutdown_timeout(const LocalChild& child) const;

  Context& ctx_;
  Registry& registry_;
  Replication& replication_;
  SupervisorEvents& events_;
  RoleSignal signals_ = RoleSignal::all;
  Slab<LocalChild> children_{};
  NumberIndex<Uid, ByUid> by_uid_{ByUid{&children_}};
  NumberIndex<std::uint64_t, BySerial> by_serial_{BySerial{&children_}};
  std::map<std::pair<Time, Uid>, LocalChild*> backoff_{};
  std::map<std::uint64_t, std::vector<PostedMessage>> came_back_{};  ///< by serial, until its WorkerDown
  std::uint64_t last_serial_ = 0;
  std::size_t prepared_ = 0;
};

}  // namespace processhub::protocol
