#include "core/protocol/event_queue.hpp"

#include <array>

#include <algorithm>

namespace processhub::protocol {

std::optional<std::pair<Event, Time>> EventQueue::pop() {
  for (auto& [priority, items] : waiting_) {
    if (-priority < level()) return std::nullopt;
    if (items.empty()) continue;
    auto item = std::move(items.front());
    items.pop_front();
    return std::pair(std::move(item.event), item.since);
  }
  return std::nullopt;
}

bool EventQueue::has_ready() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const auto& w) { return !w.second.empty() && -w.first >= level(); });
}

std::size_t EventQueue::size() const {
  std::size_t n = 0;
  for (const auto& [priority, items] : waiting_) n += items.size();
  return n;
}

std::vector<Event> EventQueue::take_overdue(Time now) {
  std::vector<Event> out;
  if (now < earliest_) return out;
  earliest_ = kNever;
  for (auto& [priority, items] : waiting_) {
    std::erase_if(items, [&](Item& item) {
      if (now < item.deadline) {
        earliest_ = std::min(earliest_, item.deadline);
        return false;
      }
      out.push_back(std::move(item.event));
      return true;
    });
  }
  return out;
}

std::vector<Event> EventQueue::take_if(const std::function<bool(const Event&)>& wanted) {
  std::vector<Event> out;
  for (auto& [priority, items] : waiting_) {
    std::erase_if(items, [&](Item& item) {
      if (!wanted(item.event)) return false;
      out.push_back(std::move(item.event));
      return true;
    });
  }
  return out;
}

std::vector<Event> EventQueue::drain() {
  std::vector<Event> out;
  for (auto& [priority, items] : waiting_)
    for (auto& item : items) out.push_back(std::move(item.event));
  waiting_.clear();
  earliest_ = kNever;
  return out;
}

std::uint64_t EventQueue::lock(Holder holder, std::string reason, int level, Time now, bool discard) {
  holders_[++last_token_] = {holder, std::move(reason), level, now, discard};
  return last_token_;
}

bool EventQueue::unlock(std::uint64_t token) { return holders_.erase(token) > 0; }

int EventQueue::level() const {
  int level = 0;
  for (const auto& [token, held] : holders_) level = std::max(level, held.level);
  return level;
}

bool EventQueue::discards(int priority) const {
  return std::any_of(holders_.begin(), holders_.end(),
                     [&](const auto& h) { return h.second.discard && priority < h.second.level; });
}

std::vector<std::string> EventQueue::free_overdue(Time now, Duration timeout) {
  std::vector<std::string> freed;
  std::erase_if(holders_, [&](const auto& h) {
    if (!h.second.may_be_freed() || now - h.second.since < timeout) return false;
    freed.push_back(h.second.reason);
    return true;
  });
  return freed;
}

void EventQueue::measure(Time now, Meters& meters) const {
  meters.lock_holders = {};
  meters.lock_age = {};
  for (const auto& [token, held] : holders_) {
    ++meters.lock_holders.at(static_cast<std::size_t>(held.holder));
    meters.lock_age = std::max(meters.lock_age, now - held.since);
  }
}

void EventQueue::list(Time now, Report& report) const {
  static constexpr std::array kHolders = {"joining", "quorum", "redistribution", "user"};
  report.level = level();
  for (const auto& [token, held] : holders_) {
    report.locks.push_back({kHolders.at(static_cast<std::size_t>(held.holder)), held.reason, held.level,
                            held.discard, now - held.since, token});
  }
  for (const auto& [priority, items] : waiting_) {
    if (!items.empty()) report.waiting.push_back({-priority, items.size(), now - items.front().since});
  }
}

Time EventQueue::next_deadline(Duration timeout) const {
  Time due = earliest_;
  for (const auto& [token, held] : holders_)
    if (held.may_be_freed()) due = std::min(due, held.since + timeout);
  return due;
}

}  // namespace processhub::protocol
