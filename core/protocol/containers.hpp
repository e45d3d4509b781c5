// The one place that names the hash map and the small vector of the core (Abseil's), and the containers that
// keep a hundred thousand children small. A HashMap or NumberIndex is never iterated: its order differs
// between runs. (Where order does not matter, runtime/ may.)
#pragma once

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

struct UidHash {
  std::size_t operator()(const Uid& u) const { return static_cast<std::size_t>(u.hash()); }
};

struct NodeIdHash {
  std::size_t operator()(NodeId n) const { return static_cast<std::size_t>(n.hash()); }
};

template <class K, class V, class H = typename absl::flat_hash_map<K, V>::hasher>
using HashMap = absl::flat_hash_map<K, V, H>;

struct TextHash {
  std::size_t operator()(std::string_view v) const { return static_cast<std::size_t>(hash64(v)); }
};

using TextSet =
    absl::flat_hash_set<std::string_view, TextHash>;  ///< refers to texts that somebody else keeps

template <class T, std::size_t N>
using SmallVector = absl::InlinedVector<T, N>;

/// Ordered, some six bytes for a number.
template <class T>
using CompactSet = absl::btree_set<T>;

template <class T, class H>
using HashSet = absl::flat_hash_set<T, H>;

/// First in, first out. Takes no memory while it is empty, where a deque takes half a kilobyte: most queues
/// of a large cluster are. What was taken out is given back when the queue is empty or half of it is that.
template <class T>
class Fifo {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }
  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() { return items_.end(); }
  auto end() const { return items_.end(); }
  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_front() {
    items_[first_++] = T{};
    if (empty())
      clear();
    else if (first_ >= kWorthMoving && first_ >= items_.size() / 2)
      items_.erase(items_.begin(), std::exchange(first_, 0) + items_.begin());
  }
  void clear() {
    first_ = 0;
    if (items_.capacity() <= kKeep)
      items_.clear();
    else
      items_ = {};
  }

 private:
  static constexpr std::size_t kWorthMoving = 16;
  static constexpr std::size_t kKeep = 4;  // of an empty queue: the next one or two are soon there
  std::vector<T> items_{};
  std::size_t first_ = 0;
};

/// Numbered places for objects that never move; the number of a freed place is given out again. Objects lie
/// 64 to a block, where a deque of large elements wastes a quarter.
template <class T>
class Slab {
 public:
  /// A place with a fresh object.
  std::uint32_t take() {
    if (free_.empty()) {
      if (end_ % kBlock == 0) blocks_.push_back(std::make_unique<Block>());
      return end_++;
    }
    const auto number = free_.back();
    free_.pop_back();
    return number;
  }
  void give_back(std::uint32_t number) {
    auto& object = (*this)[number];
    std::destroy_at(&object);
    std::construct_at(&object);
    free_.push_back(number);
  }
  T& operator[](std::uint32_t number) { return (*blocks_[number / kBlock])[number % kBlock]; }
  const T& operator[](std::uint32_t number) const { return (*blocks_[number / kBlock])[number % kBlock]; }
  /// All numbers given out so far are below this.
  std::uint32_t end() const { return end_; }

 private:
  static constexpr std::uint32_t kBlock = 64;
  using Block = std::array<T, kBlock>;
  std::vector<std::unique_ptr<Block>> blocks_{};
  std::vector<std::uint32_t> free_{};
  std::uint32_t end_ = 0;
};

/// Finds numbers by a key that is stored with what they number: some seven bytes each, where a map would keep
/// a second copy of every key. `Of` knows the key of a number and the hash of either. In parts that grow one
/// by one: a table of 100,000 that grows at once would hold up the loop.
template <class Key, class Of>
class NumberIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  explicit NumberIndex(Of of) : of_(of), parts_(kParts, Part(0, Hash{of}, Equal{of})) {}

  std::uint32_t find(const Key& key) const {
    const auto hash = of_.hash(key);
    const auto& part = parts_[part_of(hash)];
    const auto it = part.find(key, hash);
    return it == part.end() ? kNone : *it;
  }
  bool contains(const Key& key) const { return find(key) != kNone; }
  /// The key of `number` must not be here yet, and must not change while it is.
  void insert(std::uint32_t number) {
    parts_[part_of(of_.hash_at(number))].insert(number);
    ++size_;
  }
  void erase(std::uint32_t number) { size_ -= parts_[part_of(of_.hash_at(number))].erase(number); }
  std::size_t size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    Of of;
    std::size_t operator()(std::uint32_t number) const { return of.hash_at(number); }
    std::size_t operator()(const Key& key) const { return of.hash(key); }
  };
  struct Equal {
    using is_transparent = void;
    Of of;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t a, const Key& b) const { return of.key_at(a) == b; }
    bool operator()(const Key& a, std::uint32_t b) const { return a == of.key_at(b); }
  };
  using Part = absl::flat_hash_set<std::uint32_t, Hash, Equal>;
  static constexpr std::size_t kParts = 32;
  static std::size_t part_of(std::uint64_t hash) { return hash >> 59; }

  Of of_;
  std::vector<Part> parts_;
  std::size_t size_ = 0;
};

/// A value that most owners never set: one word until then, read as T{}.
template <class T>
class Rare {
 public:
  Rare& operator=(T value) {
    value_ = std::make_unique<const T>(std::move(value));
    return *this;
  }
  const T& operator*() const {
    static const T unset{};
    return value_ ? *value_ : unset;
  }
  const T* operator->() const { return &**this; }

 private:
  std::unique_ptr<const T> value_{};
};

}  // namespace processhub::protocol
