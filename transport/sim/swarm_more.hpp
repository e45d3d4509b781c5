// More bad luck and more work for a swarm, with random numbers of its own: narrow lines, drifting and jumping
// clocks, hanging workers, slow nodes, flapping links, nodes of the next version, new nodes at old addresses,
// rolling restarts, batches of hundreds, bursts to one child, one id on both sides of a cut; and some seeds
// with nothing but planned changes. Draws lines of a plan, some of them for later.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "transport/sim/plan.hpp"
#include "transport/sim/swarm_users.hpp"

namespace processhub::sim {

class SwarmMore {
 public:
  explicit SwarmMore(Rng rng);

  /// Adds options and faults to what the seed has drawn.
  void change(Plan& plan);
  /// Nothing goes wrong in this seed: nodes only join, leave and come back.
  bool planned_only() const { return planned_only_; }
  /// Some boots become those of a node of the next version.
  void change_boot(Words& words);
  /// Perhaps one thing, that begins now.
  void draw(const SimCluster& cluster, SwarmUsers& users, const std::vector<std::string>& seeds);
  /// What is due by then, in order.
  std::vector<PlannedAction> take_due(Time until);
  std::string str() const;

 private:
  using Action = void (SwarmMore::*)();
  struct Kind {
    const char* name;
    double chance;  ///< to be in a seed
    bool planned;   ///< may be in a seed with planned changes only
    Action act;
  };
  static const std::vector<Kind>& kinds();

  void flap();
  void slow();
  void reset_size();
  void jump();
  void replace();
  void roll();
  void batch();
  void burst();
  void commute();
  void many_callers();
  void both_sides();
  void edits();
  void asleep();

  void add(Duration delay, Words words);
  std::vector<std::string> up() const;
  /// Two different ones; empty if there are none.
  std::vector<std::string> two_up();
  std::string some_child();
  std::string number() { return "#" + std::to_string(users_->next_message()); }

  Rng rng_;
  bool planned_only_ = false;
  bool counts_size_ = false;  ///< for a quorum
  double next_version_ = 0;
  std::uint64_t zones_ = 0;
  bool loads_ = false;  ///< nodes differ in how busy they are
  std::vector<const Kind*> here_{};
  std::multimap<Time, Words> due_{};
  std::uint64_t batches_ = 0;
  std::uint64_t renamed_ = 0;
  const SimCluster* cluster_ = nullptr;  ///< these three only while draw() runs
  SwarmUsers* users_ = nullptr;
  const std::vector<std::string>* seeds_ = nullptr;
};

}  // namespace processhub::sim
