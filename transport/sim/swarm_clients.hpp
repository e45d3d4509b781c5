// Clients in a swarm: in some seeds programs that are no nodes call and cast, several messages at a time to
// one child, so that losing, doubling and overtaking shows. Random numbers of its own.
#pragma once

#include <string>
#include <vector>

#include "transport/sim/swarm_users.hpp"

namespace processhub::sim {

class SwarmClients {
 public:
  explicit SwarmClients(Rng rng);

  /// Lines of a plan that begin now; often none. `seeds`: addresses that nodes know.
  std::vector<Words> draw(SwarmUsers& users, const std::vector<std::string>& seeds);
  std::string str() const { return count_ == 0 ? "" : " clients"; }

 private:
  Rng rng_;
  std::uint64_t count_ = 0;  ///< in this seed
  std::uint64_t here_ = 0;   ///< have begun
};

}  // namespace processhub::sim
