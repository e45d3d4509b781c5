// Names of things: nodes, uids, generations, worker references.
// All are small values. NodeId is a handle to an interned (name, incarnation) pair: copying and comparing for
// equality cost one word; ordering is by name, then incarnation, never by address.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "processhub/export.hpp"

namespace processhub {

/// One life of a node. Any thread. The interned pair lives as long as the program.
class PROCESSHUB_API NodeId {
 public:
  NodeId() = default;  ///< no node; orders before every real one
  static NodeId of(std::string_view name, std::uint64_t incarnation);

  explicit operator bool() const { return info_ != nullptr; }
  std::string_view name() const { return info_ ? std::string_view(info_->name) : std::string_view(); }
  std::uint64_t incarnation() const { return info_ ? info_->incarnation : 0; }
  /// Stable over processes and machines: a hash of name and incarnation, for placement and digests.
  std::uint64_t hash() const { return info_ ? info_->hash : 0; }
  /// Hash of the name alone: placement uses it, so that a restarted node gets its old share back.
  std::uint64_t name_hash() const { return info_ ? info_->name_hash : 0; }
  std::string str() const;  ///< "name/incarnation"

  friend bool operator==(NodeId a, NodeId b) { return a.info_ == b.info_; }
  friend std::strong_ordering operator<=>(NodeId a, NodeId b) {
    if (a.info_ == b.info_) return std::strong_ordering::equal;
    if (auto c = a.name() <=> b.name(); std::is_neq(c)) return c;
    return a.incarnation() <=> b.incarnation();
  }

 private:
  struct Info {
    std::string name;
    std::uint64_t incarnation;
    std::uint64_t hash;
    std::uint64_t name_hash;
  };
  explicit NodeId(const Info* info) : info_(info) {}
  const Info* info_ = nullptr;
};

/// The dot of one start: unique for ever.
struct Uid {
  NodeId origin{};
  std::uint64_t counter = 0;

  explicit operator bool() const { return counter != 0; }
  std::string str() const { return origin.str() + "#" + std::to_string(counter); }
  std::uint64_t hash() const {
    return (origin.hash() ^ (counter * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
  }
  friend bool operator==(const Uid&, const Uid&) = default;
  friend std::strong_ordering operator<=>(const Uid&, const Uid&) = default;
};

/// Names one activation of a child, ordered; hand it to other systems as a fencing token.
struct Generation {
  std::uint64_t epoch = 0;
  std::uint32_t restarts = 0;
  NodeId node{};

  PROCESSHUB_API std::string str() const;  ///< "epoch.restarts@node"
  friend bool operator==(const Generation&, const Generation&) = default;
  friend std::strong_ordering operator<=>(const Generation&, const Generation&) = default;
};

/// One running instance of a child: where it runs and which start of a worker it is there. Trivially
/// copyable.
struct WorkerRef {
  NodeId node{};
  std::uint64_t serial = 0;  ///< numbers the worker starts of one node; 0: no worker

  explicit operator bool() const { return serial != 0; }
  PROCESSHUB_API std::string str() const;  ///< "node/serial"
  friend bool operator==(const WorkerRef&, const WorkerRef&) = default;
};

}  // namespace processhub
