#include "tools/hubctl/verbs.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>

#include "processhub/hub.hpp"
#include "tools/hubctl/start_specs.hpp"
#include "tools/hubctl/tables.hpp"

namespace processhub::hubctl {

namespace {

const OptionRule kYes{"yes", "", "does not ask whether you mean it"};

Result<Request> ask_nodes(const Command& c) { return Request{"nodes", {{"all", c.has("all")}}}; }
Result<Request> ask_lookup(const Command& c) { return Request{"lookup", {{"id", c.words[0]}}}; }
Result<Request> ask_tag(const Command& c) { return Request{"tag", {{"tag", c.words[0]}}}; }
Result<Request> ask_plain(const Command& c) { return Request{c.verb, Json::object()}; }

/// What `list --state` takes: "waiting", or an InstanceState.
constexpr std::array kStates = {"waiting",  "starting",   "running", "moving",
                                "stopping", "restarting", "failed",  "released"};

Result<Request> ask_list(const Command& c) {
  const auto state = c.get("state");
  if (c.has("state") && std::find(kStates.begin(), kStates.end(), state) == kStates.end()) {
    std::string known;
    for (const auto* name : kStates) known += std::string(known.empty() ? "" : ", ") + name;
    return {ErrorCode::invalid, "list: --state is '" + state + "'; it may be " + known};
  }
  return Request{"list", {{"local", c.has("local")}}};
}

/// Children with the wanted type that have an instance with the wanted node and state.
Json narrow_list(Json children, const Command& c) {
  if (!children.is_array()) return children;
  const auto fits = [&](const Json& object, const char* option, const std::string& value) {
    return !c.has(option) || (object.is_object() && c.get(option) == value);
  };
  const auto wanted = [&](const Json& child) {
    if (!child.is_object() || !fits(child, "type", child.value("type", ""))) return false;
    auto instances = child.value("instances", Json::array());
    if (instances.empty()) instances.push_back(Json::object());
    return std::any_of(instances.begin(), instances.end(), [&](const Json& i) {
      return fits(i, "node", i.value("node", "")) && fits(i, "state", state_of(i));
    });
  };
  auto out = Json::array();
  std::copy_if(children.begin(), children.end(), std::back_inserter(out), wanted);
  return out;
}

void print_list(std::ostream& out, const Json& children, const Command& c) {
  print_children(out, children, c.has("wide"));
}

/// A printer that needs to know nothing of the command.
template <auto Print>
void show(std::ostream& out, const Json& answer, const Command&) {
  Print(out, answer);
}

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
  for (const auto* option : {"prefix", "tag"}) {
    if (c.has(option) && c.get(option).empty())
      return {ErrorCode::invalid, std::string("stop: --") + option + " is empty"};
  }
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

Result<Request> ask_migrate(const Command& c) {
  return Request{"migrate", {{"id", c.words[0]}, {"node", c.words[1]}, {"timeout_ms", c.timeout.count()}}};
}

/// Without KEY=VALUE and --clear: what the metadata is.
Result<Request> ask_metadata(const Command& c) {
  Request request{"metadata", {{"id", c.words[0]}}};
  if (c.has("clear")) {
    if (c.words.size() > 1) return {ErrorCode::invalid, "metadata takes KEY=VALUE or --clear, not both"};
    request.args["set"] = Json::object();
  }
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
  const std::vector<OptionRule> list_options = {
      {"local", "", "only those that run on the asked node"},
      {"type", "TYPE", "only those of this worker type"},
      {"node", "NAME", "only those with an instance on this node"},
      {"state", "STATE", "only those with an instance in this state; waiting: those without an instance"},
      {"wide", "", "also the generation and the ref of each instance"},
  };
  return {
      {{"nodes",
        "",
        "the members of the cluster",
        0,
        0,
        {{"all", "", "also those that are down or left"}},
        {"--connect tcp://10.0.0.1:7101,tcp://10.0.0.2:7101 nodes --all"}},
       ask_nodes,
       show<print_nodes>},
      {{"list", "", "all children and where they run", 0, 0, list_options, {"list --state failed --wide"}},
       ask_list,
       print_list,
       narrow_list},
      {{"lookup", "ID", "one child with its spec and metadata", 1, 1, {}, {"lookup c-0"}},
       ask_lookup,
       show<print_child>},
      {{"tag", "TAG", "the children with a tag", 1, 1, {}, {"tag tills"}},
       ask_tag,
       [](std::ostream& out, const Json& children, const Command&) { print_children(out, children); }},
      {{"dump", "", "the whole registry as text", 0, 0, {}, {}}, ask_plain, show<print_value>},
      {{"status", "", "the asked node: lock, partition, children, digest, counters", 0, 0, {}, {}},
       ask_plain,
       show<print_status>},
      {{"moves", "", "children on their way to the asked node or from it, with phase and age", 0, 0, {}, {}},
       ask_plain,
       show<print_moves>},
      {{"digest", "", "the digest of the registry, equal on all nodes of a quiet cluster", 0, 0, {}, {}},
       ask_plain,
       show<print_fields>},
      {{"reset-cluster-size",
        "",
        "counts the nodes that are up, and no others, for the quorum from now on",
        0,
        0,
        {kYes},
        {"reset-cluster-size"}},
       ask_plain,
       show<print_nothing>,
       nullptr,
       nullptr,
       "Nodes that are not up now lose their vote. If they still run somewhere, there may be two clusters. "
       "Go on?"},
  };
}

Result<Request> ask_lock(const Command& c) {
  Request request{"lock", {{"reason", c.get("reason", "an operator")}}};
  if (!c.has("level")) return request;
  auto level = parse_number(c.get("level"), "lock: --level", processhub::kMaxPriority);
  if (!level) return level.error();
  request.args["level"] = *level;
  return request;
}

Result<Request> ask_unlock(const Command& c) {
  auto token = parse_number(c.words[0], "unlock: the token", ~std::uint64_t{0});
  if (!token) return token.error();
  return Request{"unlock", {{"token", *token}}};
}

std::vector<Verb> lock_verbs() {
  return {
      {{"lock",
        "",
        "locks the asked node's event queue: starts and stops given to it wait; prints the token for unlock",
        0,
        0,
        {{"reason", "TEXT", "shown to others"},
         {"level", "N", "events below this priority wait (default: 10)"},
         kYes},
        {"lock --reason backup --yes"}},
       ask_lock,
       show<print_fields>,
       nullptr,
       nullptr,
       "What users ask of this node waits, for at most deadlock_recovery_timeout. Go on?"},
      {{"unlock", "TOKEN", "ends a lock of the asked node", 1, 1, {}, {"unlock 7"}},
       ask_unlock,
       show<print_nothing>},
  };
}

std::vector<Verb> operation_verbs() {
  return {
      {{"drain",
        "NODE",
        "moves all children off a node, which takes none from then on and stays a member",
        1,
        1,
        {kYes},
        {"--timeout 5m drain node-b --yes"}},
       nullptr,
       show<print_fields>,
       nullptr,
       run_drain,
       "All children of this node move to others. Go on?"},
      {{"undrain", "NODE", "lets a drained node take children again", 1, 1, {}, {"undrain node-b"}},
       nullptr,
       show<print_nothing>,
       nullptr,
       run_undrain},
      {{"freeze",
        "",
        "holds all redistribution on all nodes: nothing moves, nothing of lost nodes is taken over",
        0,
        0,
        {kYes},
        {"freeze --yes"}},
       ask_plain,
       show<print_nothing>,
       nullptr,
       nullptr,
       "Children of a node that dies do not run again before unfreeze. Go on?"},
      {{"unfreeze", "", "ends freeze", 0, 0, {}, {}}, ask_plain, show<print_nothing>},
      {{"wait",
        "",
        "waits until nothing moves and all nodes agree on everything",
        0,
        0,
        {{"stable", "", "say so"}},
        {"--timeout 60s wait --stable"}},
       nullptr,
       show<print_fields>,
       nullptr,
       run_wait},
  };
}

Verb start_verb() {
  const std::vector<OptionRule> options = {
      {"type", "TYPE", "worker type, as registered by a plugin"},
      {"args", "JSON", "given to the worker's constructor"},
      {"tag", "TAG", "a group for tag and stop --tag"},
      {"count", "N", "start N children PREFIX-0, PREFIX-1 ..."},
      {"restart", "KIND", "permanent (default), transient or temporary"},
      {"executor", "KIND", "pooled (default) or dedicated"},
      {"requires-role", "ROLE", "runs only on nodes with this role"},
      {"nodes", "A,B", "its nodes, where the distribution is guided"},
      {"file", "FILE",
       "one spec per line, as JSON: id, type, args, tag, metadata, restart, executor ...; - is stdin"},
      {"rollback", "", "start none if one fails"},
  };
  return {{"start",
           "[ID|PREFIX]",
           "starts one child, N children, or those of a file",
           0,
           1,
           options,
           {R"(start till --type counter --args '{"start": 5}')", "start shelf --count 8 --type counter",
            "start --file specs.jsonl --rollback"}},
          ask_start,
          show<print_started>};
}

Verb restart_verb() {
  return {{"restart",
           "ID...",
           "lets failed children run again; others start again where they are, without their state",
           1,
           kAnyNumber,
           {{"node", "NAME", "of a child with replicas only the one on this node"}},
           {"restart till"}},
          nullptr,
          show<print_restarted>,
          nullptr,
          run_restart};
}

std::vector<Verb> child_verbs() {
  return {
      start_verb(),
      {{"stop",
        "[ID...]",
        "stops children for good",
        0,
        kAnyNumber,
        {{"prefix", "P", "all whose id begins with P"}, {"tag", "TAG", "all with this tag"}},
        {"stop till shelf-0", "stop --prefix shelf-"}},
       ask_stop,
       show<print_stopped>},
      restart_verb(),
      {{"call",
        "ID MESSAGE [JSON]",
        "sends a message and prints the answer",
        2,
        3,
        {},
        {R"(call till add '{"by": 2}')"}},
       ask_message,
       show<print_value>},
      {{"cast",
        "ID MESSAGE [JSON]",
        "sends a message and waits for no answer",
        2,
        3,
        {},
        {R"(cast till add '{"by": 2}')"}},
       ask_message,
       show<print_nothing>},
      {{"migrate",
        "ID NODE",
        "moves a child to a node; done when it runs there",
        2,
        2,
        {},
        {"migrate till node-b"}},
       ask_migrate,
       show<print_nothing>},
      {{"metadata",
        "ID [KEY=VALUE...]",
        "replaces all metadata of a child, or shows it",
        1,
        kAnyNumber,
        {{"clear", "", "removes all of it"}},
        {"metadata till owner=ops shelf=3"}},
       ask_metadata,
       show<print_fields>},
  };
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = [] {
    auto rows = cluster_verbs();
    for (auto& row : operation_verbs()) rows.push_back(std::move(row));
    for (auto& row : lock_verbs()) rows.push_back(std::move(row));
    for (auto& row : child_verbs()) rows.push_back(std::move(row));
    rows.push_back({{"keygen",
                     "NAME",
                     "writes a new CURVE key pair: NAME.key (keep it secret) and NAME.pub",
                     1,
                     1,
                     {{"dir", "DIR", "where to write; made if it is not there (default: here)"}},
                     {"keygen cluster --dir keys"}},
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
