#include "core/protocol/report.hpp"

#include "core/protocol/cluster_options.hpp"
#include "core/protocol/parts.hpp"

namespace processhub::protocol {

namespace {

std::vector<std::string> names_of(const auto& nodes) {
  std::vector<std::string> out;
  for (const NodeId node : nodes) out.emplace_back(node.name());
  return out;
}

}  // namespace

/// Of the child in `query`, if the question is about one.
ChildReport HubCore::Parts::report_child(const std::string& id) {
  ChildReport out;
  const auto* child = registry.winner(id);
  if (child == nullptr || !child->spec) return out;
  out.known = true;
  out.uid = child->uid.str();
  out.origin = std::string(child->uid.origin.name());
  out.first = names_of(child->spec->first);
  out.owners = names_of(child->owners);
  placement.explain(*child, out);
  if (child->value->placement) out.wish = std::string(child->value->placement.name());
  out.epoch = child->highest_epoch();
  if (child->value->failed) out.failure = child->value->why;
  out.waits = placement.why_waiting(*child);
  return out;
}

std::vector<PeerInfo> HubCore::Parts::report_peers() const {
  std::vector<PeerInfo> out;
  const auto states = membership.infos();
  for (const auto& info : states) {
    if (info.id == ctx.self()) continue;
    PeerInfo peer;
    peer.id = info.id;
    peer.state = std::string(to_string(info.state));
    const auto& member = membership.members().at(info.id);
    peer.agrees = member.announced && member.last.view_digest == membership.view_digest();
    peer.silent = ctx.now - member.last_heard;
    peer.current = replication.table_current(info.id);
    peer.table_digest = member.last.table_digest;
    peer.spec_digest = member.last.spec_digest;
    peer.publisher = member.record.pub;
    out.push_back(std::move(peer));
  }
  return out;
}

std::shared_ptr<const Report> HubCore::Parts::report(const std::string& child) {
  auto out = std::make_shared<Report>();
  handover.list(out->moves);
  placement.list_moves(out->moves);
  queue.list(ctx.now, *out);
  out->peers = report_peers();
  links.list(out->links);
  out->view_digest = membership.view_digest();
  out->spec_digest = spec_digest();
  out->table_digest = replication.own_digest();
  out->agreed = membership.agreed();
  out->settled = settled_;
  out->counted = quorum.counted();
  out->votes = quorum.votes();
  out->frozen = frozen();
  out->drained = drained_;
  out->options = cluster_wide_options(ctx.config);
  if (!child.empty()) out->child = report_child(child);
  return out;
}

// -- what operators ask for

void HubCore::Parts::on(event::Operate& e) { ctx.emit(effect::CompleteVoid{e.token, operate(e.what)}); }

Result<void> HubCore::Parts::operate(event::Operation what) {
  switch (what) {
    case event::Operation::freeze:
    case event::Operation::unfreeze:
      if ((what == event::Operation::freeze) != frozen()) note_freeze(freeze_ + 1);
      return {};
    case event::Operation::drain:
      return drain();
    case event::Operation::undrain:
      break;
  }
  if (!drained_ || leaving()) return {};
  drained_ = false;
  ctx.log(LogPart::hub, LogLevel::info, "takes children again");
  membership.set_status(MemberStatus::synced);
  return {};
}

Result<void> HubCore::Parts::drain() {
  if (drained_ || leaving()) return {};
  if (!membership.joined()) return {ErrorCode::refused, "this node has not joined yet"};
  const auto view = membership.eligible_view();
  if (view.members.size() < 2)
    return {ErrorCode::refused, "no other node is there that could take its children"};
  drained_ = true;
  ctx.log(
      LogPart::hub, LogLevel::info,
      "drained by hand: gives its " + std::to_string(supervisor.count()) + " children away and takes none");
  placement.keep_without_heir(true);
  membership.set_status(MemberStatus::leaving);
  return {};
}

/// All nodes go by the highest number they have heard of; an odd one holds redistribution.
void HubCore::Parts::note_freeze(std::uint64_t number) {
  if (number <= freeze_) return;
  const bool before = frozen();
  freeze_ = number;
  view_announced_ = false;  // told to all, over their sessions
  if (before == frozen()) return;
  ctx.log(LogPart::moves, LogLevel::warn,
          frozen() ? "frozen: no child moves or is taken over until this is undone" : "no longer frozen");
  note_change();
  placement.freeze(frozen());
}

}  // namespace processhub::protocol
