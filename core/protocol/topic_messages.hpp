// Wire messages of topics; rows of Message in messages.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/codec.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// Something was published. To all nodes as a publication, to clients over their session.
struct TopicNews {
  static constexpr std::string_view name = "topic_news";
  std::string topic{};
  std::string message{};
  Bytes body{};
  std::uint64_t number = 0;  ///< among those of this publisher under this topic; 1: begins anew
  std::uint64_t order = 0;   ///< among all of this publisher; reliable ones are counted for themselves
  bool reliable = false;
  NodeId publisher{};        ///< none: the sender
  std::uint64_t missed = 0;  ///< of this topic, right before this one; told to clients
  PROCESSHUB_FIELDS(topic, message, body, number, order, reliable, publisher, missed)
};

/// How many reliable ones there were so far: whoever has fewer asks.
struct TopicMark {
  static constexpr std::string_view name = "topic_mark";
  std::uint64_t order = 0;
  PROCESSHUB_FIELDS(order)
};

/// Reliable ones from this one on, please.
struct TopicAsk {
  static constexpr std::string_view name = "topic_ask";
  std::uint64_t from = 0;
  PROCESSHUB_FIELDS(from)
};

/// The answer. What is older than `first` is not kept any more, or was before the asker's time.
struct TopicReplay {
  static constexpr std::string_view name = "topic_replay";
  std::uint64_t first = 0;
  bool before_your_time = false;
  std::vector<TopicNews> news{};
  PROCESSHUB_FIELDS(first, before_your_time, news)
};

// What clients say with the admin verbs subscribe and publish, as a msgpack array or map.

/// Everything the client wants from now on.
struct SubscribeArgs {
  std::vector<std::string> patterns{};
  PROCESSHUB_FIELDS(patterns)
};
struct PublishArgs {
  std::string topic{};
  std::string message{};
  Bytes body{};
  bool reliable = false;
  PROCESSHUB_FIELDS(topic, message, body, reliable)
};

}  // namespace processhub::protocol
