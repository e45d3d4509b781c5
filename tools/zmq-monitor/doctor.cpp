#include "tools/zmq-monitor/doctor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <sstream>

namespace processhub::monitor {

namespace {

constexpr std::int64_t kRecent_us = 60'000'000;  // of events that still matter
constexpr std::int64_t kSkew_us = 2'000'000;     // clocks may differ by this
constexpr std::uint64_t kLockLong_ms = 3'000;    // nobody but a person holds the queue so long
constexpr std::uint64_t kLockTooLong_ms = 10'000;
constexpr double kNearlyFull = 0.5;                // of a mailbox
constexpr std::uint64_t kMuchQueued = 8ULL << 20;  // bytes that a peer does not confirm

class Findings {
 public:
  void add(Severity severity, std::string check, std::string node, std::string text, std::string advice) {
    all_.push_back({severity, std::move(check), std::move(node), std::move(text), std::move(advice)});
  }
  void critical(std::string check, std::string node, std::string text, std::string advice) {
    add(Severity::critical, std::move(check), std::move(node), std::move(text), std::move(advice));
  }
  void warn(std::string check, std::string node, std::string text, std::string advice) {
    add(Severity::warning, std::move(check), std::move(node), std::move(text), std::move(advice));
  }
  std::vector<Finding> take() {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    return std::move(all_);
  }

 private:
  std::vector<Finding> all_{};
};

std::string number(double value) {
  std::ostringstream out;
  out << std::llround(value);
  return out.str();
}

void check_reach(const Examination& of, Findings& out) {
  for (const auto& node : of.now.nodes) {
    if (node.state == "left" || node.answered()) continue;
    if (node.state == "down") {
      const bool again = std::any_of(of.now.nodes.begin(), of.now.nodes.end(), [&](const NodeLook& n) {
        return n.name == node.name && n.state != "down" && n.state != "left";
      });
      if (!again)
        out.critical("node_down", node.name, "is down",
                     "look at its log; start it, or ignore it if it is not to return");
      continue;
    }
    out.critical("silent_node", node.name, "is a member and does not answer: " + node.error,
                 "is the process stopped or its machine overloaded? Look at it with ps and top");
  }
}

/// Members that the others take for dead, though they run, answer nobody here: they are found by views.
void check_views(const Examination& of, Findings& out) {
  const auto view = membership_view(of.now);
  for (const auto& difference : view.at("differences")) {
    const auto text = difference.get<std::string>();
    if (text.find("does not answer") != std::string::npos) continue;  // told already
    const bool blocked = text.find("is blocked") != std::string::npos;
    out.critical(blocked ? "one_way" : "views_differ", "", text,
                 "check firewalls and routes between the two, in both directions, for both of their ports");
  }
}

void check_links(const Examination& of, Findings& out) {
  for (const auto& link : links_view(of.now)) {
    const auto name = link.value("from", "") + " to " + link.value("peer", "");
    const auto state = link.value("state", "");
    if (state == "down" || state == "left" || state.empty()) continue;
    if (link.value("relayed", false)) {
      out.critical("one_way", link.value("from", ""), "the link from " + name + " goes through a third node",
                   "the direct way is blocked: check firewalls and routes between the two");
    } else if (!link.value("session", false) && link.value("down_ms", 0) > 1000) {
      out.critical("no_session", link.value("from", ""), "there is no session from " + name,
                   "check firewalls and routes between the two");
    }
    const auto queued = link.value("queued_data", std::uint64_t{0});
    if (queued > kMuchQueued) {
      out.warn("slow_peer", link.value("from", ""),
               number(static_cast<double>(queued)) + " bytes from " + name + " are not confirmed",
               "the receiver or the network is too slow for what is sent");
    }
  }
}

/// Handshakes that failed lately, at a node's own addresses or at those it connects to.
void check_handshakes(const NodeLook& node, Findings& out) {
  for (const auto& socket : node.answer(kInspect).value("sockets", Json::array())) {
    const auto why = socket.value("problem", "");
    // Whoever only looks whether somebody listens breaks off, as nodes do: no fault.
    if (why.empty() || why.rfind("disconnected", 0) == 0 ||
        socket.value("problem_ms", std::int64_t{0}) * 1000 > kRecent_us)
      continue;
    const bool incoming = socket.value("kind", "") == "incoming";
    if (!incoming && socket.value("up", false)) continue;
    const bool keys = why.find("key") != std::string::npos;
    const auto text = (incoming ? "somebody at its address " : "its connection to ") +
                      socket.value("endpoint", "") + " failed the handshake " +
                      number(socket.value("failed", 0.0)) + " times: " + why;
    if (keys) {
      out.critical("wrong_key", node.name, text,
                   "compare the key files (hubctl keygen) and security.allow_dir on both sides; if nobody of "
                   "yours is meant, somebody tries to get in");
    } else {
      out.warn("handshake_failed", node.name, text, "who connects there does not speak this protocol");
    }
  }
}

/// Subscribers that have taken nothing between the two looks, though there is something for them.
void check_subscribers(const Examination& of, Findings& out) {
  const auto earlier = sockets_view(of.before);
  for (const auto& now : sockets_view(of.now)) {
    if (now.value("unread", std::uint64_t{0}) == 0) continue;
    const auto stalls = [&](const Json& before) {
      return before.value("node", "") == now.value("node", "") &&
             before.value("endpoint", "") == now.value("endpoint", "") &&
             before.value("unread", std::uint64_t{0}) > 0 &&
             before.value("confirmed", std::uint64_t{0}) == now.value("confirmed", std::uint64_t{0});
    };
    if (std::none_of(earlier.begin(), earlier.end(), stalls)) continue;
    out.warn("stalled_subscriber", now.value("node", ""),
             "what it publishes is not read by " + now.value("endpoint", "") + ": " +
                 number(now.value("unread", 0.0)) +
                 " bytes wait on the way, and behind them what is kept for it",
             "is that process stopped or overloaded? What is more than 65,536 frames is dropped for it");
  }
}

/// The lines of `theirs` that `ours` has not.
std::string differing_options(const std::string& ours, const std::string& theirs) {
  std::set<std::string> known;
  std::istringstream mine(ours);
  for (std::string line; std::getline(mine, line);) known.insert(line);
  std::string out;
  std::istringstream other(theirs);
  for (std::string line; std::getline(other, line);)
    if (known.count(line) == 0) out += (out.empty() ? "" : ", ") + line;
  return out;
}

void check_others(const Examination& of, Findings& out) {
  const NodeLook* first = nullptr;
  for (const auto& node : of.now.nodes)
    if (first == nullptr && node.answered()) first = &node;
  for (const auto& other : of.now.others) {
    if (!other.answered()) {
      out.critical("unreachable", other.endpoint, "does not answer: " + other.error, "is it started?");
      continue;
    }
    const auto name = other.answer(kStatus).value("node", other.endpoint);
    const auto differs = first == nullptr ? std::string()
                                          : differing_options(first->answer(kInspect).value("options", ""),
                                                              other.answer(kInspect).value("options", ""));
    if (differs.empty()) {
      out.critical("another_cluster", name, "runs, but is no member of this cluster",
                   "give it a seed of this cluster; if it has one, look for refusals in its log");
    } else {
      out.critical("config_differs", name, "has other cluster-wide options: " + differs,
                   "make its configuration like that of the others and start it again");
    }
  }
}

void check_state(const NodeLook& node, Findings& out) {
  const auto& status = node.answer(kStatus);
  const auto& inside = node.answer(kInspect);
  if (status.value("partitioned", false)) {
    out.critical(
        "no_quorum", node.name, "is in a part of the cluster without quorum: nothing runs there",
        "bring the missing nodes back; if they are gone for good, or more than half of all restarted at "
        "once: hubctl reset-cluster-size");
  }
  if (!status.value("joined", false))
    out.warn("joining", node.name, "has not joined yet", "wait; if it stays so, check its seeds");
  if (inside.value("frozen", false))
    out.warn("frozen", node.name, "holds all redistribution", "hubctl unfreeze when the work is done");
  if (inside.value("drained", false))
    out.warn("drained", node.name, "takes no children",
             "hubctl undrain " + node.name + " when the work is done");
  for (const auto& lock : inside.value("locks", Json::array())) {
    const auto age = lock.value("age_ms", std::uint64_t{0});
    const auto holder = lock.value("holder", "");
    if (age < kLockLong_ms || holder == "quorum") continue;
    out.add(age < kLockTooLong_ms ? Severity::warning : Severity::critical, "lock_held", node.name,
            "its queue is locked for " + number(lock.value("age_ms", 0.0) / 1000) + " s by " + holder + " (" +
                lock.value("reason", "") + ")",
            holder == "user" ? "hubctl unlock " + lock.value("token", Json(0)).dump() +
                                   ", asked of this node, if its owner is gone"
                             : "hubctl moves shows what is under way");
  }
  const auto skew = status.value("time_us", std::int64_t{0}) - node.clock_us;
  if (status.contains("time_us") && std::abs(skew) > kSkew_us + node.round_trip.count()) {
    out.warn("clock_skew", node.name,
             "its clock differs from this machine's by " + number(static_cast<double>(skew) / 1e6) + " s",
             "ProcessHub does not mind, but logs and timelines are hard to read: check NTP");
  }
}

const NodeLook* earlier_look(const Examination& of, const NodeLook& node) {
  for (const auto& before : of.before.nodes)
    if (before.name == node.name && before.incarnation == node.incarnation && before.answered())
      return &before;
  return nullptr;
}

/// What counts as a warning as soon as there is more of it.
struct Drop {
  const char* reason;
  const char* check;
  const char* text;
  const char* advice;
};
constexpr std::array kDrops = {
    Drop{"dead_letter", "dead_letters", " messages found no worker",
         "somebody sends to children that do not run; the hook dead_letter names them"},
    Drop{"bad_frame", "bad_frames", " frames made no sense",
         "does another cluster, version or program use its port? Its log names the reason"},
    Drop{"send_refused", "send_refused", " sends were refused by the network",
         "a peer or subscriber does not read; zmq-monitor links shows which"},
};

void check_counters(const NodeLook& node, const Examination& of, Findings& out) {
  const auto limit = metric(node, "processhub_mailbox_limit");
  const auto largest = metric(node, "processhub_mailbox_largest");
  if (limit > 0 && largest > limit * kNearlyFull) {
    out.critical(
        "mailbox_flood", node.name,
        "the mailbox of '" + node.answer(kMetrics).value("fullest_mailbox", "") + "' holds " +
            number(largest) + " of " + number(limit) + " messages",
        "its worker is too slow for what it is sent: see explain, split its work, or slow the senders");
  }
  const auto* before = earlier_look(of, node);
  if (before == nullptr) return;
  const auto grew = [&](const char* name, const char* label, const char* of_label) {
    return metric(node, name, label, of_label) - metric(*before, name, label, of_label);
  };
  if (const auto n = grew("processhub_drops_total", "reason", "mailbox_full"); n > 0)
    out.critical("mailbox_full", node.name, number(n) + " messages met a full mailbox",
                 "see which child is flooded with zmq-monitor top and explain");
  for (const auto& drop : kDrops) {
    if (const auto n = grew("processhub_drops_total", "reason", drop.reason); n > 0)
      out.warn(drop.check, node.name, number(n) + drop.text, drop.advice);
  }
  if (const auto n = grew("processhub_gaps_total", "", ""); n > 0)
    out.warn("gaps", node.name, number(n) + " publications were lost and repaired",
             "the network drops or a subscriber is too slow");
}

/// The worker that `stuck` tells of was stopped or started again since.
bool is_over(const Json& stuck, const Json& journal) {
  const auto text = stuck.value("text", "");
  const auto events = journal.value("events", Json::array());
  return std::any_of(events.begin(), events.end(), [&](const Json& later) {
    if (later.value("part", "") != "children" || later.value("time_us", 0LL) < stuck.value("time_us", 0LL))
      return false;
    const auto ids = later.value("children", std::vector<std::string>{});
    return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
      return text.find("child '" + id + "'") != std::string::npos;
    });
  });
}

/// What nodes said themselves, lately.
void check_journal(const std::string& node, const Json& journal, std::int64_t now_us, Findings& out) {
  for (const auto& event : journal.value("events", Json::array())) {
    if (now_us - event.value("time_us", std::int64_t{0}) > kRecent_us) continue;
    const auto text = event.value("text", "");
    const auto part = event.value("part", "");
    if (part == "workers" && text.find("has been in one handler") != std::string::npos) {
      if (!is_over(event, journal))
        out.critical("stuck_worker", node, text,
                     "its code blocks: hubctl restart makes a new worker now, without the state; give it the "
                     "dedicated executor, or mend it");
    } else if (text.rfind("refused a second node named", 0) == 0) {
      out.critical("duplicate_name", node, text,
                   "two machines are set up with one name: give the second another one and start it again");
    } else if (text.rfind("refused ", 0) == 0) {
      const bool options = text.find("option") != std::string::npos;
      out.critical(options ? "config_differs" : "refused", node, text,
                   options ? "make the configuration of the refused node like that of the others"
                           : "a node that does not belong here tries to join");
    } else if (part == "queue" && text.find("freed a lock") != std::string::npos) {
      out.warn("lock_freed", node, text, "whoever took the lock forgot it");
    }
  }
}

void check_agreement(const Examination& of, Findings& out) {
  std::set<std::string> versions;
  std::set<std::string> digests;
  for (const auto& node : of.now.nodes) {
    if (!node.answered()) continue;
    versions.insert(node.answer(kStatus).value("version", ""));
    digests.insert(node.answer(kStatus).value("digest", ""));
  }
  if (versions.size() > 1)
    out.warn("versions_differ", "", "nodes run " + std::to_string(versions.size()) + " versions",
             "finish the upgrade");
  const bool moves = std::any_of(of.now.nodes.begin(), of.now.nodes.end(), [](const NodeLook& n) {
    return n.answered() && !n.answer(kInspect).value("settled", true);
  });
  if (digests.size() > 1)
    out.warn(
        "registries_differ", "", "the nodes do not list the same children",
        moves ? "something is under way: look again in a moment" : "zmq-monitor registry-diff shows which");
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "?";
}

std::vector<Finding> examine(const Examination& of) {
  Findings out;
  check_reach(of, out);
  check_views(of, out);
  check_links(of, out);
  check_subscribers(of, out);
  check_others(of, out);
  for (const auto& node : of.now.nodes) {
    if (!node.answered()) continue;
    check_state(node, out);
    check_handshakes(node, out);
    check_counters(node, of, out);
  }
  for (const auto& [node, journal] : of.journals) check_journal(node, journal, of.now_us, out);
  check_agreement(of, out);
  return out.take();
}

Severity worst(const std::vector<Finding>& findings) {
  return findings.empty() ? Severity::ok : findings.front().severity;
}

Json to_json(const std::vector<Finding>& findings) {
  Json out = Json::array();
  for (const auto& finding : findings) {
    out.push_back({{"severity", std::string(to_string(finding.severity))},
                   {"check", finding.check},
                   {"node", finding.node},
                   {"text", finding.text},
                   {"advice", finding.advice}});
  }
  return out;
}

}  // namespace processhub::monitor
