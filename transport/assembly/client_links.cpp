// The part of ClientEngine that chooses the nodes it talks to.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/runtime/admin_json.hpp"
#include "core/runtime/clock.hpp"
#include "transport/assembly/client_engine.hpp"

namespace processhub::assembly {

namespace {
constexpr Duration kNextAddressAfter =
    std::chrono::milliseconds(100);  // nobody answered yet: ask another, too
constexpr Duration kSweepPatience = std::chrono::seconds(2);
constexpr Duration kMembersAgain = std::chrono::milliseconds(250);  // sees a node that begins to leave
}  // namespace

bool ClientEngine::usable(LinkId id) const {
  const auto found = links_.find(id);
  return found != links_.end() && !found->second.retiring &&
         found->second.session.state() == protocol::ClientSession::State::open;
}

ClientEngine::LinkId ClientEngine::any_usable() const {
  if (usable(gateway_)) return gateway_;
  for (const auto& [id, link] : links_)
    if (usable(id)) return id;
  return 0;
}

bool ClientEngine::linked(const std::string& endpoint) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& link) { return link.second.endpoint == endpoint; });
}

void ClientEngine::choose_gateway() {
  const auto chosen = any_usable();
  if (chosen == gateway_) return;
  gateway_ = chosen;
  members_request_ = 0;  // of the one before
  members_due_ = {};
  publish_gateway();
  subscribe_at_gateway();
}

void ClientEngine::publish_gateway() {
  {
    std::lock_guard lock(mutex_);
    shown_gateway_ = gateway_ == 0 ? NodeId() : links_.at(gateway_).session.node();
  }
  connected_.notify_all();
}

/// Without a node to talk to, one address after the other is tried, and those before go on for a while.
void ClientEngine::keep_connected(Time now) {
  std::vector<LinkId> late;
  for (const auto& [id, link] : links_) {
    if (link.session.state() == protocol::ClientSession::State::greeting && link.give_up <= now)
      late.push_back(id);
  }
  for (const auto id : late)
    drop(id, {ErrorCode::node_down, links_.at(id).endpoint + " did not answer in time"});
  if (any_usable() == 0 && now >= next_try_) try_next(now);
}

void ClientEngine::try_next(Time now) {
  next_try_ = now + kNextAddressAfter;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto& endpoint = candidates_[next_candidate_++ % candidates_.size()];
    const auto barred = not_before_.find(endpoint);
    if (linked(endpoint) || (barred != not_before_.end() && barred->second > now)) continue;
    return connect(endpoint, now);
  }
}

void ClientEngine::ask_for_members(Time now) {
  if (gateway_ == 0 || now < members_due_) return;
  members_due_ = now + kMembersAgain;
  members_request_ = ++last_number_;
  links_.at(gateway_).session.request({members_request_, "nodes", {}});
}

void ClientEngine::on_members(const Bytes& body) {
  std::map<NodeId, Member> fresh;
  try {
    for (const auto& node : runtime::json_of(body)) {
      const auto state = node.at("state").get<std::string>();
      fresh[NodeId::of(node.at("name").get<std::string>(), node.at("incarnation").get<std::uint64_t>())] = {
          node.at("endpoint").get<std::string>(), state != "leaving" && state != "left" && state != "down"};
    }
  } catch (const std::exception&) {
    return;  // a node of another version: what is known stays
  }
  members_ = std::move(fresh);
  candidates_ = config_.nodes;
  for (const auto& [id, member] : members_) {
    const bool known =
        std::find(candidates_.begin(), candidates_.end(), member.endpoint) != candidates_.end();
    if (!known && member.stays) candidates_.push_back(member.endpoint);
  }
  for (auto& [id, link] : links_) {
    const auto member = members_.find(link.session.node());
    if (member == members_.end() || member->second.stays) continue;
    retire(id);
  }
  if (gateway_ != 0 && !usable(gateway_)) choose_gateway();
}

bool ClientEngine::open_session(LinkId id) const {
  const auto found = links_.find(id);
  return found != links_.end() && found->second.session.state() == protocol::ClientSession::State::open;
}

/// Nothing new goes to its node. What went there may still be on its way to the children: no link that is
/// used instead may be quicker.
void ClientEngine::retire(LinkId id) {
  auto& link = links_.at(id);
  if (std::exchange(link.retiring, true)) return;
  not_before_[link.endpoint] = now_ + std::chrono::seconds(1);
  members_due_ = {};
  for (auto& [child, way] : ways_) {
    if (way.link == id && way.sweep == 0 && way.last != way.answered) sweep(child, way, 0);
  }
}

void ClientEngine::sweep(const std::string& child, Way& way, LinkId next) {
  protocol::CallRequest question;
  question.token = ++last_number_;
  question.id = child;
  question.flush = true;
  question.timeout = kSweepPatience;
  if (!links_.at(way.link).session.call(question)) return;
  way.sweep = question.token;
  way.next = next;
  sweeping_.insert(child);
  const auto deadline = now_ + kSweepPatience;
  deadlines_.emplace(deadline, question.token);
  open_.emplace(question.token, Open{way.link, deadline, child, question.token, {}, true});
}

void ClientEngine::expire_held() {
  held_due_ = kNever;
  for (const auto& child : sweeping_) {
    auto& held = ways_.at(child).held;
    std::deque<ClientRequest> stay;
    for (auto& request : held) {
      if (request.deadline <= now_) {
        finish(request.answer, Error{ErrorCode::refused, "no way to the child in time; nothing was sent"});
      } else {
        held_due_ = std::min(held_due_, request.deadline);
        stay.push_back(std::move(request));
      }
    }
    held = std::move(stay);
  }
}

void ClientEngine::end_sweep(const std::string& child, std::uint64_t number) {
  const auto found = ways_.find(child);
  if (found == ways_.end() || found->second.sweep != number) return;
  auto& way = found->second;
  way.sweep = 0;
  way.answered = way.last;
  sweeping_.erase(child);
  if (usable(way.next)) way.link = std::exchange(way.next, 0);
  for (auto& request : std::exchange(way.held, {})) route(std::move(request));
}

/// A link to a node that leaves is given up when all that went over it is answered.
void ClientEngine::retire_links() {
  std::vector<LinkId> done;
  for (const auto& [id, link] : links_) {
    if (!link.retiring) continue;
    const bool busy = std::any_of(open_.begin(), open_.end(),
                                  [id = id](const auto& call) { return call.second.link == id; });
    const bool still_heard =
        gateway_ != 0 && subscribing_ != 0;  // until the next one tells what is published
    if (!busy && !still_heard && link.session.idle()) done.push_back(id);
  }
  for (const auto id : done) {
    if (auto bye = links_.at(id).session.goodbye()) static_cast<void>(poller_->send(id, *bye));
    drop(id, {ErrorCode::unknown, "the node leaves"});
  }
}

}  // namespace processhub::assembly
