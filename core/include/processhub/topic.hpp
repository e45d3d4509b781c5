// Topics: what is published under a name reaches every subscriber of a matching pattern on all nodes. A name
// is tokens between dots, `orders.eu.new`; in a pattern `*` stands for one token and `>`, at the end, for one
// or more: `orders.*.new`, `orders.>`.
//
// Lossy by default: a message is sent once, and what a subscriber did not get shows as `missed` of the next
// one. With `reliable` its node keeps it for a while, and nodes that did not get it ask for it. Order: what
// one node publishes arrives in that order, reliable messages and others each for themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "processhub/export.hpp"
#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"

namespace processhub {

struct PublishOptions {
  bool reliable = false;
};

/// The largest body that is published; what is larger belongs into a call.
inline constexpr std::size_t kMaxTopicBody = 1U << 20;

struct TopicMessage {
  std::string topic{};
  std::string message{};  ///< wire name of its type
  Bytes body{};
  NodeId publisher{};        ///< the node it was published on; of a client, the node it talks to
  std::uint64_t number = 0;  ///< counts what this node published under this topic, from 1
  std::uint64_t missed = 0;  ///< how many of those were lost right before this one
  bool reliable = false;

  /// Errors: no_such_message, if it is of another type or does not fit it.
  template <class M>
  Result<M> as() const {
    if (message != message_name<M>())
      return {ErrorCode::no_such_message, "'" + message + "' is no '" + std::string(message_name<M>()) + "'"};
    return decode<M>(body);
  }
};

/// Names one subscription of a hub or client.
using SubscriptionId = std::uint64_t;

/// Tokens without spaces, `*` and `>`; none is empty, 255 bytes at most.
PROCESSHUB_API Result<void> check_topic(std::string_view topic);
PROCESSHUB_API Result<void> check_topic_pattern(std::string_view pattern);
/// Whether it can be published.
PROCESSHUB_API Result<void> check_publication(std::string_view topic, std::string_view body);
/// Both well-formed.
PROCESSHUB_API bool topic_matches(std::string_view pattern, std::string_view topic);

}  // namespace processhub
