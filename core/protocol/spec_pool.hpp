// SpecPool: one copy of each spec for all hubs that live in one process. A simulated cluster of a thousand
// nodes would keep a thousand equal ones of every child otherwise.
#pragma once

#include <memory>

#include "core/protocol/containers.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::protocol {

class SpecPool {
 public:
  using Shared = std::shared_ptr<const SpecRecord>;

  /// The copy that another hub holds already, if there is an equal one. A uid has one spec for ever; only
  /// what was reserved in the meantime differs.
  Shared share(Shared spec) {
    auto& known = specs_[spec->uid];
    if (auto held = known.lock(); held && held->epoch_floor == spec->epoch_floor) return held;
    known = spec;
    return spec;
  }

 private:
  HashMap<Uid, std::weak_ptr<const SpecRecord>, UidHash> specs_{};
};

}  // namespace processhub::protocol
