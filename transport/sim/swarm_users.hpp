// What users of a swarm run do: start, stop, change, call and lock, at whatever node they happen to be
// connected to. Draws lines of a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/sim/plan.hpp"

namespace processhub::sim {

class SwarmUsers {
 public:
  SwarmUsers(const SimCluster& cluster, Rng rng);

  /// One operation somewhere; sometimes two at once, and none where no node is up.
  std::vector<Words> draw();
  /// Ids that were ever started.
  const std::vector<std::string>& children() const { return children_; }
  std::uint64_t next_message() { return ++last_message_; }

 private:
  Words start();
  std::vector<Words> start_same_id_twice();
  Words stop();
  Words stop_many();
  Words change_metadata();
  Words migrate();
  Words call();
  Words cast();
  Words lock();
  std::string draw_child(const std::string& id);
  std::string somewhere();
  const std::string& some_child() { return rng_.pick(children_); }
  std::string number() { return "#" + std::to_string(next_message()); }

  const SimCluster& cluster_;
  Rng rng_;
  std::vector<std::string> children_{};
  std::uint64_t last_child_ = 0;
  std::uint64_t last_message_ = 0;
};

}  // namespace processhub::sim
