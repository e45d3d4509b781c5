// Tap: where the core shows each message that it sends or gets to somebody who watches. Most of the time
// nobody does, and then a message costs the look at one pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/protocol/event.hpp"
#include "core/protocol/messages.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// The stations of a message, in this order.
enum class Hop : std::uint8_t {
  queued,    ///< a program or a worker hands it to its hub
  sent,      ///< to another node, or to a client
  received,  ///< from another node or a client
  handled,   ///< a worker begins with it
};
std::string_view to_string(Hop hop);

/// A message at a station. The views hold during the call.
struct Tapped {
  Hop hop = Hop::sent;
  std::string_view kind{};     ///< call, cast, reply, topic, or the name of a message between hubs
  NodeId peer{};               ///< the other node; none: a client, or all that listen to publications
  std::string_view child{};    ///< whom it is for
  std::string_view message{};  ///< wire name of its type
  std::string_view topic{};
  Token token = 0;          ///< of a call and its reply, with the node that made the call
  std::string_view body{};  ///< what a user's handler gets, or the answer
  const Trace* trace = nullptr;
};

/// Where to. Must not call back.
class TapSink {
 public:
  virtual ~TapSink() = default;
  virtual void note(const Tapped& what) = 0;
};

Tapped tapped(Hop hop, NodeId peer, const CallRequest& call);
Tapped tapped(Hop hop, NodeId peer, const CallReply& reply);
Tapped tapped(Hop hop, NodeId peer, const TopicNews& news);
/// Whichever of them it is.
Tapped tapped(Hop hop, NodeId peer, const Message& message);
template <class M>
Tapped tapped(Hop hop, NodeId peer, const M&) {
  return {hop, M::name, peer, {}, {}, {}, 0, {}, nullptr};
}

}  // namespace processhub::protocol
