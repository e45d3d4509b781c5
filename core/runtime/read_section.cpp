#include "core/runtime/read_section.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>

namespace processhub::runtime {

namespace detail {

constinit thread_local ReaderEpoch* this_reader = nullptr;
constinit std::atomic<std::uint64_t> current_epoch{1};

}  // namespace detail

namespace {

struct alignas(64) Slot {  // one cache line each: readers do not disturb each other
  detail::ReaderEpoch epoch{0};
  bool taken = false;
};

struct Slots {
  std::mutex mutex{};
  std::deque<Slot> all{};  // slots never move; those of ended threads are taken again

  Slot& take() {
    std::lock_guard lock(mutex);
    for (auto& slot : all) {
      if (!slot.taken) {
        slot.taken = true;
        return slot;
      }
    }
    all.emplace_back().taken = true;
    return all.back();
  }
  void give_back(Slot& slot) {
    std::lock_guard lock(mutex);
    slot.taken = false;
  }
};

Slots& slots() {
  static Slots& the = *std::make_unique<Slots>().release();  // threads may outlive static objects
  return the;
}

/// Gives the slot of a thread back when the thread ends.
class Registration {
 public:
  Registration() : slot_(slots().take()) { detail::this_reader = &slot_.epoch; }
  ~Registration() {
    detail::this_reader = nullptr;
    slots().give_back(slot_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  Slot& slot() { return slot_; }

 private:
  Slot& slot_;
};

}  // namespace

detail::ReaderEpoch& detail::register_reader() {
  thread_local Registration mine;
  // A thread-local object that is destroyed later than `mine` reads once more: it gets a slot that is not
  // given back.
  if (this_reader == nullptr) this_reader = &slots().take().epoch;
  return *this_reader;
}

std::uint64_t end_epoch() { return detail::current_epoch.fetch_add(1); }

std::uint64_t oldest_read() {
  auto& s = slots();
  std::lock_guard lock(s.mutex);
  auto oldest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& slot : s.all) {
    if (const auto epoch = slot.epoch.load(); epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

}  // namespace processhub::runtime
