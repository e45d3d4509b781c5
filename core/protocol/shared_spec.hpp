// SharedSpec: a ChildSpec of which only the id is the child's own. A hundred thousand children of a few kinds
// then keep a few specs in memory, and copying one costs no more than copying its id. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "processhub/child.hpp"

namespace processhub::protocol {

struct SharedSpec {
  SharedSpec() : kind(no_kind()) {}
  /// Takes the kind that an equal spec uses already, if it is one of the few that this thread met last.
  explicit SharedSpec(ChildSpec spec);

  std::string id{};
  std::uint64_t id_hash = 0;              ///< of the id, the same on all machines
  std::shared_ptr<const ChildSpec> kind;  ///< the rest, with an empty id; never null

  /// With the id in its place.
  ChildSpec whole() const;

 private:
  static std::shared_ptr<const ChildSpec> no_kind();
};

}  // namespace processhub::protocol
