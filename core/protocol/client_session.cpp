#include "core/protocol/client_session.hpp"

#include <utility>
#include <variant>

namespace processhub::protocol {

namespace {

// ZeroMQ keeps a frame until the connection stands, so a hello is lost only with a connection: repeats are
// rare.
constexpr Duration kHelloAgain = std::chrono::seconds(1);
constexpr std::uint64_t kLargest = 1ULL << 30;  // an answer about all children of a large cluster

template <class M>
std::optional<M> parse(std::string_view body) {
  Reader reader(body);
  M message{};
  get(reader, message);
  if (reader.bad()) return std::nullopt;
  return message;
}

}  // namespace

bool ClientSession::request(AdminRequest request) {
  if (session_) return session_->send(Lane::control, request);
  waiting_.push_back(std::move(request));
  return true;
}

bool ClientSession::call(const CallRequest& request) {
  return session_ && session_->send(Lane::data, request, Sending::in_flow(hash64(request.id)));
}

Bytes ClientSession::hello() const {
  Hello h;
  h.role = PeerRole::client;
  h.self.id = self_;
  h.nonce = nonce_;
  Bytes frame;
  put_preamble(frame, FrameType::hello);
  Writer writer(frame);
  put(writer, h);
  return frame;
}

void ClientSession::flush(Time now, std::vector<Bytes>& frames) {
  if (state_ == State::greeting && now >= hello_due_) {
    frames.push_back(hello());
    hello_due_ = now + kHelloAgain;
  }
  if (session_) session_->flush(now, [&](Bytes frame) { frames.push_back(std::move(frame)); });
}

Time ClientSession::next_deadline() const {
  if (state_ == State::greeting) return hello_due_;
  return session_ ? session_->next_deadline() : kNever;
}

void ClientSession::on_frame(Time now, std::string_view frame) {
  auto type = take_preamble(frame);
  if (!type) return end("the node speaks another protocol version, or is no ProcessHub node");
  switch (*type) {
    case FrameType::hello:
      return on_hello(frame);
    case FrameType::refusal:
      return on_refusal(frame);
    case FrameType::session:
      return on_session_frame(now, frame);
    case FrameType::reset:
      // One for a session that never was is an answer to somebody else's frame.
      if (session_ && take_u64(frame) == session_->id()) end("the node does not know this session any more");
      return;
    default:
      return;
  }
}

void ClientSession::on_hello(std::string_view body) {
  auto h = parse<Hello>(body);
  // A hello that answers another nonce belongs to an earlier client at the same address.
  if (!h || h->echo_nonce != nonce_ || state_ != State::greeting) return;
  node_ = h->self.id;
  SessionLimits limits;
  limits.ring_bytes = kLargest;
  limits.max_message = kLargest;
  session_.emplace(session_id(nonce_, h->nonce, self_.hash(), node_.hash()), limits);
  state_ = State::open;
  for (const auto& request : std::exchange(waiting_, {})) {
    if (!session_->send(Lane::control, request)) return end("the request is too large");
  }
}

void ClientSession::on_refusal(std::string_view body) {
  auto refusal = parse<Refusal>(body);
  if (!refusal || refusal->to != self_) return;
  end("refused: " + refusal->why);
}

void ClientSession::on_session_frame(Time now, std::string_view rest) {
  auto header = take_session_header(rest);
  if (!header || !session_ || header->session != session_->id()) return;
  const bool good = session_->on_frame(now, *header, rest, [&](const Part& part) {
    if (part.kind == message_kind<Leaving>()) leaving_ = true;
    if (part.kind == message_kind<TopicNews>()) {
      if (auto news = decode_body<TopicNews>(part.body)) news_.push_back(std::move(*news));
      return;
    }
    if (part.kind != message_kind<AdminReply>() && part.kind != message_kind<CallReply>()) return;
    auto message = decode_message(part.kind, part.body);
    if (!message) return;
    if (auto* answer = std::get_if<CallReply>(&*message)) {
      call_replies_.push_back(std::move(*answer));
    } else {
      replies_.push_back(std::move(std::get<AdminReply>(*message)));
    }
  });
  if (!good) end("the node sent a broken frame");
}

std::optional<AdminReply> ClientSession::take_reply() {
  if (replies_.empty()) return std::nullopt;
  auto reply = std::move(replies_.front());
  replies_.pop_front();
  return reply;
}

std::optional<CallReply> ClientSession::take_call_reply() {
  if (call_replies_.empty()) return std::nullopt;
  auto reply = std::move(call_replies_.front());
  call_replies_.pop_front();
  return reply;
}

std::optional<TopicNews> ClientSession::take_news() {
  if (news_.empty()) return std::nullopt;
  auto news = std::move(news_.front());
  news_.pop_front();
  return news;
}

std::optional<Bytes> ClientSession::goodbye() {
  if (!session_) return std::nullopt;
  Bytes frame;
  put_preamble(frame, FrameType::reset);
  put_u64(frame, session_->id());
  end("closed");
  return frame;
}

void ClientSession::end(std::string why) {
  state_ = State::ended;
  why_ = std::move(why);
  session_.reset();
}

}  // namespace processhub::protocol
