// What many runs had in common, as text.
#pragma once

#include <string>
#include <vector>

#include "transport/sim/swarm.hpp"

namespace processhub::hub_sim {

/// Smallest, median and largest of what clean seeds measured.
class Summary {
 public:
  void add(const sim::SwarmResult& result);
  /// One line per measure; empty if there was no run.
  std::string text() const;

 private:
  struct Measure {
    std::string name{};
    bool time = false;  ///< µs
    std::vector<double> values{};
  };
  void put(const char* name, bool time, double value);
  std::vector<Measure> measures_{};
};

}  // namespace processhub::hub_sim
