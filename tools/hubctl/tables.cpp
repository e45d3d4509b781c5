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

void add_instances(Table& table, const Json& child) {
  auto instances = array_field(child, "instances");
  if (instances.empty()) instances.push_back(Json::object());
  for (const auto& i : instances) {
    table.add({field(child, "id"), field(child, "type"), field(child, "tag"), field(i, "node"),
               field(i, "role"), field(i, "state"), field(i, "generation"), field(i, "ref")});
  }
}

Table children_table() { return Table({"ID", "TYPE", "TAG", "NODE", "ROLE", "STATE", "GENERATION", "REF"}); }

/// A child that failed carries the code and text of its error.
bool has_error(const Json& child) { return child.is_object() && child.contains("code"); }

std::string error_text(const Json& child) { return field(child, "code") + ": " + field(child, "error"); }

void print_failures(std::ostream& out, const Json& children) {
  std::size_t failures = 0;
  for (const auto& child : children) {
    if (!has_error(child)) continue;
    if (++failures <= kRowsShown) out << field(child, "id") << ": " << error_text(child) << "\n";
  }
  if (failures > kRowsShown) out << "... and " << failures - kRowsShown << " more failed\n";
}

std::size_t count_done(const Json& children) {
  return static_cast<std::size_t>(
      std::count_if(children.begin(), children.end(), [](const Json& c) { return !has_error(c); }));
}

}  // namespace

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

void print_nodes(std::ostream& out, const Json& nodes) {
  Table table({"NAME", "INCARNATION", "ENDPOINT", "STATE"});
  for (const auto& n : nodes)
    table.add({field(n, "name"), field(n, "incarnation"), field(n, "endpoint"), field(n, "state")});
  table.print(out);
}

void print_children(std::ostream& out, const Json& children) {
  auto table = children_table();
  for (const auto& child : children) add_instances(table, child);
  table.print(out);
}

void print_child(std::ostream& out, const Json& child) {
  auto table = children_table();
  add_instances(table, child);
  table.print(out);
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
  std::size_t width = 0;
  for (const auto& item : object.items()) width = std::max(width, width_of(item.key()));
  for (const auto& item : object.items()) {
    const auto text = cell(item.value());
    out << item.key() << std::string(width + 2 - width_of(item.key()), ' ') << shown(text) << "\n";
  }
}

void print_started(std::ostream& out, const Json& result) {
  const auto children = array_field(result, "children");
  std::set<std::string> nodes;
  for (const auto& child : children) {
    for (const auto& instance : array_field(child, "instances")) nodes.insert(field(instance, "node"));
  }
  if (!children.empty() && children.size() <= kRowsShown) {
    Table table({"ID", "NODE", "STATE", "REF"});
    for (const auto& child : children) {
      for (const auto& i : array_field(child, "instances")) {
        table.add({field(child, "id"), field(i, "node"), field(i, "state"), field(i, "ref")});
      }
    }
    table.print(out);
  }
  print_failures(out, children);
  out << "started " << count_done(children) << " of " << children.size() << " on " << nodes.size()
      << " nodes";
  out << (field(result, "rolled_back") == "true" ? ", rolled back\n" : "\n");
}

void print_stopped(std::ostream& out, const Json& result) {
  const auto children = array_field(result, "children");
  print_failures(out, children);
  out << "stopped " << count_done(children) << " of " << children.size() << "\n";
}

void print_value(std::ostream& out, const Json& value) {
  out << (value.is_string() ? value.get<std::string>() : to_text(value)) << "\n";
}

void print_nothing(std::ostream&, const Json&) {}

}  // namespace processhub::hubctl
