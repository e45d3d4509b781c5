// Requests: the open start, stop and metadata requests of this node's users, from validation to the answer. A
// request is done when the owners have acted and `spec_copies` other nodes have confirmed the fact, or when
// its deadline rolls it back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/placement.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/replication.hpp"

namespace processhub::protocol {

class Requests {
 public:
  Requests(Context& context, Registry& registry, Membership& membership, Replication& replication,
           Placement& placement);

  void on(event::StartChildren start);
  void on(event::StopChildren stop);
  void on(event::UpdateMetadata update);
  void on(event::RestartChild restart);
  /// The owner could not start it.
  void on_start_failed(const Uid& uid, const std::string& why);
  /// Called for every change of a child that an open request waits for.
  void on_child_changed(Child& child);
  void on_acknowledged() { recheck_acks_ = true; }
  void on_view_changed();
  bool work(std::size_t budget);
  void tick();
  Time next_deadline() const;
  /// Everything open ends with this error.
  void fail_all(const Error& error);

  /// Makes a spec and its dot; the caller has checked it. Null if no node may own it.
  Child* create(const ChildSpec& spec, std::uint32_t op);
  bool idle() const { return ops_.empty(); }

 private:
  enum class Kind : std::uint8_t { start, stop, change };
  struct Item {
    Uid uid{};
    std::string id{};
    bool done = false;
    std::optional<Error> error{};
    std::vector<std::string> nodes{};
  };
  struct Op {
    Kind kind = Kind::start;
    Token token = 0;
    Time deadline{};
    bool rollback = false;
    std::vector<ChildSpec> specs{};  ///< not begun yet from `next` on
    std::vector<std::string> ids{};
    std::size_t next = 0;
    std::size_t checked = 0;  ///< specs validated so far: nothing starts before all are
    StringMap<bool> seen{};   ///< their ids
    bool begun = false;       ///< all items exist
    std::size_t told = 0;     ///< items that are in the result already
    StartResult result{};
    std::vector<Item> items{};
    std::map<Uid, std::size_t> index{};
    std::size_t open = 0;
    std::uint64_t publication = 0;  ///< what must be confirmed; 0: not flushed yet
    bool check_existing = true;
  };

  std::uint32_t open_op(Kind kind, Token token, std::chrono::milliseconds timeout);
  bool check_specs(std::uint32_t id, Op& op, std::size_t& budget);
  void begin_starts(std::uint32_t id, Op& op, std::size_t& budget);
  void begin_start(std::uint32_t id, Op& op, const ChildSpec& spec);
  void begin_stops(std::uint32_t id, Op& op, std::size_t& budget);
  void begin_stop(std::uint32_t id, Op& op, const std::string& child);
  bool copies_confirmed(Op& op);
  void item_done(Op& op, Item& item, std::optional<Error> error);
  void check(std::uint32_t id, std::size_t& budget);
  void expire(std::uint32_t id, Op& op);
  void roll_back_if_failed(Op& op);
  void finish(std::uint32_t id, Op& op);
  bool tell_start(Op& op, std::size_t& budget);
  void finish_start(Op& op);
  void finish_stop(Op& op);
  void detach(std::uint32_t id, const Item& item);
  bool stopped_everywhere(const Child& child) const;
  void change_value(Token token, const std::string& id, const std::function<void(SpecValue&)>& edit);

  Context& ctx_;
  Registry& registry_;
  Membership& membership_;
  Replication& replication_;
  Placement& placement_;
  std::map<std::uint32_t, Op> ops_{};
  std::vector<std::uint32_t> touched_{};
  std::uint32_t last_op_ = 0;
  std::uint64_t last_counter_ = 0;
  bool recheck_acks_ = false;
};

}  // namespace processhub::protocol
