#include "core/protocol/seen_set.hpp"

#include <algorithm>
#include <utility>

namespace processhub::protocol {

void SeenSet::Dots::close() {
  for (auto it = extra.begin(); it != extra.end() && *it <= upto + 1; it = extra.erase(it)) {
    upto = std::max(upto, *it);
  }
}

bool SeenSet::contains(const Uid& uid) const {
  auto it = origins_.find(uid.origin);
  if (it == origins_.end()) return false;
  return uid.counter <= it->second.upto || it->second.extra.contains(uid.counter);
}

/// Kept up as dots come: the digest is asked for with every heartbeat that comes or goes.
void SeenSet::count(NodeId origin, Dots& dots) {
  std::uint64_t share = dots.upto > 0 ? Uid{origin, dots.upto}.hash() * 3 : 0;
  for (auto e : dots.extra) share += Uid{origin, e}.hash() * 5;
  digest_ += share - std::exchange(dots.share, share);
}

bool SeenSet::add(const Uid& uid) {
  auto& dots = origins_[uid.origin];
  if (uid.counter <= dots.upto) return false;
  if (uid.counter != dots.upto + 1) {
    if (!dots.extra.insert(uid.counter).second) return false;
    const auto more = uid.hash() * 5;  // a long list is not gone through for each that comes
    dots.share += more;
    digest_ += more;
    return true;
  }
  dots.upto = uid.counter;
  dots.close();
  count(uid.origin, dots);
  return true;
}

void SeenSet::merge(const std::vector<SeenDots>& other) {
  for (const auto& o : other) {
    if (!o.origin || (o.upto == 0 && o.extra.empty())) continue;
    auto& dots = origins_[o.origin];
    dots.upto = std::max(dots.upto, o.upto);
    for (auto e : o.extra)
      if (e > dots.upto) dots.extra.insert(e);
    dots.close();
    count(o.origin, dots);
  }
}

std::vector<SeenDots> SeenSet::snapshot() const {
  std::vector<SeenDots> out;
  out.reserve(origins_.size());
  for (const auto& [origin, dots] : origins_) {
    out.push_back({origin, dots.upto, {dots.extra.begin(), dots.extra.end()}});
  }
  return out;
}

}  // namespace processhub::protocol
