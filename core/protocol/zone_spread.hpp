// ZoneSpread: of the nodes that could own a child, best first, takes so many that their failure zones differ
// as far as possible. The best one always stays the first. It does not matter which distribution ranked them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "processhub/strategy/view.hpp"

namespace processhub::protocol {

class ZoneSpread {
 public:
  void prepare(const HubView& view) {
    zones_.clear();
    std::map<std::string, std::size_t> numbers;
    for (const auto& member : view.members) {
      if (!member.zone.empty())
        zones_[member.id] = numbers.try_emplace(member.zone, numbers.size()).first->second;
    }
  }
  /// No member names its zone: any choice is as good.
  bool matters() const { return !zones_.empty(); }

  /// Each place goes to the best node of a zone that has the fewest places so far. A node without a zone
  /// counts as a zone of its own.
  void choose(std::vector<NodeId>& ranked, std::size_t count) const {
    if (ranked.size() <= count || !matters()) return ranked.resize(std::min(ranked.size(), count));
    std::vector<NodeId> chosen;
    std::map<std::size_t, std::size_t> places;
    const auto taken = [&](NodeId node) {
      const auto zone = zones_.find(node);
      return zone == zones_.end() ? 0 : places[zone->second];
    };
    while (chosen.size() < count) {
      // The first of several equal ones is the best.
      const auto next = std::min_element(ranked.begin(), ranked.end(),
                                         [&](NodeId a, NodeId b) { return taken(a) < taken(b); });
      chosen.push_back(*next);
      if (const auto zone = zones_.find(*next); zone != zones_.end()) ++places[zone->second];
      ranked.erase(next);
    }
    ranked = std::move(chosen);
  }

 private:
  std::map<NodeId, std::size_t> zones_{};
};

}  // namespace processhub::protocol
