#include "core/protocol/call_router.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kCastPatience = std::chrono::seconds(5);  // how long a cast waits for a child in transit
constexpr std::uint32_t kMaxHops = 8;
constexpr std::size_t kMaxHeld = 200'000;
constexpr std::uint64_t kMaxHeldBytes = 256ULL << 20;
constexpr std::size_t kLongestReason = 1024;               // of an error that takes the place of an answer
constexpr Duration kLongestCall = std::chrono::hours(24);  // of a client; what it says is only a wish

/// There is no room for it: an error goes in its place, shortened, and if it was none yet, why.
void give_up_answer(CallReply& reply, std::string why) {
  if (reply.code == ErrorCode{}) {
    reply.code = ErrorCode::no_reply;
    reply.body = std::move(why);
  }
  reply.body.resize(std::min(reply.body.size(), kLongestReason));
}
}  // namespace

CallRouter::CallRouter(Context& context, Registry& registry, Links& links, Membership& membership,
                       Supervisor& supervisor)
    : ctx_(context), registry_(registry), links_(links), membership_(membership), supervisor_(supervisor) {}

void CallRouter::on(event::CallChild&& call) {
  auto deadline = ctx_.now + call.timeout;
  open(call.token, deadline, call.id);
  CallRequest request{ctx_.self(),
                      call.token,
                      std::move(call.id),
                      std::move(call.message),
                      std::move(call.body),
                      call.named_reply,
                      call.timeout,
                      0,
                      false,
                      std::move(call.trace)};
  if (call.retry) pending_[call.token].again = std::make_unique<Again>(Again{request, {}});
  route(std::move(request), deadline);
}

void CallRouter::on(event::CastChild&& cast) {
  route({ctx_.self(), 0, std::move(cast.id), std::move(cast.message), std::move(cast.body), false,
         kCastPatience, 0, false, std::move(cast.trace)},
        ctx_.now + kCastPatience);
}

void CallRouter::on(event::Broadcast&& b) {
  for (Slot s = 0; s < registry_.slot_end(); ++s) {
    auto* child = registry_.at(s);
    if (child == nullptr || !child->spec || child->spec->spec.kind->tag != b.tag) continue;
    CallRequest request{ctx_.self(), 0, child->spec->spec.id, b.message, b.body, false, kCastPatience, 0};
    const auto until = ctx_.now + kCastPatience;
    if (prefer_local_ && !child->loses && child->entries.size() > 1)
      tell_every_instance(*child, request, until);
    else
      route(std::move(request), until);
  }
}

/// The instances of a child that has several active ones; as one message if none runs yet.
void CallRouter::tell_every_instance(const Child& child, const CallRequest& request, Time until) {
  bool told = false;
  for (const auto& e : child.entries) {
    if (!serves(e)) continue;
    auto copy = request;
    const auto* local = e.node == ctx_.self() ? supervisor_.find(child.uid) : nullptr;
    if (local != nullptr)
      deliver(copy, *local);
    else
      send(copy, e.node, until);
    told = true;
  }
  if (!told) route(CallRequest(request), until);
}

void CallRouter::on(NodeId from, CallRequest&& request) {
  if (!request.origin) request.origin = from;
  auto until = ctx_.now + request.timeout;
  route(std::move(request), until);
}

void CallRouter::on_client(std::uint64_t client, CallRequest&& request) {
  const auto until = ctx_.now + std::min(request.timeout, kLongestCall);
  request.origin = ctx_.self();
  request.hops = 0;
  if (request.token != 0) {
    const auto token = ++last_client_token_;
    open(token, until, request.id);
    auto& call = pending_[token];
    call.client = client;
    call.client_token = std::exchange(request.token, token);
  }
  route(std::move(request), until);
}

void CallRouter::on(NodeId, CallReply&& reply) {
  if (reply.token > kFlushTokens) return on_swept(reply.token);
  if (reply.code == ErrorCode{}) {
    complete(reply.token, std::move(reply.body));
  } else {
    complete(reply.token, Error{reply.code, std::move(reply.body)});
  }
}

void CallRouter::on(event::WorkerAnswer&& a) {
  // The child may have come to this very node.
  if (a.to.origin == ctx_.self() && a.to.token > kFlushTokens) return on_swept(a.to.token);
  if (a.to.origin == ctx_.self()) return complete(a.to.token, std::move(a.answer));
  CallReply reply;
  reply.token = a.to.token;
  if (a.answer) {
    reply.body = std::move(*a.answer);
  } else {
    reply.code = a.answer.error().code;
    reply.body = a.answer.error().message;
  }
  if (links_.send(a.to.origin, Lane::data, reply, Sending::in_flow(reply.token))) return;
  // That node reads too slowly. Whoever waits there is told at least that much, at once.
  const bool too_long = reply.body.size() > ctx_.config.max_message_size;
  give_up_answer(reply, too_long ? "the answer is larger than max_message_size"
                                 : "the answer does not fit into the link, which is full");
  if (links_.send(a.to.origin, Lane::data, reply, Sending::in_flow(reply.token, Sending::kSpare))) return;
  ctx_.count_dead_letter(links_.has_session(a.to.origin) ? ErrorCode::overloaded : ErrorCode::node_down);
}

void CallRouter::route(CallRequest&& request, Time until) {
  if (!waits_behind(request) && try_route(request, until)) return;
  hold(std::move(request), until);
}

void CallRouter::hold(CallRequest&& request, Time until) {
  Held held{std::move(request), until};
  if (held_count_ >= kMaxHeld || (held_count_ > 0 && held_bytes_ + held.bytes() > kMaxHeldBytes))
    return fail(held.request, ErrorCode::overloaded, "too many messages wait for children in transit");
  ++held_count_;
  held_bytes_ += held.bytes();
  auto& queue = held_[held.request.id];
  const auto place = held.request.hops == 0 ? queue.cend() : first_new(queue);
  queue.insert(place, std::move(held));
}

void CallRouter::let_go(std::uint64_t bytes) {
  --held_count_;
  held_bytes_ -= bytes;
}

/// What was passed on stands before what enters the cluster here: whoever sent both, sent it first.
std::deque<CallRouter::Held>::const_iterator CallRouter::first_new(const std::deque<Held>& queue) {
  return std::find_if(queue.begin(), queue.end(), [](const Held& h) { return h.request.hops == 0; });
}

bool CallRouter::waits_behind(const CallRequest& request) const {
  const auto held = held_.empty() ? held_.end() : held_.find(request.id);
  if (held == held_.end()) return false;
  return request.hops == 0 || first_new(held->second) != held->second.begin();
}

bool CallRouter::serves(const Entry& e) const {
  return e.state == InstanceState::running && e.role != Role::passive && membership_.is_up(e.node) &&
         !avoided_.contains(e.node);
}

const Entry* CallRouter::target(const Child& child) const {
  const Entry* best = nullptr;
  for (const auto& e : child.entries) {
    if (!serves(e)) continue;
    if (prefer_local_ && e.node == ctx_.self()) return &e;
    if (best == nullptr || best->generation() < e.generation()) best = &e;
  }
  return best;
}

/// It has come here, and the row of its former place is only the older news: back there it would be
/// overtaken.
bool CallRouter::starts_here(const Child& child, const Entry& target) const {
  const auto* own = child.entry_of(ctx_.self());
  return own != nullptr && own->state == InstanceState::starting && own->role != Role::passive &&
         target.generation() < own->generation();
}

/// False: it has to wait.
bool CallRouter::try_route(CallRequest& request, Time until) {
  auto* child = registry_.winner(request.id);
  if (child == nullptr) {
    if (!membership_.joined()) return false;
    fail(request, ErrorCode::no_such_child, "no child '" + request.id + "'");
    return true;
  }
  if (child->value->failed) {
    fail(request, ErrorCode::stopped, "child '" + request.id + "' failed: " + child->value->why);
    return true;
  }
  const auto* to = target(*child);
  // One that is only prepared here gets all there is when it runs, whatever the tables still say.
  if (to == nullptr || supervisor_.is_prepared(child->uid) || starts_here(*child, *to)) return false;
  if (request.hops == 0 && !keeps_order(*child, to->node)) return false;
  if (to->node != ctx_.self()) {
    send(request, to->node, until);
    return true;
  }
  auto* local = supervisor_.find(child->uid);
  if (local == nullptr || local->state != LocalState::running) return false;
  deliver(request, *local);
  return true;
}

void CallRouter::deliver(CallRequest& request, const LocalChild& local) {
  if (request.flush) return on(event::WorkerAnswer{{request.origin, request.token}, Bytes{}});
  PostedMessage m;
  m.message = std::move(request.message);
  m.body = std::move(request.body);
  m.named_reply = request.named_reply;
  m.trace = std::move(request.trace);
  if (request.token != 0) m.reply = {request.origin, request.token};
  supervisor_.post(local, std::move(m));
}

void CallRouter::send(CallRequest& request, NodeId to, Time until) {
  if (++request.hops > kMaxHops)
    return fail(request, ErrorCode::moved, "child '" + request.id + "' moves faster than the message");
  request.timeout = std::max(Duration::zero(), until - ctx_.now);
  const NodeId origin = request.origin;
  if (origin == ctx_.self()) request.origin = {};  // the receiver knows who sends
  const bool sent = links_.send(to, Lane::data, request, Sending::in_flow(hash64(request.id)));
  request.origin = origin;
  if (!sent) {
    if (request.body.size() > ctx_.config.max_message_size)
      return fail(request, ErrorCode::invalid, "the message is larger than max_message_size");
    auto code = links_.has_session(to) ? ErrorCode::overloaded : ErrorCode::node_down;
    return fail(request, code, "cannot send to " + to.str());
  }
  if (origin != ctx_.self() || request.token == 0) return;
  if (auto it = pending_.find(request.token); it != pending_.end()) it->second.at = to;
}

void CallRouter::fail(const CallRequest& request, ErrorCode code, std::string text) {
  if (request.token == 0) {
    ctx_.count_dead_letter(code);
    ctx_.hook(hook::DeadLetter{request.id, request.message, std::move(text)});
    return;
  }
  on(event::WorkerAnswer{{request.origin, request.token}, Error{code, std::move(text)}});
}

void CallRouter::open(Token token, Time deadline, const std::string& id) {
  auto due = deadlines_.try_emplace(deadlines_.end(), deadline);
  due->second.tokens.push_back(token);
  ++due->second.open;
  pending_[token] = {due, {}, id, 0, 0, ctx_.now, {}};
}

/// A call that failed is sent again, if it may be and there is time.
bool CallRouter::goes_on(Token token, Pending& call, const Error& error) {
  auto& retry = call.again->retry;
  call.at = {};
  if (!retry.again(error, ctx_.now, call.due->first)) return false;
  again_.emplace(retry.due(), token);
  return true;
}

void CallRouter::send_again() {
  while (!again_.empty() && again_.begin()->first <= ctx_.now) {
    const auto token = again_.extract(again_.begin()).mapped();
    const auto call = pending_.find(token);
    if (call == pending_.end()) continue;  // an earlier attempt was answered after all
    const auto until = call->second.due->first;
    auto request = call->second.again->request;
    request.timeout = until - ctx_.now;
    route(std::move(request), until);
  }
}

void CallRouter::complete(Token token, Result<Bytes>&& result) {
  auto it = pending_.find(token);
  if (it == pending_.end()) return;  // it ended before: its deadline passed, or its node went down
  if (!result && it->second.again) {
    if (goes_on(token, it->second, result.error())) return;
    result = it->second.again->retry.truth(result.error());
  }
  if (--it->second.due->second.open == 0) deadlines_.erase(it->second.due);
  const auto call = std::move(it->second);
  pending_.erase(it);
  ctx_.meters.call_time.note(ctx_.now - call.since);
  ctx_.meters.calls_ended.note(result ? ErrorCode{} : result.error().code);
  if (call.client != 0) return answer_client(call, std::move(result));
  ctx_.emit(effect::CompleteCall{token, std::move(result)});
}

/// One that is gone, or takes nothing, is not waited for: its call has a deadline on its side, too.
void CallRouter::answer_client(const Pending& call, Result<Bytes>&& result) {
  CallReply reply;
  reply.token = call.client_token;
  if (result) {
    reply.body = std::move(*result);
    reply.at = call.at ? call.at : ctx_.self();
  } else {
    reply.code = result.error().code;
    reply.body = result.error().message;
  }
  if (links_.send_client(call.client, reply, Lane::data, Sending::in_flow(reply.token))) return;
  give_up_answer(reply, "the answer does not fit: the client reads too slowly");
  links_.send_client(call.client, reply, Lane::data, Sending::in_flow(reply.token, Sending::kSpare));
}

void CallRouter::reroute(std::vector<PostedMessage> messages, const std::string& id, bool removed) {
  for (auto& m : messages) {
    CallRequest r{m.reply.origin ? m.reply.origin : ctx_.self(),
                  m.reply.token,
                  id,
                  std::move(m.message),
                  std::move(m.body),
                  m.named_reply,
                  kCastPatience,
                  1,  // they have their place in the order
                  false,
                  std::move(m.trace)};
    if (removed) {
      fail(r, ErrorCode::stopped, "child '" + id + "' was stopped");
    } else {
      route(std::move(r), ctx_.now + kCastPatience);
    }
  }
}

void CallRouter::on_child_changed(const Child& child) {
  if (!child.spec) return;
  close_direct_way(child);
  if (held_.contains(child.spec->spec.id)) ready_.insert(child.spec->spec.id);
}

void CallRouter::release(const std::string& id) {
  auto it = held_.find(id);
  if (it == held_.end()) return;
  auto& queue = it->second;
  std::deque<Held> stay;  // until their way is swept; those of other nodes go all the same
  for (; !queue.empty(); queue.pop_front()) {
    const auto bytes = queue.front().bytes();
    if (try_route(queue.front().request, queue.front().until)) {
      let_go(bytes);
    } else if (flushes_.contains(id)) {
      stay.push_back(std::move(queue.front()));
    } else {
      break;
    }
  }
  stay.insert(stay.end(), std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.end()));
  queue = std::move(stay);
  if (queue.empty()) held_.erase(it);
}

void CallRouter::forward(const std::string& id, NodeId to) {
  auto it = held_.find(id);
  const auto* child = registry_.winner(id);
  if (it == held_.end() || child == nullptr || !links_.has_session(to)) return;
  auto& queue = it->second;
  std::deque<Held> stay;  // what this node said itself, until the way over the child's former node is swept
  for (; !queue.empty() && links_.queued(to, Lane::data) < ctx_.config.link_ring_bytes / 2;
       queue.pop_front()) {
    auto& [request, until] = queue.front();
    if (request.hops == 0 && !keeps_order(*child, to)) {
      stay.push_back(std::move(queue.front()));
      continue;
    }
    const auto bytes = queue.front().bytes();
    send(request, to, until);
    let_go(bytes);
  }
  stay.insert(stay.end(), std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.end()));
  queue = std::move(stay);
  if (queue.empty()) held_.erase(it);
}

void CallRouter::work() {
  auto ready = std::move(ready_);
  ready_.clear();
  for (const auto& id : ready) {
    release(id);
    open_direct_way(id);
  }
}

/// By deadline: the order of the table differs between runs.
std::vector<Token> CallRouter::open_tokens() const {
  std::vector<Token> open;
  for (const auto& [deadline, due] : deadlines_)
    for (auto token : due.tokens)
      if (pending_.contains(token)) open.push_back(token);
  return open;
}

void CallRouter::on_session_end(NodeId peer) {
  for (auto it = flushes_.begin(); it != flushes_.end();) {
    const auto flush = it++;
    if (flush->second.via == peer) end_flush(flush);
  }
  auto code = membership_.is_up(peer) ? ErrorCode::unknown : ErrorCode::node_down;
  avoided_.erase(peer);
  const auto member = membership_.members().find(peer);
  const bool left = member != membership_.members().end() && member->second.liveness == Liveness::left;
  for (auto token : open_tokens()) {
    auto& call = pending_.find(token)->second;
    if (call.at != peer) continue;
    if (left) {
      call.at = {};  // it passed on what it had: whoever runs the child now answers
      continue;
    }
    complete(token, Error{code, "the link to " + peer.str() + " ended with the call in flight"});
  }
}

void CallRouter::tick() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= ctx_.now && !mutated(Mutation::no_timeouts)) {
    const auto overdue = deadlines_.begin()->second.tokens;  // the last complete() erases the original
    for (auto token : overdue) {
      auto it = pending_.find(token);
      if (it == pending_.end()) continue;
      complete(token, Error{ErrorCode::timeout, "no answer from '" + it->second.id + "' in time"});
    }
  }
  send_again();
  for (auto it = flushes_.begin(); it != flushes_.end();) {
    const auto flush = it++;
    if (flush->second.until <= ctx_.now) sweep_again(flush);
  }
  for (auto it = held_.begin(); it != held_.end();) {
    auto& queue = it->second;
    if (registry_.winner(it->first) == nullptr) ready_.insert(it->first);
    while (!queue.empty() && queue.front().until <= ctx_.now) {
      let_go(queue.front().bytes());
      auto expired = std::move(queue.front().request);
      queue.pop_front();
      fail(expired, ErrorCode::timeout, "child '" + expired.id + "' did not run in time");
    }
    it = queue.empty() ? held_.erase(it) : std::next(it);
  }
}

Time CallRouter::next_deadline() const {
  Time due = deadlines_.empty() ? kNever : deadlines_.begin()->first;
  if (!again_.empty()) due = std::min(due, again_.begin()->first);
  for (const auto& [id, flush] : flushes_) due = std::min(due, flush.until);
  for (const auto& [id, queue] : held_) due = std::min(due, queue.front().until);
  return ready_.empty() ? due : Time::zero();
}

void CallRouter::fail_all(const Error& error) {
  for (auto& [token, call] : pending_)
    if (call.again) call.again->retry.give_up();
  for (const auto& [id, queue] : held_)
    for (const auto& waiting : queue)
      if (waiting.request.token != 0) fail(waiting.request, error.code, error.message);
  for (auto token : open_tokens())
    complete(token, Error{ErrorCode::unknown, error.message + " with the call in flight"});
  held_.clear();
  held_count_ = held_bytes_ = 0;
}

}  // namespace processhub::protocol
