#include "tools/zmq-monitor/views.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

namespace processhub::monitor {

namespace {

bool gone(const NodeLook& node) { return node.state == "down" || node.state == "left"; }

/// How a node sees another one; empty: it does not know it.
std::string seen_state(const NodeLook& by, const std::string& name) {
  std::string state;
  for (const auto& peer : by.answer(kInspect).value("peers", Json::array())) {
    if (peer.value("name", "") != name) continue;
    const auto now = peer.value("state", "");
    const bool dead = now == "down" || now == "left";
    if (state.empty() || !dead) state = now;  // earlier lives of the name count only if there is no other
  }
  return state;
}

bool reaches(const std::string& state) { return state == "up" || state == "leaving" || state == "joining"; }

std::string holders_of(const Json& inside) {
  std::string out;
  for (const auto& lock : inside.value("locks", Json::array()))
    out += (out.empty() ? "" : ",") + lock.value("holder", "?");
  return out;
}

/// Where the peer of a link publishes.
std::string publisher_of(const Json& inside, const Json& link) {
  for (const auto& peer : inside.value("peers", Json::array())) {
    if (peer.value("name", "") == link.value("peer", "") &&
        peer.value("incarnation", std::uint64_t{0}) == link.value("incarnation", std::uint64_t{0}))
      return peer.value("publisher", "");
  }
  return {};
}

Json top_row(const NodeLook& node, const NodeLook* before, double seconds) {
  Json row{{"node", node.name},
           {"state", node.state},
           {"incarnation", node.incarnation},
           {"endpoint", node.endpoint}};
  if (!node.answered()) {
    row["error"] = node.error;
    return row;
  }
  const auto rate = [&](const char* name, const char* label, const char* of) {
    if (before == nullptr || !before->answered() || seconds <= 0) return 0.0;
    return std::max(0.0, (metric(node, name, label, of) - metric(*before, name, label, of)) / seconds);
  };
  const auto& inside = node.answer(kInspect);
  row["locked_by"] = holders_of(inside);
  row["frozen"] = inside.value("frozen", false);
  row["drained"] = inside.value("drained", false);
  row["children"] = node.answer(kStatus).value("children_local", 0);
  row["uptime_ms"] = node.answer(kStatus).value("uptime_ms", std::uint64_t{0});
  row["lag_max_ms"] = metric(node, "processhub_loop_lag_max_seconds") * 1000;
  row["mailbox"] = metric(node, "processhub_mailbox_waiting");
  row["in_per_s"] = rate("processhub_messages_total", "direction", "in");
  row["out_per_s"] = rate("processhub_messages_total", "direction", "out");
  row["handled_per_s"] = rate("processhub_handled_total", "", "");
  row["drops"] = metric(node, "processhub_drops_total");
  row["gaps"] = metric(node, "processhub_gaps_total");
  row["round_trip_ms"] = static_cast<double>(node.round_trip.count()) / 1000;
  return row;
}

/// What a node says of a child's place, without what is only its own business.
std::string place_text(const Json& child) {
  std::string out;
  for (const auto& instance : child.value("instances", Json::array())) {
    out += (out.empty() ? "" : ", ") + instance.value("node", "") + " " + instance.value("state", "") + " " +
           instance.value("generation", Json("")).dump();
  }
  return out.empty() ? "nowhere" : out;
}

}  // namespace

const std::vector<Question>& look_questions() {
  static const std::vector<Question> kQuestions = {{"status"}, {"inspect"}, {"metrics"}};
  return kQuestions;
}

double metric(const NodeLook& node, const std::string& name, const std::string& label,
              const std::string& of) {
  double sum = 0;
  const auto metrics = node.answer(kMetrics).value("metrics", Json::object());
  const auto found = metrics.find(name);
  if (found == metrics.end()) return 0;
  for (const auto& series : found->value("series", Json::array())) {
    if (label.empty() || series.value("labels", Json::object()).value(label, "") == of)
      sum += series.value("value", 0.0);
  }
  return sum;
}

Json top_view(const ClusterLook& before, const ClusterLook& now, double seconds) {
  Json out = Json::array();
  for (const auto& node : now.nodes) {
    const auto earlier = std::find_if(before.nodes.begin(), before.nodes.end(), [&](const NodeLook& n) {
      return n.name == node.name && n.incarnation == node.incarnation;
    });
    out.push_back(top_row(node, earlier == before.nodes.end() ? nullptr : &*earlier, seconds));
  }
  return out;
}

Json membership_view(const ClusterLook& look) {
  Json names = Json::array();
  std::set<std::string> known;  // those that died, too: all see them as down
  for (const auto& node : look.nodes)
    if (node.state != "left" && known.insert(node.name).second) names.push_back(node.name);
  Json rows = Json::array();
  Json differences = Json::array();
  for (const auto& node : look.nodes) {
    if (gone(node)) continue;
    Json sees = Json::object();
    for (const auto& name : known) {
      if (node.answered()) sees[name] = name == node.name ? "self" : seen_state(node, name);
    }
    rows.push_back({{"node", node.name}, {"sees", std::move(sees)}, {"error", node.error}});
    if (!node.answered()) differences.push_back(node.name + " does not answer: " + node.error);
  }
  for (const auto& a : look.nodes) {
    for (const auto& b : look.nodes) {
      if (&a == &b || gone(a) || gone(b) || !a.answered() || !b.answered()) continue;
      const auto ab = seen_state(a, b.name);
      if (reaches(ab)) continue;
      const bool one_way = reaches(seen_state(b, a.name));
      differences.push_back(a.name + " sees " + b.name + " as " + (ab.empty() ? "nobody" : ab) +
                            (one_way ? ", but " + b.name + " sees " + a.name + ": the way from " + b.name +
                                           " to " + a.name + " is blocked"
                                     : ""));
    }
  }
  return {{"names", names}, {"rows", rows}, {"differences", differences}};
}

Json locks_view(const ClusterLook& look) {
  Json out = Json::array();
  for (const auto& node : look.nodes) {
    if (!node.answered()) continue;
    const auto& inside = node.answer(kInspect);
    out.push_back({{"node", node.name},
                   {"level", inside.value("level", 0)},
                   {"locks", inside.value("locks", Json::array())},
                   {"waiting", inside.value("waiting", Json::array())}});
  }
  return out;
}

Json links_view(const ClusterLook& look) {
  Json out = Json::array();
  for (const auto& node : look.nodes) {
    const auto& inside = node.answer(kInspect);
    for (auto link : inside.value("links", Json::array())) {
      link["from"] = node.name;
      link["state"] = seen_state(node, link.value("peer", ""));
      const auto publisher = publisher_of(inside, link);
      for (const auto& socket : inside.value("sockets", Json::array())) {
        const auto kind = socket.value("kind", "");
        if (kind == "link" && socket.value("link", 0) == link.value("link", -1)) link["socket"] = socket;
        if (kind == "subscription" && socket.value("endpoint", "") == publisher)
          link["subscription"] = socket;
      }
      out.push_back(std::move(link));
    }
  }
  return out;
}

Json sockets_view(const ClusterLook& look) {
  Json out = Json::array();
  for (const auto& node : look.nodes) {
    for (auto socket : node.answer(kInspect).value("sockets", Json::array())) {
      const auto kind = socket.value("kind", "");
      if (kind != "incoming" && kind != "subscriber") continue;
      socket["node"] = node.name;
      out.push_back(std::move(socket));
    }
  }
  return out;
}

Json registry_diff(const ClusterLook& look, const std::vector<std::pair<std::string, Json>>& lists) {
  Json digests = Json::object();
  for (const auto& node : look.nodes)
    if (node.answered()) digests[node.name] = node.answer(kStatus).value("digest", "");
  std::map<std::string, std::map<std::string, std::string>> places;  // by child, then by who says so
  for (const auto& [node, children] : lists)
    for (const auto& child : children) places[child.value("id", "")][node] = place_text(child);
  Json differing = Json::array();
  for (const auto& [id, by_node] : places) {
    std::set<std::string> kinds;
    Json says = Json::object();
    for (const auto& [node, children] : lists) {
      const auto at = by_node.find(node);
      says[node] = at == by_node.end() ? "unknown here" : at->second;
      kinds.insert(says[node].get<std::string>());
    }
    if (kinds.size() > 1) differing.push_back({{"id", id}, {"says", std::move(says)}});
  }
  return {{"digests", digests}, {"differing", differing}};
}

Json explain_view(const std::string& id, const std::vector<std::pair<std::string, Json>>& answers) {
  Json out{{"id", id}, {"known", false}};
  Json waits = Json::object();
  Json owners = Json::object();
  for (const auto& [node, answer] : answers) {
    if (!answer.is_object() || !answer.value("known", false)) continue;
    if (!out["known"].get<bool>()) out = answer;
    owners[node] = answer.value("owners", Json::array());
    if (const auto why = answer.value("waits", ""); !why.empty()) waits[node] = why;
  }
  out["id"] = id;
  out["owners_by_node"] = owners;
  out["waits"] = waits;
  // "2.1@a/...": what stands behind the dot is how often it was restarted in place.
  Json restarts = Json::object();
  for (const auto& instance : out.value("instances", Json::array())) {
    const auto generation = instance.value("generation", "");
    const auto dot = generation.find('.');
    if (dot == std::string::npos) continue;
    restarts[instance.value("node", "")] = std::atoi(generation.c_str() + dot + 1);
  }
  out["restarts"] = restarts;
  return out;
}

bool is_about(const Json& event, const std::string& subject) {
  if (subject.empty()) return true;
  const auto children = event.value("children", Json::array());
  if (std::find(children.begin(), children.end(), Json(subject)) != children.end()) return true;
  // A node's name stands before its incarnation: "b/1769860800000000".
  const auto text = " " + event.value("text", "");
  return text.find(" " + subject + "/") != std::string::npos;
}

Json timeline_view(const std::string& subject, const std::vector<std::pair<std::string, Json>>& journals) {
  Json out = Json::array();
  for (const auto& [node, journal] : journals) {
    for (auto event : journal.value("events", Json::array())) {
      if (!is_about(event, subject)) continue;
      event["node"] = node;
      out.push_back(std::move(event));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Json& a, const Json& b) {
    return a.value("time_us", std::int64_t{0}) < b.value("time_us", std::int64_t{0});
  });
  return out;
}

}  // namespace processhub::monitor
