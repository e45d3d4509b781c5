#include "strategies/distribution/rendezvous.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "strategies/distribution/fixed_log.hpp"
#include "strategies/number_text.hpp"

namespace processhub {
namespace {

/// The finaliser of splitmix64: every input bit changes every output bit with probability one half.
constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// w / -log2(u): rendezvous hashing whose shares are proportional to the weights. Grows with `hash`, so that
/// among members of equal weight the higher hash always has the higher score and the logarithm need not be
/// taken.
double score(std::uint64_t hash, double weight) {
  return weight / static_cast<double>(fixed_log::negative_log2(hash));
}

struct Member {
  NodeId id{};
  std::uint64_t name_hash = 0;
};

/// Members of one weight, ordered by NodeId.
struct WeightClass {
  double weight = 1.0;
  std::vector<Member> members{};
};

struct Candidate {
  NodeId id{};
  double score = 0.0;
  std::uint64_t hash = 0;

  /// Total order: weight 0 scores 0 and so comes after all others; equal hashes fall back to the name.
  bool beats(const Candidate& other) const {
    if (score != other.score) return score > other.score;
    if (hash != other.hash) return hash > other.hash;
    return id < other.id;
  }
};

class Rendezvous final : public Distribution {
 public:
  std::string_view name() const override { return "rendezvous"; }

  void prepare(const HubView& view) override {
    classes_.clear();
    member_count_ = view.members.size();
    for (const auto& member : view.members) {
      auto at = std::find_if(classes_.begin(), classes_.end(),
                             [&](const WeightClass& c) { return c.weight == member.weight; });
      if (at == classes_.end()) at = classes_.insert(at, WeightClass{member.weight, {}});
      at->members.push_back({member.id, member.id.name_hash()});
    }
  }

  bool keeps(const ChildKey& child, NodeId owner, std::span<const NodeId> newcomers) const override {
    if (child.explicit_node || classes_.size() != 1) return false;
    const auto hash = mix(child.id_hash ^ owner.name_hash());
    return std::none_of(newcomers.begin(), newcomers.end(), [&](NodeId other) {
      const auto theirs = mix(child.id_hash ^ other.name_hash());
      return theirs > hash || (theirs == hash && other < owner);
    });
  }

  void owners(const ChildKey& child, std::size_t replicas, std::vector<NodeId>& out) const override {
    if (replicas == 0 || member_count_ == 0) return;
    const NodeId chosen = contains(child.explicit_node) ? child.explicit_node : NodeId{};
    if (chosen) {
      out.push_back(chosen);
      if (--replicas == 0) return;
    }
    if (replicas == 1 && !chosen) {
      out.push_back(best(child.id_hash));
    } else {
      append_best(child.id_hash, replicas, chosen, out);
    }
  }

  /// In units that can be read: 1 is the median of a node of weight 1.
  void scores(const ChildKey& child, std::span<const NodeLoad>, std::vector<NodeScore>& out) const override {
    for (const auto& c : classes_) {
      for (const auto& member : c.members) {
        const auto value = score(mix(child.id_hash ^ member.name_hash), c.weight);
        const bool asked = member.id == child.explicit_node;
        out.push_back({member.id, std::ldexp(value, fixed_log::kFraction),
                       "weight " + number_text(c.weight) + (asked ? ", asked for by hand" : "")});
      }
    }
  }

 private:
  bool contains(NodeId node) const {
    if (!node) return false;
    return std::any_of(classes_.begin(), classes_.end(), [&](const WeightClass& c) {
      return std::any_of(c.members.begin(), c.members.end(), [&](const Member& m) { return m.id == node; });
    });
  }

  static Candidate best_of(const WeightClass& c, std::uint64_t id_hash) {
    Candidate top{c.members.front().id, 0.0, mix(id_hash ^ c.members.front().name_hash)};
    for (const auto& member : c.members) {
      const std::uint64_t hash = mix(id_hash ^ member.name_hash);
      if (hash > top.hash) {
        top.hash = hash;
        top.id = member.id;
      }
    }
    return top;
  }

  /// One logarithm per distinct weight, none if all weights are equal.
  NodeId best(std::uint64_t id_hash) const {
    Candidate top = best_of(classes_.front(), id_hash);
    if (classes_.size() == 1) return top.id;
    top.score = score(top.hash, classes_.front().weight);
    for (auto c = std::next(classes_.begin()); c != classes_.end(); ++c) {
      Candidate other = best_of(*c, id_hash);
      other.score = score(other.hash, c->weight);
      if (other.beats(top)) top = other;
    }
    return top.id;
  }

  void append_best(std::uint64_t id_hash, std::size_t count, NodeId except, std::vector<NodeId>& out) const {
    std::vector<Candidate> all;
    all.reserve(member_count_);
    for (const auto& c : classes_) {
      for (const auto& member : c.members) {
        if (member.id == except) continue;
        const std::uint64_t hash = mix(id_hash ^ member.name_hash);
        all.push_back({member.id, classes_.size() == 1 ? 0.0 : score(hash, c.weight), hash});
      }
    }
    count = std::min(count, all.size());
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(all.begin(), end, all.end(),
                      [](const Candidate& a, const Candidate& b) { return a.beats(b); });
    for (auto it = all.begin(); it != end; ++it) out.push_back(it->id);
  }

  std::vector<WeightClass> classes_{};
  std::size_t member_count_ = 0;
};

}  // namespace

Result<std::unique_ptr<Distribution>> make_rendezvous(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<Distribution>(std::make_unique<Rendezvous>());
}

}  // namespace processhub
