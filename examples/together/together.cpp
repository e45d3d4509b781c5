#include "together.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace ph = processhub;

namespace {

/// FNV-1a: the same on every machine, which std::hash is not.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

/// How much a node wants a group. Only names count, so a node that comes back gets its groups back.
std::uint64_t score(std::uint64_t group, ph::NodeId node) {
  std::uint64_t x = group ^ node.name_hash();
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

void Together::prepare(const ph::HubView& view) {
  members_.clear();
  for (const auto& member : view.members) members_.push_back(member.id);
}

std::string_view Together::prefix_of(std::string_view id) const {
  return id.substr(0, options_.last ? id.rfind(options_.separator) : id.find(options_.separator));
}

// Highest score first: a node that joins takes whole groups and moves none between the others.
void Together::owners(const ph::ChildKey& child, std::size_t replicas, std::vector<ph::NodeId>& out) const {
  const auto group = hash_of(prefix_of(child.id));
  std::vector<std::pair<std::uint64_t, ph::NodeId>> ranked;
  for (const auto node : members_) ranked.emplace_back(score(group, node), node);
  std::sort(ranked.rbegin(), ranked.rend());
  ranked.resize(std::min(replicas, ranked.size()));
  for (const auto& place : ranked) out.push_back(place.second);
}

ph::Result<std::unique_ptr<ph::Distribution>> make_together(const ph::StrategyOptions& options) {
  if (auto known = ph::reject_unknown_options(options, {"separator", "prefix"}); !known) return known.error();
  Together::Options out;
  if (const auto given = options.find("separator"); given != options.end()) out.separator = given->second;
  if (out.separator.empty()) return ph::Error{ph::ErrorCode::invalid, "separator is empty"};
  if (const auto given = options.find("prefix"); given != options.end()) {
    out.last = given->second == "last";
    if (!out.last && given->second != "first") {
      return ph::Error{ph::ErrorCode::invalid, "prefix is '" + given->second + "', expected first or last"};
    }
  }
  return std::unique_ptr<ph::Distribution>(std::make_unique<Together>(std::move(out)));
}
