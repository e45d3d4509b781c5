#include "transport/assembly/client_engine.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/clock.hpp"
#include "core/runtime/identity.hpp"
#include "core/runtime/signals.hpp"

namespace processhub::assembly {

namespace {

using runtime::boot_now;
constexpr Duration kOneAddress = std::chrono::seconds(2);
constexpr std::size_t kMostWays = 100'000;  // remembered; a child beyond them is asked through any node
constexpr Duration kNoLimit = std::chrono::hours(24 * 365);

}  // namespace

ClientEngine::ClientEngine(ClientConfig config, std::unique_ptr<ClientPoller> poller)
    : config_(std::move(config)),
      poller_(std::move(poller)),
      callbacks_(1, [](const std::string&) {}),
      self_(runtime::fresh_client("client")),
      candidates_(config_.nodes) {
  const runtime::SignalsBlocked for_our_thread;
  thread_ = std::thread([this] { run(); });
}

ClientEngine::~ClientEngine() { close(); }

void ClientEngine::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  connected_.notify_all();
  poller_->wake();
  if (thread_.joinable()) thread_.join();
  callbacks_.stop();
}

Result<void> ClientEngine::submit(ClientRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return {ErrorCode::stopped, "the client is closed"};
    if (submitted_.size() + taken_ >= config_.max_waiting)
      return {ErrorCode::overloaded, "too many requests of this client wait for an answer"};
    submitted_.push_back(std::move(request));
    if (submitted_.size() > 1) return {};
  }
  poller_->wake();
  return {};
}

Result<void> ClientEngine::wait_connected(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  connected_.wait_for(lock, timeout, [&] { return closing_ || shown_gateway_; });
  if (shown_gateway_) return {};
  return {ErrorCode::node_down, "nobody answered: " + last_failure_};
}

NodeId ClientEngine::node() const {
  std::lock_guard lock(mutex_);
  return shown_gateway_;
}

void ClientEngine::run() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (closing_) break;
    }
    turn(boot_now());
    const auto until = next_deadline();
    events_.clear();
    poller_->wait(std::max(until - boot_now(), Duration::zero()), events_);
    const auto now = now_ = boot_now();
    for (auto& event : events_) on_event(now, event);
  }
  end_all();
}

void ClientEngine::turn(Time now) {
  now_ = now;
  expire(now);
  keep_connected(now);
  choose_gateway();
  take_submitted();
  ask_for_members(now);
  flush(now);
  retire_links();
  std::lock_guard lock(mutex_);
  taken_ = open_.size() + waiting_.size();
  for (const auto& child : sweeping_) taken_ += ways_.at(child).held.size();
}

void ClientEngine::take_submitted() {
  if (any_usable() != 0) {
    for (auto& request : std::exchange(waiting_, {})) route(std::move(request));
  }
  std::deque<ClientRequest> fresh;
  {
    std::lock_guard lock(mutex_);
    fresh.swap(submitted_);
    taken_ += fresh.size();
  }
  for (auto& request : fresh) route(std::move(request));
}

void ClientEngine::route(ClientRequest request) {
  if (request.deadline <= now_)
    return finish(request.answer, Error{ErrorCode::refused, "no way to the child in time; nothing was sent"});
  const auto id = way_of(request.child);
  if (const auto way = ways_.find(request.child); way != ways_.end() && way->second.sweep != 0) {
    held_due_ = std::min(held_due_, request.deadline);
    return way->second.held.push_back(std::move(request));
  }
  if (id == 0) return waiting_.push_back(std::move(request));
  send(id, links_.at(id), std::move(request));
}

void ClientEngine::send(LinkId id, Link& link, ClientRequest request) {
  const auto number = ++last_number_;
  bool sent = false;
  if (request.kind == ClientRequest::Kind::subscribe) {
    sent = link.session.request({number, "subscribe", patterns()});
  } else if (request.kind == ClientRequest::Kind::admin) {
    sent = link.session.request({number, std::move(request.name), std::move(request.body)});
  } else {
    protocol::CallRequest call;
    call.token = request.kind == ClientRequest::Kind::call ? number : 0;
    call.id = request.child;
    call.message = std::move(request.name);
    call.body = std::move(request.body);
    call.named_reply = request.named;
    call.timeout = std::max(request.deadline - boot_now(), Duration::zero());
    sent = link.session.call(call);
  }
  if (!sent)
    return finish(request.answer, Error{ErrorCode::overloaded, "the request is too large, or too many wait"});
  if (!request.child.empty()) {
    if (auto way = ways_.find(request.child); way != ways_.end()) way->second.last = number;
  }
  if (!request.answer) return;
  deadlines_.emplace(request.deadline, number);
  open_.emplace(number,
                Open{id, request.deadline, std::move(request.child), number, std::move(request.answer)});
}

/// The link that messages to the child take; 0: there is none to any node, or they wait.
ClientEngine::LinkId ClientEngine::way_of(const std::string& child) {
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
void ClientEngine::follow(LinkId from, const Open& call, NodeId at) {
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
    connect(member->second.endpoint, boot_now());
  }
}

void ClientEngine::flush(Time now) {
  std::vector<Bytes> frames;
  for (auto& [id, link] : links_) {
    frames.clear();
    link.session.flush(now, frames);
    // One that is not taken now is sent again by the session.
    for (const auto& frame : frames) static_cast<void>(poller_->send(id, frame));
  }
}

void ClientEngine::on_event(Time now, ClientPoller::Event& event) {
  const auto found = links_.find(event.link);
  if (found == links_.end()) return;
  auto& session = found->second.session;
  switch (event.what) {
    case ClientPoller::What::up:
      return;
    case ClientPoller::What::down:
      return drop(event.link, {ErrorCode::node_down, found->second.endpoint + ": " + event.text});
    case ClientPoller::What::frame:
      session.on_frame(now, event.text);
      take_replies(event.link);
      if (session.leaving()) retire(event.link);
      if (session.state() == protocol::ClientSession::State::ended)
        drop(event.link, {ErrorCode::unknown, found->second.endpoint + ": " + session.why()});
  }
}

void ClientEngine::take_replies(LinkId id) {
  auto& session = links_.at(id).session;
  while (auto reply = session.take_call_reply()) on_call_reply(id, std::move(*reply));
  while (auto reply = session.take_reply()) on_admin_reply(std::move(*reply));
  while (auto news = session.take_news()) on_news(std::move(*news));
}

void ClientEngine::on_call_reply(LinkId id, protocol::CallReply reply) {
  auto found = open_.find(reply.token);
  if (found == open_.end() || found->second.link != id) return;  // its deadline passed
  const auto call = std::move(found->second);
  open_.erase(found);
  deadlines_.erase({call.deadline, reply.token});
  if (call.sweep) return end_sweep(call.child, call.number);
  if (reply.code != ErrorCode{}) return finish(call.answer, Error{reply.code, std::move(reply.body)});
  if (const auto way = ways_.find(call.child); way != ways_.end() && way->second.link == id)
    way->second.answered = std::max(way->second.answered, call.number);
  if (reply.at) follow(id, call, reply.at);
  finish(call.answer, std::move(reply.body));
}

/// The answer keeps its code as first byte: a start that was done in part has both a code and a value.
void ClientEngine::on_admin_reply(protocol::AdminReply reply) {
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
void ClientEngine::drop(LinkId id, const Error& why) {
  poller_->disconnect(id);
  const auto found = links_.find(id);
  not_before_[found->second.endpoint] = boot_now() + std::chrono::milliseconds(500);
  links_.erase(found);
  if (gateway_ == id) gateway_ = 0;
  std::vector<std::uint64_t> lost;
  for (const auto& [number, call] : open_)
    if (call.link == id) lost.push_back(number);
  for (const auto number : lost) {
    const auto call = std::move(open_.at(number));
    open_.erase(number);
    deadlines_.erase({call.deadline, number});
    if (call.sweep)
      end_sweep(call.child, number);
    else
      finish(call.answer, Error{why.code, why.message + ", with the request in flight"});
  }
  {
    std::lock_guard lock(mutex_);
    last_failure_ = why.message;
  }
  publish_gateway();
}

void ClientEngine::expire(Time now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto found = open_.find(number);
    const auto call = std::move(found->second);
    open_.erase(found);
    if (call.sweep)
      end_sweep(call.child, number);
    else
      finish(call.answer, Error{ErrorCode::timeout, "no answer in time"});
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->deadline > now) {
      ++it;
      continue;
    }
    finish(it->answer, Error{ErrorCode::refused, "no node could be reached in time; nothing was sent"});
    it = waiting_.erase(it);
  }
  if (held_due_ <= now) expire_held();
}

Time ClientEngine::next_deadline() const {
  auto due = deadlines_.empty() ? boot_now() + kNoLimit : deadlines_.begin()->first;
  for (const auto& request : waiting_) due = std::min(due, request.deadline);
  for (const auto& [id, link] : links_) {
    due = std::min(due, link.session.next_deadline());
    if (link.session.state() != protocol::ClientSession::State::open) due = std::min(due, link.give_up);
  }
  due = std::min(due, held_due_);
  return std::min(due, any_usable() != 0 ? members_due_ : next_try_);
}

void ClientEngine::end_all() {
  const Error closed{ErrorCode::unknown, "the client was closed with the request in flight"};
  const Error unsent{ErrorCode::stopped, "the client was closed; nothing was sent"};
  for (const auto& [number, call] : open_) finish(call.answer, closed);
  for (const auto& request : waiting_) finish(request.answer, unsent);
  for (const auto& child : sweeping_)
    for (const auto& request : ways_.at(child).held) finish(request.answer, unsent);
  std::deque<ClientRequest> fresh;
  {
    std::lock_guard lock(mutex_);
    fresh.swap(submitted_);
  }
  for (const auto& request : fresh) finish(request.answer, unsent);
  // What was said last, casts above all, goes out before the goodbye.
  flush(boot_now());
  for (auto& [id, link] : links_)
    if (auto bye = link.session.goodbye()) static_cast<void>(poller_->send(id, *bye));
}

void ClientEngine::finish(const runtime::CallAnswer& answer, Result<Bytes> result) {
  if (answer) runtime::OpenAnswers::end_call(callbacks_, answer, std::move(result));
}

// -- which node to talk to

void ClientEngine::connect(const std::string& endpoint, Time now) {
  const auto id = ++last_link_;
  if (auto connected = poller_->connect(id, endpoint); !connected) {
    not_before_[endpoint] = now + kOneAddress;
    std::lock_guard lock(mutex_);
    last_failure_ = endpoint + ": " + connected.error().message;
    return;
  }
  links_.emplace(
      id, Link{endpoint, protocol::ClientSession(self_, runtime::random_number() >> 1), now + kOneAddress});
}

}  // namespace processhub::assembly
