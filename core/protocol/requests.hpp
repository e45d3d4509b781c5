// Requests: the open start, stop and metadata requests of this node's users, from validation to the answer. A
// request is done when the owners have acted and `spec_copies` other nodes have confirmed the fact, or when
// its deadline rolls it back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  void on(event::MigrateChild migrate);
  /// The owner could not start it.
  void on_start_failed(const Uid& uid, const std::string& why);
  /// Called for every change of a child that an open request waits for.
  void on_child_changed(Child& child);
  void on_acknowledged() { recheck_acks_ = true; }
  void on_view_changed();
  /// The answer to Placement::ask_for_places() with this number.
  void on_load_told(std::uint32_t op);
  bool work(std::size_t budget);
  void tick();
  Time next_deadline() const;
  /// Everything open ends with this error.
  void fail_all(const Error& error);

  /// Makes a spec and its dot; the caller has checked it. Null if no node may own it;
  /// then the spec is not taken.
  Child* create(ChildSpec&& spec, std::uint32_t op);
  bool idle() const { return ops_.empty(); }

 private:
  static constexpr Time kNoAnswer{};  ///< none is awaited
  enum class Kind : std::uint8_t { start, stop, change, move };
  /// One child of a request. What is said of it stands in the answer, at the same place.
  struct Item {
    Uid uid{};
    bool done = false;
  };
  struct Op {
    Kind kind = Kind::start;
    Token token = 0;
    Time deadline{};
    bool rollback = false;
    bool check_existing = true;
    bool begun = false;  ///< all items exist
    bool late = false;   ///< the deadline has passed
    bool asked = false;  ///< where its children go
    Time answer_until{kNoAnswer};
    // What is to begin, from `next` on.
    std::vector<ChildSpec> specs{};
    std::vector<std::string> ids{};
    event::Select select = event::Select::ids;
    NodeId target{};  ///< of a move
    std::size_t next = 0;
    std::size_t checked = 0;  ///< specs validated so far: nothing starts before all are
    TextSet seen{};           ///< ids that were met
    // What has begun.
    std::vector<Item> items{};
    StartResult started{};
    StopResult stopped{};
    HashMap<Uid, std::uint32_t, UidHash> index{};  ///< the item of a child
    std::size_t open = 0;                          ///< items that are not done
    std::size_t failed = 0;                        ///< items with an error
    std::uint64_t publication = 0;                 ///< what must be confirmed; 0: not flushed yet
    // How far each pass over the items has come: all are made in slices.
    std::size_t rechecked = kNoPass;
    std::size_t timed_out = 0;
    std::size_t rolled_back = 0;
    std::size_t told = 0;
    std::size_t announced = 0;  ///< specs that pre_children_start has named
  };
  static constexpr std::size_t kNoPass = ~std::size_t{0};

  std::uint32_t open_op(Kind kind, Token token, std::chrono::milliseconds timeout);
  bool advance(std::uint32_t id, Op& op, std::size_t& budget);
  bool check_specs(std::uint32_t id, Op& op, std::size_t& budget);
  bool awaits_places(std::uint32_t id, Op& op);
  void announce_starts(Op& op, std::size_t& budget);
  void begin_starts(std::uint32_t id, Op& op, std::size_t& budget);
  void begin_start(std::uint32_t id, Op& op, ChildSpec spec);
  void begin_stops(std::uint32_t id, Op& op, std::size_t& budget);
  void begin_stop(std::uint32_t id, Op& op, const std::string& child);
  void begin_stops_of(std::uint32_t id, Op& op, std::size_t& budget);
  Item& add_item(Op& op, std::string id);
  std::optional<Error>& error_of(Op& op, std::size_t item);
  const std::string& id_of(const Op& op, std::size_t item) const;
  void item_done(Op& op, std::size_t item, std::optional<Error> error);
  bool copies_confirmed(const Op& op);
  void recheck(Op& op, std::size_t& budget);
  bool time_out(Op& op, std::size_t& budget);
  bool roll_back(Op& op, std::size_t& budget);
  bool tell(std::uint32_t id, Op& op, std::size_t& budget);
  void tell_start(Op& op, std::size_t item, hook::ChildrenStarted& started, hook::PostChildrenStart& ended);
  void give_up(Op& op, const Error& error);
  void finish(std::uint32_t id, Op& op);
  void detach(std::uint32_t id, const Item& item);
  bool stopped_everywhere(const Child& child) const;
  Result<NodeId> move_target(const event::MigrateChild& migrate, const Child* child) const;
  void on_moving_changed(Op& op, std::size_t item, const Child& child);
  void change_value(Token token, const std::string& id,
                    const std::function<SpecValue(const SpecValue&)>& edit);

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
