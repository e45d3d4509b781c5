// The part of ClientCore that chooses the nodes it talks to.
#include <algorithm>
#include <utility>

#include "core/protocol/client_core.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kNextAddressAfter =
    std::chrono::milliseconds(100);  // nobody answered yet: ask another, too
constexpr Duration kSweepPatience = std::chrono::seconds(2);
constexpr Duration kNothingUnderWay = std::chrono::seconds(10);     // of what was sent so long ago
constexpr Duration kMembersAgain = std::chrono::milliseconds(250);  // sees a node that begins to leave
}  // namespace

bool ClientCore::usable(LinkId id) const {
  const auto found = links_.find(id);
  return found != links_.end() && !found->second.retiring &&
         found->second.session.state() == ClientSession::State::open;
}

ClientCore::LinkId ClientCore::any_usable() const {
  if (usable(gateway_)) return gateway_;
  for (const auto& [id, link] : links_)
    if (usable(id)) return id;
  return 0;
}

bool ClientCore::linked(const std::string& endpoint) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& link) { return link.second.endpoint == endpoint; });
}

void ClientCore::choose_gateway() {
  const auto chosen = any_usable();
  if (chosen == gateway_) return;
  gateway_ = chosen;
  members_request_ = 0;  // of the one before
  members_due_ = {};
  tell_gateway();
  subscribe_at_gateway();
}

void ClientCore::tell_gateway() {
  port_.on_gateway(gateway_ == 0 ? NodeId() : links_.at(gateway_).session.node(), last_failure_);
}

/// Without a node to talk to, one address after the other is tried, and those before go on for a while.
void ClientCore::keep_connected() {
  std::vector<LinkId> late;
  for (const auto& [id, link] : links_) {
    if (link.session.state() == ClientSession::State::greeting && link.give_up <= now_) late.push_back(id);
  }
  for (const auto id : late)
    drop(id, {ErrorCode::node_down, links_.at(id).endpoint + " did not answer in time"});
  if (any_usable() == 0 && now_ >= next_try_) try_next();
}

void ClientCore::try_next() {
  next_try_ = now_ + kNextAddressAfter;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto& endpoint = candidates_[next_candidate_++ % candidates_.size()];
    const auto barred = not_before_.find(endpoint);
    if (linked(endpoint) || (barred != not_before_.end() && barred->second > now_)) continue;
    return connect(endpoint);
  }
}

void ClientCore::ask_for_members() {
  if (gateway_ == 0 || now_ < members_due_) return;
  members_due_ = now_ + kMembersAgain;
  members_request_ = ++last_number_;
  links_.at(gateway_).session.request({members_request_, "nodes", {}});
}

void ClientCore::on_members(const Bytes& body) {
  auto fresh = port_.read_members(body);
  if (!fresh) return;  // what is known stays
  members_ = std::move(*fresh);
  candidates_ = nodes_;
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

bool ClientCore::open_session(LinkId id) const {
  const auto found = links_.find(id);
  return found != links_.end() && found->second.session.state() == ClientSession::State::open;
}

/// Nothing new goes to its node. What went there may still be on its way to the children: no link that is
/// used instead may be quicker.
void ClientCore::retire(LinkId id) {
  auto& link = links_.at(id);
  if (std::exchange(link.retiring, true)) return;
  not_before_[link.endpoint] = now_ + std::chrono::seconds(1);
  members_due_ = {};
  for (auto& [child, way] : ways_) {
    if (way.link == id && way.sweep == 0 && way.last != way.answered) sweep(child, way, 0);
  }
}

void ClientCore::sweep(const std::string& child, Way& way, LinkId next) {
  CallRequest question;
  question.token = ++last_number_;
  question.id = child;
  question.flush = true;
  question.timeout = kSweepPatience;
  if (!links_.at(way.link).session.call(question)) return;
  way.sweep = question.token;
  way.next = next;
  if (sweeping_.insert(child).second) way.since = now_;
  const auto deadline = now_ + kSweepPatience;
  deadlines_.emplace(deadline, question.token);
  open_.emplace(question.token, Open{way.link, deadline, child, question.token, {}, true});
}

/// No answer, or one that says nothing of what was sent before: the question is put again. Whichever is
/// answered came behind all messages.
void ClientCore::sweep_again(const std::string& child, std::uint64_t number) {
  const auto found = ways_.find(child);
  if (found == ways_.end() || found->second.sweep != number) return;
  auto& way = found->second;
  if (now_ - way.since < kNothingUnderWay && open_session(way.link)) sweep(child, way, way.next);
  if (way.sweep == number) end_sweep(child, number);
}

void ClientCore::expire_held() {
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

void ClientCore::end_sweep(const std::string& child, std::uint64_t number) {
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
void ClientCore::retire_links() {
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
    if (auto bye = links_.at(id).session.goodbye()) port_.send(id, *bye);
    drop(id, {ErrorCode::unknown, "the node leaves"});
  }
}

}  // namespace processhub::protocol
