// What users of a swarm run do: start, stop, change, call and lock, at whatever node they happen to be
// connected to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

class SwarmUsers {
 public:
  SwarmUsers(SimCluster& cluster, Rng rng);

  /// One operation somewhere.
  void act();

 private:
  void start();
  void start_same_id_twice();
  void stop();
  void stop_many();
  void change_metadata();
  void call();
  void cast();
  void broadcast();
  void crash_child();
  void restart_child();
  void lock();
  void dispatch();
  ChildSpec draw_spec(const std::string& id);
  std::string somewhere();
  const std::string& some_child() { return rng_.pick(children_); }
  Bytes numbered(std::int64_t amount);

  SimCluster& cluster_;
  Rng rng_;
  std::vector<std::string> children_{};  ///< every id that was ever started
  std::uint64_t last_child_ = 0;
  std::uint64_t last_message_ = 0;
};

}  // namespace processhub::sim
