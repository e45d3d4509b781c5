// Answers as people read them: aligned columns and short summaries. Any thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tools/hubctl/json_payload.hpp"

namespace processhub::hubctl {

/// Columns as wide as their widest cell, counted in characters, not bytes. Empty cells show as "-".
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_{};
};

// One per shape of answer. A field that is missing shows as "-": a newer or older node is no reason to fail.
void print_moves(std::ostream& out, const Json& moves);
void print_nodes(std::ostream& out, const Json& nodes);
/// `wide`: with generation and ref.
void print_children(std::ostream& out, const Json& children, bool wide = false);
void print_child(std::ostream& out, const Json& child);
void print_fields(std::ostream& out, const Json& object);
void print_status(std::ostream& out, const Json& status);
void print_started(std::ostream& out, const Json& result);
void print_stopped(std::ostream& out, const Json& result);
void print_restarted(std::ostream& out, const Json& result);
/// The errors of the children in an answer to start, stop or restart, a line each.
void print_failures(std::ostream& out, const Json& result);
void print_value(std::ostream& out, const Json& value);
void print_nothing(std::ostream& out, const Json& value);

/// The state that `list` shows for an instance; "waiting" for a child that runs nowhere (an empty object).
std::string state_of(const Json& instance);

}  // namespace processhub::hubctl
