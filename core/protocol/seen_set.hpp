// SeenSet: the dots (uids) a node has ever seen, as a vector of counters plus exceptions. With the live uids
// it makes an observed-remove set without tombstones: covered and not live means removed, not covered means
// new.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/protocol/messages.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

class SeenSet {
 public:
  bool contains(const Uid& uid) const;
  /// False if it was there.
  bool add(const Uid& uid);
  void merge(const std::vector<SeenDots>& other);
  std::vector<SeenDots> snapshot() const;
  /// Equal for equal sets, however they were built.
  std::uint64_t digest() const { return digest_; }

 private:
  struct Dots {
    std::uint64_t upto = 0;
    std::set<std::uint64_t> extra{};
    std::uint64_t share = 0;  ///< of the digest
    void close();
  };
  void count(NodeId origin, Dots& dots);

  std::map<NodeId, Dots> origins_{};
  std::uint64_t digest_ = 0;
};

}  // namespace processhub::protocol
