#include "tools/zmq-monitor/tables.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "tools/hubctl/tables.hpp"

namespace processhub::monitor {

namespace {

using hubctl::Table;

std::string cell(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "";
  if (value.is_number_float()) {
    std::array<char, 32> text{};
    const auto number = value.get<double>();
    std::snprintf(text.data(), text.size(), number < 10 && number != std::floor(number) ? "%.1f" : "%.0f",
                  number);
    return text.data();
  }
  return hubctl::to_line(value);
}

std::string field(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string() : cell(*found);
}

std::string age(const Json& object, const char* name) {
  const auto ms = object.value(name, std::uint64_t{0});
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
}

std::string joined(const Json& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + cell(text);
  return out;
}

/// "connected 1, retried 2, failed 2 (key refused 3 s ago)"; empty: nothing is known.
std::string connection_text(const Json& socket, const std::string& before) {
  if (socket.empty()) return {};
  auto out =
      before + (socket.value("up", false) ? "up" : "down") + ", connected " + field(socket, "connected");
  for (const auto* what : {"retried", "lost", "failed"})
    if (socket.value(what, 0) > 0) out += std::string(", ") + what + " " + field(socket, what);
  if (const auto why = field(socket, "problem"); !why.empty())
    out += " (" + why + " " + age(socket, "problem_ms") + " ago)";
  return out;
}

std::string clock_text(std::int64_t time_us) {
  const std::time_t seconds = time_us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(time_us / 1000 % 1000));
  return text.data();
}

}  // namespace

void print_top(std::ostream& out, const Json& rows) {
  Table table({"NODE", "STATE", "LOCK", "CHILDREN", "LAG MAX ms", "MAILBOX", "IN/s", "OUT/s", "HANDLED/s",
               "DROPS", "GAPS", "RTT ms"});
  for (const auto& row : rows) {
    if (row.contains("error")) {
      table.add({field(row, "node"), field(row, "state") + ": " + field(row, "error")});
      continue;
    }
    auto state = field(row, "state");
    if (row.value("drained", false)) state += " drained";
    if (row.value("frozen", false)) state += " frozen";
    table.add({field(row, "node"), state, field(row, "locked_by"), field(row, "children"),
               field(row, "lag_max_ms"), field(row, "mailbox"), field(row, "in_per_s"),
               field(row, "out_per_s"), field(row, "handled_per_s"), field(row, "drops"), field(row, "gaps"),
               field(row, "round_trip_ms")});
  }
  table.print(out);
}

void print_membership(std::ostream& out, const Json& view) {
  std::vector<std::string> head = {"SEEN BY"};
  for (const auto& name : view.at("names")) head.push_back(cell(name));
  Table table(head);
  for (const auto& row : view.at("rows")) {
    std::vector<std::string> cells = {field(row, "node")};
    for (const auto& name : view.at("names")) {
      const auto seen = row.at("sees").value(name.get<std::string>(), row.at("error").empty() ? "" : "?");
      cells.push_back(seen.empty() ? "?" : seen);
    }
    table.add(std::move(cells));
  }
  table.print(out);
  for (const auto& difference : view.at("differences")) out << "! " << cell(difference) << "\n";
}

void print_locks(std::ostream& out, const Json& nodes) {
  Table table({"NODE", "LEVEL", "HOLDER", "REASON", "HELD", "TOKEN", "WAITING"});
  for (const auto& node : nodes) {
    std::string waiting;
    for (const auto& wait : node.at("waiting")) {
      waiting += (waiting.empty() ? "" : ", ") + field(wait, "count") + " of priority " +
                 field(wait, "priority") + " for " + age(wait, "oldest_ms");
    }
    if (node.at("locks").empty())
      table.add({field(node, "node"), field(node, "level"), "", "", "", "", waiting});
    for (const auto& lock : node.at("locks")) {
      table.add({field(node, "node"), field(lock, "level"), field(lock, "holder"), field(lock, "reason"),
                 age(lock, "age_ms"), field(lock, "token"), waiting});
    }
  }
  table.print(out);
}

void print_links(std::ostream& out, const Json& links) {
  Table table(
      {"FROM", "TO", "PEER IS", "LINK", "QUEUED", "SENT", "RECEIVED", "RESENDS", "ADDRESS", "SOCKETS"});
  for (const auto& link : links) {
    std::string state = link.value("session", false) ? "connected" : "down for " + age(link, "down_ms");
    if (link.value("relayed", false)) state = "through a third node";
    if (link.value("refused", false)) state += ", refused";
    const auto queued =
        link.value("queued_control", std::uint64_t{0}) + link.value("queued_data", std::uint64_t{0});
    // The last sequence of the control lane and of the data lane.
    const auto sequence = [&](const std::string& way) {
      return field(link, (way + "_control").c_str()) + "+" + field(link, (way + "_data").c_str());
    };
    table.add({field(link, "from"), field(link, "peer"), field(link, "state"), state, std::to_string(queued),
               sequence("sent"), sequence("received"), field(link, "resends"), field(link, "endpoint"),
               connection_text(link.value("socket", Json::object()), "") +
                   connection_text(link.value("subscription", Json::object()), "; hears: ")});
  }
  table.print(out);
}

void print_sockets(std::ostream& out, const Json& sockets) {
  for (const auto& socket : sockets) {
    const auto node = field(socket, "node");
    if (socket.value("failed", 0) > 0) {
      out << "! at " << node << ", " << field(socket, "endpoint") << ": " << field(socket, "failed")
          << " handshakes failed, the last one " << age(socket, "problem_ms")
          << " ago: " << field(socket, "problem") << "\n";
    }
    if (socket.value("unread", 0) > 0) {
      out << "! subscriber " << field(socket, "endpoint") << " of " << node << ": " << field(socket, "unread")
          << " bytes on their way to it\n";
    }
  }
}

void print_registry_diff(std::ostream& out, const Json& diff) {
  Table table({"NODE", "DIGEST"});
  for (const auto& [node, digest] : diff.at("digests").items()) table.add({node, cell(digest)});
  table.print(out);
  for (const auto& child : diff.at("differing")) {
    out << field(child, "id") << "\n";
    for (const auto& [node, says] : child.at("says").items())
      out << "  " << node << ": " << cell(says) << "\n";
  }
}

namespace {

/// What decides where it belongs.
void print_choice(std::ostream& out, const Json& child) {
  const auto spec = child.value("spec", Json::object());
  std::string needs = "worker type " + field(child, "type");
  if (const auto role = field(spec, "requires_role"); !role.empty()) needs += ", role " + role;
  if (spec.contains("nodes")) needs += ", one of the nodes " + joined(spec.at("nodes"));
  out << "  needs " << needs << "\n";
  if (const auto restart = field(spec, "restart"); !restart.empty()) out << "  restart " << restart << "\n";
}

/// The nodes it could run on, best first, and the others.
void print_candidates(std::ostream& out, const Json& child) {
  Table table({"  CANDIDATE", "SCORE", field(child, "distribution") + " SAYS"});
  for (const auto& one : child.value("candidates", Json::array())) {
    auto why = field(one, "why");
    if (const auto unable = field(one, "unable"); !unable.empty()) why = "cannot: " + unable;
    std::array<char, 32> score{};
    if (one.contains("score")) std::snprintf(score.data(), score.size(), "%.4g", one.value("score", 0.0));
    table.add({"  " + field(one, "node"), score.data(), why});
  }
  table.print(out);
}

/// The last of its moves, takeovers and restarts are what one looks for first.
void print_last_move(std::ostream& out, const Json& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->value("part", "") != "moves") continue;
    out << "  last move: " << clock_text(event->value("time_us", std::int64_t{0})) << " "
        << field(*event, "node") << ": " << field(*event, "text") << "\n";
    return;
  }
}

}  // namespace

void print_explanation(std::ostream& out, const Json& child) {
  if (!child.value("known", false)) {
    out << "no node knows a child '" << field(child, "id") << "'\n";
    return;
  }
  out << field(child, "id") << " (" << field(child, "type") << "), started through " << field(child, "origin")
      << " on " << joined(child.value("first", Json::array())) << "\n";
  for (const auto& instance : child.value("instances", Json::array())) {
    const auto node = field(instance, "node");
    out << "  runs on " << node << ": " << field(instance, "state") << ", " << field(instance, "role")
        << ", generation " << field(instance, "generation") << ", restarted "
        << field(child.value("restarts", Json::object()), node.c_str()) << " times in place\n";
  }
  print_choice(out, child);
  print_candidates(out, child);
  for (const auto& [node, owners] : child.at("owners_by_node").items())
    out << "  belongs to " << joined(owners) << ", says " << node << "\n";
  if (const auto wish = field(child, "wish"); !wish.empty()) out << "  somebody asked for " << wish << "\n";
  if (const auto why = field(child, "failure"); !why.empty()) out << "  failed: " << why << "\n";
  for (const auto& [node, why] : child.at("waits").items())
    out << "  " << node << " waits: " << cell(why) << "\n";
  print_last_move(out, child.value("events", Json::array()));
  print_events(out, child.value("events", Json::array()));
}

void print_events(std::ostream& out, const Json& events) {
  for (const auto& event : events) {
    const auto level = field(event, "level");
    out << clock_text(event.value("time_us", std::int64_t{0})) << " " << field(event, "node") << " "
        << field(event, "part") << (level == "info" ? "" : " " + level) << ": " << field(event, "text")
        << "\n";
  }
}

void print_findings(std::ostream& out, const std::vector<Finding>& findings) {
  if (findings.empty()) out << "all is well\n";
  for (const auto& finding : findings) {
    out << to_string(finding.severity) << " [" << finding.check << "] "
        << (finding.node.empty() ? "" : finding.node + ": ") << finding.text << "\n    " << finding.advice
        << "\n";
  }
}

void print_nagios(std::ostream& out, const std::vector<Finding>& findings) {
  static constexpr std::array kWords = {"OK", "WARNING", "CRITICAL"};
  out << "PROCESSHUB " << kWords.at(static_cast<std::size_t>(worst(findings)));
  if (findings.empty()) out << " - all is well";
  const char* between = " - ";
  for (const auto& finding : findings) {
    out << between << (finding.node.empty() ? "" : finding.node + ": ") << finding.text;
    between = "; ";
  }
  out << "\n";
}

}  // namespace processhub::monitor
