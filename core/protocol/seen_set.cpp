#include "core/protocol/seen_set.hpp"

#include <algorithm>

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

bool SeenSet::add(const Uid& uid) {
  auto& dots = origins_[uid.origin];
  if (uid.counter <= dots.upto) return false;
  if (uid.counter == dots.upto + 1) {
    dots.upto = uid.counter;
    dots.close();
    return true;
  }
  return dots.extra.insert(uid.counter).second;
}

void SeenSet::merge(const std::vector<SeenDots>& other) {
  for (const auto& o : other) {
    if (!o.origin || (o.upto == 0 && o.extra.empty())) continue;
    auto& dots = origins_[o.origin];
    dots.upto = std::max(dots.upto, o.upto);
    for (auto e : o.extra)
      if (e > dots.upto) dots.extra.insert(e);
    dots.close();
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

std::uint64_t SeenSet::digest() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, dots] : origins_) {
    if (dots.upto > 0) sum += Uid{origin, dots.upto}.hash() * 3;
    for (auto e : dots.extra) sum += Uid{origin, e}.hash() * 5;
  }
  return sum;
}

}  // namespace processhub::protocol
