// Reading what another thread replaces, without waiting: the reader announces itself in a slot of its own
// thread, the writer frees what it unlinked only when no announced reader can still see it (epoch-based
// reclamation). Any thread may read; nothing may block inside a ReadSection, and sections of one thread do
// not nest.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace processhub::runtime {

namespace detail {
using ReaderEpoch = std::atomic<std::uint64_t>;  // 0: not reading

/// The slot of this thread. The model saves a function call on every read; it needs one word of the static
/// TLS block.
extern constinit thread_local ReaderEpoch* this_reader __attribute__((tls_model("initial-exec")));
extern std::atomic<std::uint64_t> current_epoch;

ReaderEpoch& register_reader();
}  // namespace detail

/// While it lives, whatever this thread finds through sequentially consistent loads stays valid.
class ReadSection {
 public:
  ReadSection() : mine_(detail::this_reader != nullptr ? *detail::this_reader : detail::register_reader()) {
    // Both sequentially consistent, like the writer's unlinking and scan: either the scan sees this slot, or
    // the loads that follow see the replacement.
    mine_.store(detail::current_epoch.load());
  }
  ~ReadSection() { mine_.store(0, std::memory_order_release); }
  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;

 private:
  detail::ReaderEpoch& mine_;
};

/// Ends the current epoch and returns its number: for what was unlinked before this call.
std::uint64_t end_epoch();
/// The oldest epoch a reader may still be in; the largest number if nobody reads.
std::uint64_t oldest_read();

/// Unlinked objects that wait for their readers. Owned by the one writer.
template <class Ptr>
class Retired {
 public:
  void add(Ptr object) { fresh_.push_back(std::move(object)); }
  /// Frees what nobody can see any more.
  void reclaim() {
    if (!fresh_.empty()) batches_.emplace_back(end_epoch(), std::exchange(fresh_, {}));
    if (batches_.empty()) return;
    const auto oldest = oldest_read();
    while (!batches_.empty() && batches_.front().first < oldest) batches_.pop_front();
  }
  std::size_t waiting() const {
    std::size_t n = fresh_.size();
    for (const auto& [epoch, objects] : batches_) n += objects.size();
    return n;
  }

 private:
  std::vector<Ptr> fresh_;
  std::deque<std::pair<std::uint64_t, std::vector<Ptr>>> batches_;
};

}  // namespace processhub::runtime
