#include "tools/hubctl/verbs.hpp"

#include <algorithm>
#include <stdexcept>

#include "tools/hubctl/start_specs.hpp"
#include "tools/hubctl/tables.hpp"

namespace processhub::hubctl {

namespace {

Result<Request> ask_nodes(const Command& c) { return Request{"nodes", {{"all", c.has("all")}}}; }
Result<Request> ask_list(const Command& c) { return Request{"list", {{"local", c.has("local")}}}; }
Result<Request> ask_lookup(const Command& c) { return Request{"lookup", {{"id", c.words[0]}}}; }
Result<Request> ask_tag(const Command& c) { return Request{"tag", {{"tag", c.words[0]}}}; }
Result<Request> ask_restart(const Command& c) { return Request{"restart", {{"id", c.words[0]}}}; }
Result<Request> ask_plain(const Command& c) { return Request{c.verb, Json::object()}; }

Result<Request> ask_start(const Command& c) {
  auto specs = specs_of(c);
  if (!specs) return specs.error();
  return Request{
      "start",
      {{"specs", std::move(*specs)}, {"timeout_ms", c.timeout.count()}, {"rollback", c.has("rollback")}}};
}

Result<Request> ask_stop(const Command& c) {
  const int ways =
      static_cast<int>(!c.words.empty()) + static_cast<int>(c.has("prefix")) + static_cast<int>(c.has("tag"));
  if (ways != 1) return {ErrorCode::invalid, "stop takes IDs, or --prefix, or --tag"};
  Request request{"stop", {{"timeout_ms", c.timeout.count()}}};
  if (c.has("prefix")) request.args["prefix"] = c.get("prefix");
  if (c.has("tag")) request.args["tag"] = c.get("tag");
  if (!c.words.empty()) request.args["ids"] = c.words;
  return request;
}

/// The body travels as the msgpack that the worker will decode.
Result<Request> ask_message(const Command& c) {
  auto body = parse_json(c.words.size() > 2 ? c.words[2] : "{}", "the message's JSON");
  if (!body) return body.error();
  Request request{c.verb, {{"id", c.words[0]}, {"message", c.words[1]}, {"body", *body}}};
  if (c.verb == "call") request.args["timeout_ms"] = c.timeout.count();
  return request;
}

/// Without KEY=VALUE: what the metadata is.
Result<Request> ask_metadata(const Command& c) {
  Request request{"metadata", {{"id", c.words[0]}}};
  for (std::size_t i = 1; i < c.words.size(); ++i) {
    const auto equals = c.words[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      return {ErrorCode::invalid, "metadata: '" + c.words[i] + "' is not KEY=VALUE"};
    }
    request.args["set"][c.words[i].substr(0, equals)] = c.words[i].substr(equals + 1);
  }
  return request;
}

std::vector<Verb> cluster_verbs() {
  return {
      {{"nodes", "", "the members of the cluster", 0, 0, {{"all", "", "also those that are down or left"}}},
       ask_nodes,
       print_nodes},
      {{"list",
        "",
        "all children and where they run",
        0,
        0,
        {{"local", "", "only those that run on the asked node"}}},
       ask_list,
       print_children},
      {{"lookup", "ID", "one child with its spec and metadata", 1, 1, {}}, ask_lookup, print_child},
      {{"tag", "TAG", "the children with a tag", 1, 1, {}}, ask_tag, print_children},
      {{"dump", "", "the whole registry as text", 0, 0, {}}, ask_plain, print_value},
      {{"status", "", "the asked node: lock, partition, children, digest", 0, 0, {}},
       ask_plain,
       print_fields},
      {{"digest", "", "the digest of the registry, equal on all nodes of a quiet cluster", 0, 0, {}},
       ask_plain,
       print_fields},
  };
}

std::vector<Verb> child_verbs() {
  const std::vector<OptionRule> start_options = {
      {"type", "TYPE", "worker type, as registered by a plugin"},
      {"args", "JSON", "given to the worker's constructor"},
      {"tag", "TAG", "a group for tag and stop --tag"},
      {"count", "N", "start N children PREFIX-0, PREFIX-1 ..."},
      {"restart", "KIND", "permanent (default), transient or temporary"},
      {"executor", "KIND", "pooled (default) or dedicated"},
      {"file", "FILE", "one spec per line, as JSON: id, type, args, tag, metadata, restart, executor ..."},
      {"rollback", "", "start none if one fails"},
  };
  return {
      {{"start", "[ID|PREFIX]", "starts one child, N children, or those of a file", 0, 1, start_options},
       ask_start,
       print_started},
      {{"stop",
        "[ID...]",
        "stops children for good",
        0,
        kAnyNumber,
        {{"prefix", "P", "all whose id begins with P"}, {"tag", "TAG", "all with this tag"}}},
       ask_stop,
       print_stopped},
      {{"restart", "ID", "lets a failed child run again", 1, 1, {}}, ask_restart, print_nothing},
      {{"call", "ID MESSAGE [JSON]", "sends a message and prints the answer", 2, 3, {}},
       ask_message,
       print_value},
      {{"cast", "ID MESSAGE [JSON]", "sends a message and waits for nothing", 2, 3, {}},
       ask_message,
       print_nothing},
      {{"metadata", "ID [KEY=VALUE...]", "replaces the metadata of a child, or shows it", 1, kAnyNumber, {}},
       ask_metadata,
       print_fields},
  };
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = [] {
    auto rows = cluster_verbs();
    for (auto& row : child_verbs()) rows.push_back(std::move(row));
    rows.push_back({{"keygen",
                     "NAME",
                     "writes a new CURVE key pair: NAME.key (keep it secret) and NAME.pub",
                     1,
                     1,
                     {{"dir", "DIR", "where to write (default: here)"}}},
                    nullptr,
                    nullptr});
    return rows;
  }();
  return all;
}

std::vector<VerbRule> verb_rules() {
  std::vector<VerbRule> rules;
  for (const auto& verb : verbs()) rules.push_back(verb.rule);
  return rules;
}

const Verb& verb_named(const std::string& name) {
  auto found =
      std::find_if(verbs().begin(), verbs().end(), [&](const Verb& v) { return v.rule.name == name; });
  if (found == verbs().end())
    throw std::logic_error("the command line parser let an unknown verb through: " + name);
  return *found;
}

}  // namespace processhub::hubctl
