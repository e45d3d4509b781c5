#include "tools/hubctl/tables.hpp"

#include <algorithm>
#include <set>

namespace processhub::hubctl {
namespace {

constexpr std::size_t kRowsShown = 20;  // of a long start: the rest is in the summary

/// Strings without quotes, everything else as JSON.
std::string cell(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : to_line(value);
}

std::string field(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  auto found = object.find(name);
  return found == object.end() ? std::string() : cell(*found);
}

Json array_field(const Json& object, const char* name) {
  if (!object.is_object()) return Json::array();
  auto found = object.find(name);
  return found == object.end() || !found->is_array() ? Json::array() : *found;
}

/// Characters of UTF-8 text: every byte that does not continue one.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

const std::string& shown(const std::string& text) {
  static const std::string kEmpty = "-";
  return text.empty() ? kEmpty : text;
}

void add_instances(Table& table, const Json& child, bool wide) {
  auto instances = array_field(child, "instances");
  if (instances.empty()) instances.push_back(Json::object());
  for (const auto& i : instances) {
    std::vector<std::string> row = {field(child, "id"), field(child, "type"), field(child, "tag"),
                                    field(i, "node"),   field(i, "role"),     state_of(i)};
    if (wide) row.insert(row.end(), {field(i, "generation"), field(i, "ref")});
    table.add(std::move(row));
  }
}

Table children_table(bool wide) {
  std::vector<std::string> head = {"ID", "TYPE", "TAG", "NODE", "ROLE", "STATE"};
  if (wide) head.insert(head.end(), {"GENERATION", "REF"});
  return Table(std::move(head));
}

/// A child that failed carries the code and text of its error.
bool has_error(const Json& child) { return child.is_object() && child.contains("code"); }

/// What was undone because of another child says nothing about the cause.
bool is_undone(const Json& child) { return field(child, "code") == "rolled_back"; }

std::string times(std::uint64_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// The two largest units: "3 h 12 min", "7 s".
std::string duration_text(std::uint64_t ms) {
  const auto seconds = ms / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

/// Names end in their unit, if they have one: "loop_lag_max_us".
void add_quantity(Json& fields, std::string name, const Json& value) {
  if (name.ends_with("_us")) {
    name.resize(name.size() - 3);
    fields.push_back({name, cell(value) + " µs"});
  } else if (name.ends_with("_ms") && value.is_number_unsigned()) {
    name.resize(name.size() - 3);
    fields.push_back({name, duration_text(value.get<std::uint64_t>())});
  } else {
    fields.push_back({name, cell(value)});
  }
}

/// [[name, text]] in the order given.
void print_pairs(std::ostream& out, const Json& pairs) {
  std::size_t width = 0;
  for (const auto& pair : pairs) width = std::max(width, width_of(cell(pair[0])));
  for (const auto& pair : pairs) {
    const auto name = cell(pair[0]);
    out << name << std::string(width + 2 - width_of(name), ' ') << shown(cell(pair[1])) << "\n";
  }
}

std::size_t count_done(const Json& children) {
  return static_cast<std::size_t>(
      std::count_if(children.begin(), children.end(), [](const Json& c) { return !has_error(c); }));
}

}  // namespace

std::string state_of(const Json& instance) {
  return instance.is_object() && instance.empty() ? "waiting" : field(instance, "state");
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(shown(row[i])));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& text = shown(row[i]);
      line += text;
      if (i + 1 < row.size()) line += std::string(widths[i] + 2 - width_of(text), ' ');
    }
    out << line << "\n";
  }
}

void print_moves(std::ostream& out, const Json& moves) {
  Table table({"ID", "FROM", "TO", "PHASE", "AGE"});
  for (const auto& m : moves)
    table.add(
        {field(m, "id"), field(m, "from"), field(m, "to"), field(m, "phase"), field(m, "age_ms") + " ms"});
  table.print(out);
}

void print_nodes(std::ostream& out, const Json& nodes) {
  Table table({"NAME", "INCARNATION", "ENDPOINT", "STATE"});
  for (const auto& n : nodes)
    table.add({field(n, "name"), field(n, "incarnation"), field(n, "endpoint"), field(n, "state")});
  table.print(out);
}

void print_children(std::ostream& out, const Json& children, bool wide) {
  auto table = children_table(wide);
  for (const auto& child : children) add_instances(table, child, wide);
  table.print(out);
}

void print_child(std::ostream& out, const Json& child) {
  auto table = children_table(true);
  add_instances(table, child, true);
  table.print(out);
  if (const auto failure = field(child, "failure"); !failure.empty()) out << "\nFAILURE\n" << failure << "\n";
  if (child.is_object() && child.contains("spec")) {
    out << "\nSPEC\n";
    print_fields(out, child["spec"]);
  }
  if (child.is_object() && child.contains("metadata") && !child["metadata"].empty()) {
    out << "\nMETADATA\n";
    print_fields(out, child["metadata"]);
  }
}

void print_fields(std::ostream& out, const Json& object) {
  if (!object.is_object()) return print_value(out, object);
  auto pairs = Json::array();
  for (const auto& item : object.items()) pairs.push_back({item.key(), cell(item.value())});
  print_pairs(out, pairs);
}

void print_status(std::ostream& out, const Json& status) {
  if (!status.is_object()) return print_value(out, status);
  const std::vector<std::string> first = {
      "node",   "hub",         "version",        "uptime_ms",      "members", "joined",
      "locked", "partitioned", "children_local", "children_total", "digest"};
  auto pairs = Json::array();
  for (const auto& name : first) {
    if (status.contains(name)) add_quantity(pairs, name, status[name]);
  }
  for (const auto& item : status.items()) {
    const bool shown_above = std::find(first.begin(), first.end(), item.key()) != first.end();
    if (!shown_above && item.key() != "stats") add_quantity(pairs, item.key(), item.value());
  }
  print_pairs(out, pairs);
  if (!status.contains("stats") || !status["stats"].is_object()) return;
  out << "\nSINCE ITS START\n";
  auto counters = Json::array();
  for (const auto& item : status["stats"].items()) add_quantity(counters, item.key(), item.value());
  print_pairs(out, counters);
}

void print_started(std::ostream& out, const Json& result) {
  const auto children = array_field(result, "children");
  std::set<std::string> nodes;
  for (const auto& child : children) {
    for (const auto& instance : array_field(child, "instances")) nodes.insert(field(instance, "node"));
  }
  if (!nodes.empty() && children.size() <= kRowsShown) {
    Table table({"ID", "NODE", "STATE", "REF"});
    for (const auto& child : children) {
      for (const auto& i : array_field(child, "instances")) {
        table.add({field(child, "id"), field(i, "node"), field(i, "state"), field(i, "ref")});
      }
    }
    table.print(out);
  }
  out << "started " << count_done(children) << " of " << children.size();
  if (!nodes.empty()) out << " on " << times(nodes.size(), "node");
  out << (field(result, "rolled_back") == "true" ? ", rolled back\n" : "\n");
}

void print_stopped(std::ostream& out, const Json& result) {
  const auto children = array_field(result, "children");
  out << "stopped " << count_done(children) << " of " << children.size() << "\n";
}

void print_restarted(std::ostream& out, const Json& result) {
  for (const auto& child : array_field(result, "children")) {
    if (has_error(child)) continue;
    std::string nodes;
    for (const auto& node : array_field(child, "nodes"))
      nodes += (nodes.empty() ? " on " : ", ") + cell(node);
    out << field(child, "id") << ": restarted" << nodes << "\n";
  }
}

void print_failures(std::ostream& out, const Json& result) {
  auto failed = Json::array();
  std::size_t undone = 0;
  for (const auto& child : array_field(result, "children")) {
    if (!has_error(child)) continue;
    if (is_undone(child)) ++undone;
    if (!is_undone(child)) failed.push_back(child);
  }
  const auto rows = std::min(failed.size(), kRowsShown);
  for (std::size_t i = 0; i < rows; ++i) {
    out << field(failed[i], "code") << ": " << field(failed[i], "id") << ": " << field(failed[i], "error")
        << "\n";
  }
  if (failed.size() > rows) out << "... and " << failed.size() - rows << " more failed\n";
  if (undone > 0) out << "rolled_back: " << times(undone, "start") << " of the same call undone\n";
}

void print_value(std::ostream& out, const Json& value) {
  out << (value.is_string() ? value.get<std::string>() : to_text(value)) << "\n";
}

void print_nothing(std::ostream&, const Json&) {}

}  // namespace processhub::hubctl
