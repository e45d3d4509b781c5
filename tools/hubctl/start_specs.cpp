#include "tools/hubctl/start_specs.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <sstream>
#include <string>

#include <processhub/child.hpp>

namespace processhub::hubctl {

namespace {

constexpr std::uint64_t kMostChildren = 10'000'000;

enum class Kind : std::uint8_t { text, texts, number, duration, object, any };

struct Field {
  std::string_view name;
  Kind kind;
  std::string_view wanted;
};

constexpr std::array<Field, 13> kFields{
    {{"id", Kind::text, "a string"},
     {"type", Kind::text, "a string"},
     {"tag", Kind::text, "a string"},
     {"args", Kind::any, "any JSON"},
     {"restart", Kind::text, "permanent, transient or temporary"},
     {"executor", Kind::text, "pooled or dedicated"},
     {"metadata", Kind::object, "an object of strings"},
     {"max_restarts", Kind::number, "a whole number"},
     {"max_seconds", Kind::duration, "milliseconds or a time like \"5s\""},
     {"shutdown_timeout", Kind::duration, "milliseconds or a time like \"5s\""},
     {"passivate_after", Kind::duration, "milliseconds or a time like \"5s\""},
     {"requires_role", Kind::text, "a string"},
     {"nodes", Kind::texts, "a list of strings"}}};

bool is_object_of_strings(const Json& value) {
  if (!value.is_object()) return false;
  for (const auto& item : value) {
    if (!item.is_string()) return false;
  }
  return true;
}

bool fits(Json& value, Kind kind) {
  switch (kind) {
    case Kind::text:
      return value.is_string();
    case Kind::number:
      return value.is_number_unsigned();
    case Kind::object:
      return is_object_of_strings(value);
    case Kind::texts:
      return value.is_array() &&
             std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
    case Kind::any:
      return true;
    case Kind::duration:
      break;
  }
  if (value.is_number_unsigned()) return true;
  if (!value.is_string()) return false;
  auto time = parse_duration(value.get<std::string>());
  if (time) value = time->count();
  return time.ok();
}

/// `text` must be the name of one of `known`.
template <class Enum>
bool names_one_of(const std::string& text, std::initializer_list<Enum> known) {
  return std::any_of(known.begin(), known.end(), [&](Enum e) { return to_string(e) == text; });
}

/// What a node would refuse for sure is refused here, before anything is sent.
Result<void> check_values(const Json& spec, const std::string& where) {
  const auto text = [&](const char* name) { return spec.value(name, std::string()); };
  const auto wrong = [&](const char* name, const char* wanted) {
    return Result<void>(ErrorCode::invalid,
                        where + ": " + name + " is '" + text(name) + "'; it may be " + wanted);
  };
  using enum Restart;
  using enum Executor;
  if (spec.contains("restart") && !names_one_of(text("restart"), {permanent, transient, temporary}))
    return wrong("restart", "permanent, transient or temporary");
  if (spec.contains("executor") && !names_one_of(text("executor"), {pooled, dedicated}))
    return wrong("executor", "pooled or dedicated");
  auto valid = validate(ChildSpec{.id = text("id"), .type = text("type"), .tag = text("tag")});
  if (!valid) return {valid.error().code, where + ": " + valid.error().message};
  return {};
}

/// Checks names, kinds and what is known of values. Times become milliseconds.
Result<void> check_spec(Json& spec, const std::string& where) {
  if (!spec.is_object()) return {ErrorCode::invalid, where + ": a spec is a JSON object"};
  for (auto item = spec.begin(); item != spec.end(); ++item) {
    const Field* field = nullptr;
    for (const auto& f : kFields) {
      if (f.name == item.key()) field = &f;
    }
    if (field == nullptr) return {ErrorCode::invalid, where + ": unknown key '" + item.key() + "'"};
    if (!fits(item.value(), field->kind)) {
      return {ErrorCode::invalid, where + ": " + item.key() + " must be " + std::string(field->wanted)};
    }
  }
  for (const auto* required : {"id", "type"}) {
    if (!spec.contains(required)) return {ErrorCode::invalid, where + ": '" + required + "' is missing"};
  }
  return check_values(spec, where);
}

Result<Json> specs_from_lines(std::istream& in, const std::string& path) {
  auto specs = Json::array();
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto where = path + ":" + std::to_string(number);
    auto spec = parse_json(line, where);
    if (!spec) return spec.error();
    if (auto good = check_spec(*spec, where); !good) return good.error();
    specs.push_back(std::move(*spec));
  }
  if (specs.empty()) return {ErrorCode::invalid, path + " has no specs"};
  return specs;
}

/// "-" is standard input.
Result<Json> specs_from_file(const std::string& path) {
  if (path == "-") return specs_from_lines(std::cin, "standard input");
  std::ifstream in(path);
  if (!in) return {ErrorCode::invalid, "cannot read " + path};
  return specs_from_lines(in, path);
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

/// What --type, --args and the like say, without the id.
Result<Json> spec_from_options(const Command& command) {
  auto spec = Json::object();
  for (const auto* name : {"type", "tag", "restart", "executor"}) {
    if (command.has(name)) spec[name] = command.get(name);
  }
  if (command.has("requires-role")) spec["requires_role"] = command.get("requires-role");
  if (command.has("nodes")) spec["nodes"] = split_at_commas(command.get("nodes"));
  if (!command.has("args")) return spec;
  auto args = parse_json(command.get("args"), "--args");
  if (!args) return args.error();
  spec["args"] = std::move(*args);
  return spec;
}

Result<void> check_start_usage(const Command& command) {
  auto wrong = [](const char* text) {
    return Result<void>(ErrorCode::invalid, std::string("start: ") + text);
  };
  if (command.has("file")) {
    for (const auto* other :
         {"type", "args", "tag", "count", "restart", "executor", "requires-role", "nodes"}) {
      if (command.has(other))
        return {ErrorCode::invalid, std::string("start: --file and --") + other + " exclude each other"};
    }
    return command.words.empty() ? Result<void>() : wrong("--file and an ID exclude each other");
  }
  if (command.words.empty()) return wrong("an ID (or PREFIX with --count), or --file, is needed");
  if (!command.has("type")) return wrong("--type is needed");
  return {};
}

}  // namespace

Result<Json> specs_of(const Command& command) {
  if (auto usage = check_start_usage(command); !usage) return usage.error();
  if (command.has("file")) return specs_from_file(command.get("file"));

  auto spec = spec_from_options(command);
  if (!spec) return spec.error();
  auto specs = Json::array();
  const auto& id = command.words.front();
  if (!command.has("count")) {
    (*spec)["id"] = id;
    if (auto good = check_values(*spec, "start"); !good) return good.error();
    specs.push_back(std::move(*spec));
    return specs;
  }
  auto count = parse_number(command.get("count"), "--count", kMostChildren);
  if (!count) return count.error();
  if (*count == 0) return {ErrorCode::invalid, "--count: 0 children are none to start"};
  (*spec)["id"] = id + "-" + std::to_string(*count - 1);  // the longest
  if (auto good = check_values(*spec, "start"); !good) return good.error();
  for (std::uint64_t i = 0; i < *count; ++i) {
    (*spec)["id"] = id + "-" + std::to_string(i);
    specs.push_back(*spec);
  }
  return specs;
}

}  // namespace processhub::hubctl
