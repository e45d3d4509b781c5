#include "core/runtime/admin_tools.hpp"

#include <algorithm>
#include <chrono>

namespace processhub::runtime {

namespace {

std::int64_t in_ms(Duration time) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

Json peers_json(const std::vector<protocol::PeerInfo>& peers) {
  Json out = Json::array();
  for (const auto& peer : peers) {
    out.push_back({{"name", std::string(peer.id.name())},
                   {"incarnation", peer.id.incarnation()},
                   {"state", peer.state},
                   {"agrees", peer.agrees},
                   {"current", peer.current},
                   {"silent_ms", in_ms(peer.silent)},
                   {"table_digest", hex16(peer.table_digest)},
                   {"spec_digest", hex16(peer.spec_digest)},
                   {"publisher", peer.publisher}});
  }
  return out;
}

Json links_json(const std::vector<protocol::LinkInfo>& links) {
  Json out = Json::array();
  for (const auto& link : links) {
    out.push_back({{"peer", std::string(link.peer.name())},
                   {"incarnation", link.peer.incarnation()},
                   {"endpoint", link.endpoint},
                   {"link", link.link},
                   {"session", link.session},
                   {"refused", link.refused},
                   {"relayed", link.relayed},
                   {"down_ms", in_ms(link.without_session)},
                   {"queued_control", link.queued_control},
                   {"queued_data", link.queued_data},
                   {"resends", link.resends},
                   {"sent_control", link.sent_control},
                   {"sent_data", link.sent_data},
                   {"received_control", link.received_control},
                   {"received_data", link.received_data}});
  }
  return out;
}

Json candidates_json(const std::vector<protocol::CandidateInfo>& candidates) {
  Json out = Json::array();
  for (const auto& one : candidates) {
    out.push_back({{"node", one.node}, {"why", one.why}, {"unable", one.unable}});
    if (one.score) out.back()["score"] = *one.score;
  }
  return out;
}

const char* kind_text(ConnectionInfo::Kind kind) {
  switch (kind) {
    case ConnectionInfo::Kind::link:
      return "link";
    case ConnectionInfo::Kind::subscription:
      return "subscription";
    case ConnectionInfo::Kind::incoming:
      return "incoming";
    case ConnectionInfo::Kind::subscriber:
      return "subscriber";
  }
  return "?";
}

}  // namespace

Json to_json(const std::vector<ConnectionInfo>& connections) {
  Json out = Json::array();
  for (const auto& one : connections) {
    out.push_back({{"kind", kind_text(one.kind)},
                   {"link", one.link},
                   {"endpoint", one.endpoint},
                   {"up", one.up},
                   {"connected", one.connected},
                   {"retried", one.retried},
                   {"lost", one.lost},
                   {"failed", one.failed},
                   {"problem", one.problem},
                   {"problem_ms", one.problem_age.count()},
                   {"unread", one.unread},
                   {"confirmed", one.confirmed}});
  }
  return out;
}

Json to_json(const std::vector<protocol::MoveInfo>& moves) {
  Json out = Json::array();
  for (const auto& move : moves) {
    out.push_back({{"id", move.id},
                   {"from", std::string(move.from.name())},
                   {"to", std::string(move.to.name())},
                   {"phase", move.phase},
                   {"age_ms", in_ms(move.age)}});
  }
  return out;
}

Json to_json(const protocol::Report& report) {
  Json locks = Json::array();
  for (const auto& lock : report.locks) {
    locks.push_back({{"holder", lock.holder},
                     {"reason", lock.reason},
                     {"level", lock.level},
                     {"discard", lock.discard},
                     {"age_ms", in_ms(lock.age)},
                     {"token", lock.token}});
  }
  Json waiting = Json::array();
  for (const auto& wait : report.waiting) {
    waiting.push_back(
        {{"priority", wait.priority}, {"count", wait.count}, {"oldest_ms", in_ms(wait.oldest)}});
  }
  return {{"level", report.level},
          {"locks", std::move(locks)},
          {"waiting", std::move(waiting)},
          {"moves", to_json(report.moves)},
          {"peers", peers_json(report.peers)},
          {"links", links_json(report.links)},
          {"view_digest", hex16(report.view_digest)},
          {"spec_digest", hex16(report.spec_digest)},
          {"table_digest", hex16(report.table_digest)},
          {"agreed", report.agreed},
          {"settled", report.settled},
          {"counted", report.counted},
          {"votes", report.votes},
          {"frozen", report.frozen},
          {"drained", report.drained},
          {"options", report.options}};
}

Json to_json(const protocol::ChildReport& child) {
  Json out{{"known", child.known}};
  if (!child.known) return out;
  out.update({{"uid", child.uid},
              {"origin", child.origin},
              {"first", child.first},
              {"owners", child.owners},
              {"distribution", child.distribution},
              {"candidates", candidates_json(child.candidates)},
              {"wish", child.wish},
              {"epoch", child.epoch},
              {"failure", child.failure},
              {"waits", child.waits}});
  return out;
}

Json to_json(const Metrics& metrics) {
  Json all = Json::object();
  for (const auto& metric : metrics.all) {
    Json series = Json::array();
    for (const auto& one : metric.series) {
      Json labels = Json::object();
      for (const auto& [name, value] : one.labels) labels[name] = value;
      Json out{{"labels", std::move(labels)}, {"value", one.value}};
      if (metric.kind == MetricKind::histogram) {
        out["bounds"] = one.bounds;
        out["buckets"] = one.buckets;
      }
      series.push_back(std::move(out));
    }
    all[metric.name] = {{"kind", std::string(to_string(metric.kind))}, {"series", std::move(series)}};
  }
  return {{"node", std::string(metrics.node.name())},
          {"hub", metrics.hub_id},
          {"fullest_mailbox", metrics.fullest},
          {"metrics", std::move(all)}};
}

Json to_json(const Journal::Read& read) {
  Json entries = Json::array();
  for (const auto& entry : read.entries) {
    entries.push_back({{"number", entry.number},
                       {"time_us", entry.time_us},
                       {"part", std::string(to_string(entry.part))},
                       {"level", std::string(to_string(entry.level))},
                       {"text", entry.text},
                       {"children", entry.ids}});
  }
  return {{"events", std::move(entries)}, {"missed", read.missed}, {"last", read.last}};
}

Json to_json(const Tap::Read& read) {
  Json messages = Json::array();
  for (const auto& m : read.entries) {
    messages.push_back({m.time_us, std::string(protocol::to_string(m.hop)), m.kind, m.peer, m.child,
                        m.message, m.topic, m.token, m.trace, m.size,
                        Json::binary({m.body.begin(), m.body.end()})});
  }
  return {{"messages", std::move(messages)}, {"dropped", read.dropped}};
}

}  // namespace processhub::runtime
