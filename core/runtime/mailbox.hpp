// What waits at a worker: messages, due timers and answers to its own calls, in one order. Not thread-safe;
// the owner locks.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "core/protocol/event.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

struct TimerFired {
  TimerId id = 0;
};

/// The answer to a call this worker made; `call` names the continuation that waits for it.
struct CallAnswered {
  std::uint64_t call = 0;
  Result<Bytes> answer{Bytes{}};
};

/// The worker's role from here on.
struct RoleChange {
  std::uint64_t epoch = 0;
  Role role = Role::active;
  bool tell = true;
};

/// The state of another instance, which lost against this one.
struct StateToMerge {
  std::shared_ptr<const Bytes> state{};
};

/// What became of a child that the worker monitors.
struct MonitorNews {
  MonitorId monitor = 0;
  std::shared_ptr<const ChildNews> news{};
};

/// What is not a message.
using InnerWork = std::variant<TimerFired, CallAnswered, RoleChange, StateToMerge, MonitorNews>;

struct MailItem {
  std::variant<TimerFired, protocol::PostedMessage, CallAnswered, RoleChange, StateToMerge, MonitorNews>
      work{};
  std::unique_ptr<MailItem> next{};

  bool is_message() const { return std::holds_alternative<protocol::PostedMessage>(work); }
};

/// What a message takes, in units of 64 bytes, which fit into a small number.
inline std::uint32_t weight_of(const protocol::PostedMessage& message) {
  constexpr std::size_t kUnit = 64;
  constexpr std::size_t kItself = sizeof(MailItem) / kUnit + 1;
  return static_cast<std::uint32_t>(kItself + (message.body.size() + message.message.size()) / kUnit);
}

/// A singly linked queue: two words when empty, constant-time splice.
class MailQueue {
 public:
  MailQueue() = default;
  MailQueue(MailQueue&& other) noexcept { swap(other); }
  MailQueue& operator=(MailQueue&& other) noexcept {
    if (this != &other) {
      clear();
      swap(other);
    }
    return *this;
  }
  ~MailQueue() { clear(); }

  bool empty() const { return !head_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t messages() const { return messages_; }
  /// Of all messages.
  std::uint32_t weight() const { return weight_; }

  void push_back(std::unique_ptr<MailItem> item) {
    ++size_;
    if (const auto* message = std::get_if<protocol::PostedMessage>(&item->work)) {
      ++messages_;
      weight_ += weight_of(*message);
    }
    MailItem* last = item.get();
    (head_ ? tail_->next : head_) = std::move(item);
    tail_ = last;
  }
  std::unique_ptr<MailItem> pop_front() {
    auto item = std::move(head_);
    if (!item) return item;
    head_ = std::move(item->next);
    --size_;
    if (const auto* message = std::get_if<protocol::PostedMessage>(&item->work)) {
      --messages_;
      weight_ -= weight_of(*message);
    }
    return item;
  }
  /// The first item that is no message.
  std::unique_ptr<MailItem> pop_inner() {
    MailItem* before = nullptr;
    for (auto* slot = &head_; *slot; before = slot->get(), slot = &(*slot)->next) {
      if ((*slot)->is_message()) continue;
      auto item = std::move(*slot);
      *slot = std::move(item->next);
      if (!*slot) tail_ = before;
      --size_;
      return item;
    }
    return nullptr;
  }
  bool has_inner() const { return size_ > messages_; }
  /// Puts `front` before everything that is here.
  void prepend(MailQueue&& front) {
    if (front.empty()) return;
    front.append(std::move(*this));
    swap(front);
  }
  void append(MailQueue&& back) {
    if (back.empty()) return;
    (head_ ? tail_->next : head_) = std::move(back.head_);
    tail_ = back.tail_;
    size_ += std::exchange(back.size_, 0);
    messages_ += std::exchange(back.messages_, 0);
    weight_ += std::exchange(back.weight_, 0);
  }
  /// Removes the first message, if there is one; timers and answers stay.
  std::unique_ptr<MailItem> drop_oldest_message() {
    MailItem* before = nullptr;
    for (auto* slot = &head_; *slot; before = slot->get(), slot = &(*slot)->next) {
      if (!(*slot)->is_message()) continue;
      auto item = std::move(*slot);
      *slot = std::move(item->next);
      if (!*slot) tail_ = before;
      --size_;
      --messages_;
      weight_ -= weight_of(std::get<protocol::PostedMessage>(item->work));
      return item;
    }
    return nullptr;
  }
  /// Moves the messages out and forgets the rest.
  std::vector<protocol::PostedMessage> take_messages() {
    std::vector<protocol::PostedMessage> messages;
    messages.reserve(messages_);
    while (auto item = pop_front()) {
      if (auto* message = std::get_if<protocol::PostedMessage>(&item->work))
        messages.push_back(std::move(*message));
    }
    return messages;
  }

 private:
  void swap(MailQueue& other) noexcept {
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
    std::swap(size_, other.size_);
    std::swap(messages_, other.messages_);
    std::swap(weight_, other.weight_);
  }
  // One by one: the default destructor would recurse once per item.
  void clear() {
    while (pop_front()) {
    }
  }

  std::unique_ptr<MailItem> head_{};
  MailItem* tail_ = nullptr;  // valid while head_ is
  std::uint32_t size_ = 0;
  std::uint32_t messages_ = 0;
  std::uint32_t weight_ = 0;
};

/// Used items, kept for the next messages: allocated by one thread and freed by another is what malloc is
/// slowest at. A small body stays in its item too, so that it goes back to the thread that sent it.
class MailStock {
 public:
  /// The item for `message`, which gets whatever the item still held.
  std::unique_ptr<MailItem> take(protocol::PostedMessage& message) {
    auto item = take();
    if (auto* old = std::get_if<protocol::PostedMessage>(&item->work)) {
      std::swap(*old, message);
    } else {
      item->work = std::move(message);
    }
    return item;
  }
  std::unique_ptr<MailItem> take() {
    return items_.empty() ? std::make_unique<MailItem>() : items_.pop_front();
  }

  /// Lets go of what a used item must not keep.
  static void empty(MailItem& item) {
    auto* message = std::get_if<protocol::PostedMessage>(&item.work);
    if (!message || message->body.capacity() > kSmallBody) {
      item.work = TimerFired{};
    } else {
      message->sink = nullptr;
      message->topic = nullptr;
    }
  }
  /// Takes what fits and leaves the rest; only emptied items.
  void put(MailQueue& used) {
    if (items_.size() < kKept) items_.append(std::move(used));
  }

 private:
  static constexpr std::uint32_t kKept = 64;
  static constexpr std::size_t kSmallBody = 256;
  MailQueue items_{};
};

}  // namespace processhub::runtime
