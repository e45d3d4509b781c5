#include "core/protocol/shared_spec.hpp"

#include <array>
#include <tuple>
#include <utility>

#include "core/hash.hpp"

namespace processhub::protocol {

namespace {

/// Cheapest first; the ids are left out.
bool same_kind(const ChildSpec& a, const ChildSpec& b) {
  auto key = [](const ChildSpec& s) {
    return std::tie(s.restart, s.executor, s.max_restarts, s.max_seconds, s.shutdown_timeout,
                    s.passivate_after, s.type, s.tag, s.requires_role, s.nodes, s.args, s.metadata);
  };
  return key(a) == key(b);
}

/// The kinds that were met last, as long as a child uses them. What is shared is never seen from outside, so
/// that a memory per thread keeps the core a function of its events.
class RecentKinds {
 public:
  std::shared_ptr<const ChildSpec> take(ChildSpec kind) {
    for (const auto& recent : recent_) {
      auto known = recent.lock();
      if (known && same_kind(*known, kind)) return known;
    }
    auto fresh = std::make_shared<const ChildSpec>(std::move(kind));
    recent_[next_] = fresh;
    next_ = (next_ + 1) % recent_.size();
    return fresh;
  }

 private:
  std::array<std::weak_ptr<const ChildSpec>, 8> recent_{};
  std::size_t next_ = 0;
};

}  // namespace

SharedSpec::SharedSpec(ChildSpec spec) : id(std::exchange(spec.id, {})), id_hash(hash64(id)) {
  static thread_local RecentKinds kinds;
  kind = kinds.take(std::move(spec));
}

ChildSpec SharedSpec::whole() const {
  auto spec = *kind;
  spec.id = id;
  return spec;
}

std::shared_ptr<const ChildSpec> SharedSpec::no_kind() {
  static const auto none = std::make_shared<const ChildSpec>();
  return none;
}

}  // namespace processhub::protocol
