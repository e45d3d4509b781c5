#include "core/protocol/client_core.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/topic_messages.hpp"
#include "processhub/message.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kOneAddress = std::chrono::seconds(2);
constexpr std::size_t kMostWays = 100'000;  // remembered; a child beyond them is asked through any node
}  // namespace

ClientCore::ClientCore(NodeId self, std::vector<std::string> nodes, ClientPort& port)
    : self_(self), nodes_(std::move(nodes)), port_(port), candidates_(nodes_) {}

void ClientCore::turn(Time now, std::deque<ClientRequest> fresh) {
  now_ = now;
  expire();
  keep_connected();
  choose_gateway();
  if (any_usable() != 0) {
    for (auto& request : std::exchange(waiting_, {})) route(std::move(request));
  }
  for (auto& request : fresh) route(std::move(request));
  while (!later_.empty() && later_.begin()->first <= now_)
    route(std::move(later_.extract(later_.begin()).mapped()));
  ask_for_members();
  flush();
  retire_links();
}

std::size_t ClientCore::open_requests() const {
  auto count = open_.size() + waiting_.size() + later_.size();
  for (const auto& child : sweeping_) count += ways_.at(child).held.size();
  return count;
}

void ClientCore::route(ClientRequest request) {
  if (request.deadline <= now_)
    return fail(std::move(request), {ErrorCode::refused, "no way to the child in time; nothing was sent"});
  // One that is being swept is not swept anew: under load the answer would always come to an older question.
  const auto id = sweeping_.contains(request.child) ? 0 : way_of(request.child);
  if (sweeping_.contains(request.child)) {
    held_due_ = std::min(held_due_, request.deadline);
    return ways_.at(request.child).held.push_back(std::move(request));
  }
  if (id == 0) return waiting_.push_back(std::move(request));
  send(id, links_.at(id), std::move(request));
}

void ClientCore::send(LinkId id, Link& link, ClientRequest request) {
  const auto number = ++last_number_;
  auto again = request.retry ? std::make_unique<ClientRequest>(request) : nullptr;
  bool sent = false;
  if (request.kind == ClientRequest::Kind::subscribe) {
    sent = link.session.request({number, "subscribe", port_.patterns().value_or(encode(SubscribeArgs{}))});
  } else if (request.kind == ClientRequest::Kind::admin) {
    sent = link.session.request({number, std::move(request.name), std::move(request.body)});
  } else {
    CallRequest call;
    call.token = request.kind == ClientRequest::Kind::call ? number : 0;
    call.id = request.child;
    call.message = std::move(request.name);
    call.body = std::move(request.body);
    call.named_reply = request.named;
    call.timeout = std::max(request.deadline - now_, Duration::zero());
    call.trace = std::move(request.trace);
    sent = link.session.call(call);
  }
  if (!sent)
    return fail(again ? std::move(*again) : std::move(request),
                {ErrorCode::overloaded, "the request is too large, or too many wait"});
  if (!request.child.empty()) {
    if (auto way = ways_.find(request.child); way != ways_.end()) way->second.last = number;
  }
  if (!request.answer) return;
  deadlines_.emplace(request.deadline, number);
  open_.emplace(number, Open{id, request.deadline, std::move(request.child), number,
                             std::move(request.answer), false, std::move(again)});
}

/// The link that messages to the child take; 0: there is none to any node, or they wait.
ClientCore::LinkId ClientCore::way_of(const std::string& child) {
  if (child.empty()) return any_usable();
  const auto found = ways_.find(child);
  if (found != ways_.end() && usable(found->second.link)) return found->second.link;
  if (found != ways_.end() && open_session(found->second.link) &&
      found->second.last != found->second.answered) {
    sweep(child, found->second, 0);
    return 0;
  }
  const auto link = any_usable();
  if (link == 0) return 0;
  if (found != ways_.end()) {
    found->second.link = link;
  } else if (ways_.size() < kMostWays) {
    ways_[child].link = link;
  }
  return link;
}

/// An answer told where the child is. Its messages go there once nothing is under way on the old link: then
/// none can overtake another.
void ClientCore::follow(LinkId from, const Open& call, NodeId at) {
  const auto way = ways_.find(call.child);
  const auto link = links_.find(from);
  if (way == ways_.end() || link == links_.end() || way->second.link != from) return;
  if (way->second.sweep != 0 || link->second.session.node() == at) return;
  for (const auto& [id, other] : links_) {
    if (other.session.node() != at || !usable(id)) continue;
    if (way->second.last == way->second.answered) {
      way->second.link = id;
    } else {
      sweep(call.child, way->second, id);
    }
    return;
  }
  const auto member = members_.find(at);
  if (member == members_.end()) {
    members_due_ = {};
  } else if (member->second.stays && !linked(member->second.endpoint)) {
    connect(member->second.endpoint);
  }
}

void ClientCore::flush() {
  std::vector<Bytes> frames;
  for (auto& [id, link] : links_) {
    frames.clear();
    link.session.flush(now_, frames);
    for (const auto& frame : frames) port_.send(id, frame);
  }
}

void ClientCore::on_down(Time now, LinkId id, const std::string& why) {
  now_ = now;
  const auto found = links_.find(id);
  if (found != links_.end()) drop(id, {ErrorCode::node_down, found->second.endpoint + ": " + why});
}

void ClientCore::on_frame(Time now, LinkId id, std::string_view frame) {
  now_ = now;
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  auto& session = found->second.session;
  session.on_frame(now_, frame);
  take_replies(id);
  if (session.leaving()) retire(id);
  if (session.state() == ClientSession::State::ended)
    drop(id, {ErrorCode::unknown, found->second.endpoint + ": " + session.why()});
}

void ClientCore::take_replies(LinkId id) {
  auto& session = links_.at(id).session;
  while (auto reply = session.take_call_reply()) on_call_reply(id, std::move(*reply));
  while (auto reply = session.take_reply()) on_admin_reply(std::move(*reply));
  while (auto news = session.take_news()) port_.on_news(std::move(*news));
}

void ClientCore::on_call_reply(LinkId id, CallReply reply) {
  auto found = open_.find(reply.token);
  if (found == open_.end() || found->second.link != id) return;  // its deadline passed
  const bool no_child = reply.code == ErrorCode::no_such_child || reply.code == ErrorCode::stopped;
  if (found->second.sweep && reply.code != ErrorCode{} && !no_child) return;  // at its deadline, once more
  auto call = std::move(found->second);
  open_.erase(found);
  deadlines_.erase({call.deadline, reply.token});
  if (call.sweep) return end_sweep(call.child, call.number);
  if (reply.code != ErrorCode{}) return fail(call, Error{reply.code, std::move(reply.body)});
  if (const auto way = ways_.find(call.child); way != ways_.end() && way->second.link == id)
    way->second.answered = std::max(way->second.answered, call.number);
  if (reply.at) follow(id, call, reply.at);
  finish(call.answer, std::move(reply.body));
}

/// The answer keeps its code as first byte: a start that was done in part has both a code and a value.
void ClientCore::on_admin_reply(AdminReply reply) {
  if (reply.request == members_request_ && members_request_ != 0) {
    members_request_ = 0;
    if (reply.code == 0) on_members(reply.body);
    return;
  }
  if (reply.request == subscribing_) subscribing_ = 0;
  auto found = open_.find(reply.request);
  if (found == open_.end()) return;
  const auto call = std::move(found->second);
  open_.erase(found);
  deadlines_.erase({call.deadline, reply.request});
  reply.body.insert(reply.body.begin(), static_cast<char>(reply.code));
  finish(call.answer, std::move(reply.body));
}

/// Whatever went over this link ends here; nothing of it is sent again.
void ClientCore::drop(LinkId id, const Error& why) {
  port_.disconnect(id);
  const auto found = links_.find(id);
  not_before_[found->second.endpoint] = now_ + std::chrono::milliseconds(500);
  links_.erase(found);
  if (gateway_ == id) gateway_ = 0;
  std::vector<std::uint64_t> lost;
  for (const auto& [number, call] : open_)
    if (call.link == id) lost.push_back(number);
  for (const auto number : lost) {
    auto call = std::move(open_.at(number));
    open_.erase(number);
    deadlines_.erase({call.deadline, number});
    if (call.sweep)
      end_sweep(call.child, number);
    else
      fail(call, Error{why.code, why.message + ", with the request in flight"});
  }
  last_failure_ = why.message;
  tell_gateway();
}

void ClientCore::expire() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    const auto number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto found = open_.find(number);
    const auto call = std::move(found->second);
    open_.erase(found);
    if (call.sweep)
      sweep_again(call.child, number);
    else
      finish(call.answer, Error{ErrorCode::timeout, "no answer in time"});
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->deadline > now_) {
      ++it;
      continue;
    }
    fail(std::move(*it), {ErrorCode::refused, "no node could be reached in time; nothing was sent"});
    it = waiting_.erase(it);
  }
  if (held_due_ <= now_) expire_held();
}

Time ClientCore::next_deadline() const {
  auto due = deadlines_.empty() ? kNever : deadlines_.begin()->first;
  for (const auto& request : waiting_) due = std::min(due, request.deadline);
  for (const auto& [id, link] : links_) {
    due = std::min(due, link.session.next_deadline());
    if (link.session.state() != ClientSession::State::open) due = std::min(due, link.give_up);
  }
  due = std::min(due, held_due_);
  if (!later_.empty()) due = std::min(due, later_.begin()->first);
  return std::min(due, any_usable() != 0 ? members_due_ : next_try_);
}

void ClientCore::close(Time now, std::deque<ClientRequest> fresh) {
  now_ = now;
  const Error closed{ErrorCode::unknown, "the client was closed with the request in flight"};
  const Error unsent{ErrorCode::stopped, "the client was closed; nothing was sent"};
  for (const auto& [number, call] : open_) finish(call.answer, closed);
  for (const auto& request : waiting_) finish(request.answer, unsent);
  for (const auto& child : sweeping_)
    for (const auto& request : ways_.at(child).held) finish(request.answer, unsent);
  for (const auto& request : fresh) finish(request.answer, unsent);
  for (const auto& [due, request] : later_) finish(request.answer, request.retry->truth(unsent));
  // What was said last, casts above all, goes out before the goodbye.
  flush();
  for (auto& [id, link] : links_)
    if (auto bye = link.session.goodbye()) port_.send(id, *bye);
}

void ClientCore::finish(const ClientAnswer& answer, Result<Bytes> result) {
  if (answer) port_.finish(answer, std::move(result));
}

void ClientCore::fail(Open& call, Error error) {
  if (call.again) return fail(std::move(*call.again), std::move(error));
  finish(call.answer, std::move(error));
}

void ClientCore::fail(ClientRequest request, Error error) {
  if (!request.retry) return finish(request.answer, std::move(error));
  if (!request.retry->again(error, now_, request.deadline))
    return finish(request.answer, request.retry->truth(std::move(error)));
  const auto due = request.retry->due();
  later_.emplace(due, std::move(request));
}

void ClientCore::connect(const std::string& endpoint) {
  const auto id = ++last_link_;
  if (auto connected = port_.connect(id, endpoint); !connected) {
    not_before_[endpoint] = now_ + kOneAddress;
    last_failure_ = endpoint + ": " + connected.error().message;
    return tell_gateway();
  }
  links_.emplace(id, Link{endpoint, ClientSession(self_, port_.fresh_nonce()), now_ + kOneAddress});
}

void ClientCore::subscribe_at_gateway() {
  subscribing_ = 0;
  auto patterns = gateway_ == 0 ? std::nullopt : port_.patterns();
  if (!patterns) return;
  subscribing_ = ++last_number_;
  links_.at(gateway_).session.request({subscribing_, "subscribe", std::move(*patterns)});
}

}  // namespace processhub::protocol
