// The part of ClientEngine that knows what the client subscribed to, and hands out what is published.
#include <algorithm>
#include <utility>

#include "core/protocol/topic_messages.hpp"
#include "processhub/message.hpp"
#include "transport/assembly/client_engine.hpp"

namespace processhub::assembly {

namespace {
constexpr std::size_t kMostWaiting = 100'000;
constexpr std::size_t kMostNumbers = 100'000;
}  // namespace

SubscriptionId ClientEngine::add_subscription(std::string pattern, Client::TopicHandler handler) {
  std::lock_guard lock(mutex_);
  const auto id = ++last_subscription_;
  subscriptions_[id] = {std::move(pattern), std::make_shared<const Client::TopicHandler>(std::move(handler)),
                        0};
  return id;
}

void ClientEngine::remove_subscription(SubscriptionId id) {
  std::lock_guard lock(mutex_);
  subscriptions_.erase(id);
}

std::optional<Bytes> ClientEngine::patterns() {
  protocol::SubscribeArgs args;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, subscription] : subscriptions_) args.patterns.push_back(subscription.pattern);
  }
  if (args.patterns.empty()) return {};
  std::sort(args.patterns.begin(), args.patterns.end());
  args.patterns.erase(std::unique(args.patterns.begin(), args.patterns.end()), args.patterns.end());
  return encode(args);
}

void ClientEngine::on_news(protocol::TopicNews news) {
  auto& order = orders_[{news.publisher, news.reliable}];
  if (news.order <= order) return;
  order = news.order;
  if (numbers_.size() >= kMostNumbers) numbers_.clear();
  auto& last = numbers_[{news.publisher, news.reliable, news.topic}];
  auto message = std::make_shared<TopicMessage>();
  message->missed = last == 0 || news.number <= last ? news.missed : news.number - last - 1;
  last = news.number;
  message->topic = std::move(news.topic);
  message->message = std::move(news.message);
  message->body = std::move(news.body);
  message->publisher = news.publisher;
  message->number = news.number;
  message->reliable = news.reliable;
  hand_out(std::move(message));
}

void ClientEngine::hand_out(std::shared_ptr<TopicMessage> message) {
  struct Wanted {
    std::shared_ptr<const Client::TopicHandler> handler{};
    std::uint64_t dropped = 0;
  };
  std::vector<Wanted> wanted;
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, subscription] : subscriptions_) {
      if (!topic_matches(subscription.pattern, message->topic)) continue;
      if (waiting_news_.load() + wanted.size() >= kMostWaiting) {
        ++subscription.dropped;
      } else {
        wanted.push_back({subscription.handler, std::exchange(subscription.dropped, 0)});
      }
    }
  }
  for (auto& to : wanted) {
    auto told = message;
    if (to.dropped > 0) {
      told = std::make_shared<TopicMessage>(*message);
      told->missed += to.dropped;
    }
    ++waiting_news_;
    callbacks_.post([this, handler = std::move(to.handler), told = std::move(told)] {
      --waiting_news_;
      (*handler)(*told);
    });
  }
}

}  // namespace processhub::assembly
