#include "core/protocol/tap.hpp"

#include <variant>

namespace processhub::protocol {

std::string_view to_string(Hop hop) {
  switch (hop) {
    case Hop::queued:
      return "queued";
    case Hop::sent:
      return "sent";
    case Hop::received:
      return "received";
    case Hop::handled:
      return "handled";
  }
  return "?";
}

Tapped tapped(Hop hop, NodeId peer, const CallRequest& call) {
  const auto kind = call.flush ? "flush" : call.token == 0 ? "cast" : "call";
  return {hop, kind, peer, call.id, call.message, {}, call.token, call.body, call.trace.get()};
}

Tapped tapped(Hop hop, NodeId peer, const CallReply& reply) {
  return {hop, "reply", peer, {}, {}, {}, reply.token, reply.body, nullptr};
}

Tapped tapped(Hop hop, NodeId peer, const TopicNews& news) {
  return {hop, "topic", peer, {}, news.message, news.topic, 0, news.body, nullptr};
}

Tapped tapped(Hop hop, NodeId peer, const Message& message) {
  return std::visit([&](const auto& m) { return tapped(hop, peer, m); }, message);
}

}  // namespace processhub::protocol
