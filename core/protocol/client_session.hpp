// One conversation with a node as a client: hello, then requests and replies on a session's control lane,
// calls and casts on its data lane. Sans-IO: frames in, frames out, time handed in. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/link_session.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::protocol {

class ClientSession {
 public:
  enum class State : std::uint8_t {
    greeting,  ///< hello is said, not yet answered
    open,
    ended,  ///< refused, or the node forgot the session: why() says so
  };

  /// `nonce` and the identity must be fresh for every session.
  ClientSession(NodeId self, std::uint64_t nonce) : self_(self), nonce_(nonce) {}

  State state() const { return state_; }
  const std::string& why() const { return why_; }
  NodeId node() const { return node_; }

  /// Goes out when the session is open. False: it is larger than a session takes.
  bool request(AdminRequest request);
  /// A call (or a cast: token 0) of an open session. False: it is too large, or too much waits.
  bool call(const CallRequest& request);
  void on_frame(Time now, std::string_view frame);
  /// Adds what is to be sent now.
  void flush(Time now, std::vector<Bytes>& frames);
  Time next_deadline() const;
  std::optional<AdminReply> take_reply();
  std::optional<CallReply> take_call_reply();
  std::optional<TopicNews> take_news();
  /// The node has said that it leaves: it still answers, but wants its clients gone.
  bool leaving() const { return leaving_; }
  /// Everything that was said has been confirmed.
  bool idle() const { return !session_ || session_->idle(); }
  /// Ends the session: what is returned tells the node, if there is anything to tell.
  std::optional<Bytes> goodbye();

 private:
  void on_hello(std::string_view body);
  void on_refusal(std::string_view body);
  void on_session_frame(Time now, std::string_view rest);
  void end(std::string why);
  Bytes hello() const;

  NodeId self_;
  std::uint64_t nonce_;
  State state_ = State::greeting;
  std::string why_{};
  NodeId node_{};
  bool leaving_ = false;
  Time hello_due_{};
  std::optional<LinkSession> session_{};
  std::vector<AdminRequest> waiting_{};
  std::deque<AdminReply> replies_{};
  std::deque<CallReply> call_replies_{};
  std::deque<TopicNews> news_{};
};

}  // namespace processhub::protocol
