#include "transport/sim/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/scenario_words.hpp"
#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {

namespace {

/// Longest wait of a command for its answer.
constexpr Duration kAnswerLimit{90'000'000};

}  // namespace

ScenarioText split_scenario(const std::string& file) {
  const auto mark = file.find("\n----\n");
  if (mark == std::string::npos) return {file, {}};
  return {file.substr(0, mark + 1), file.substr(mark + 6)};
}

Scenario::Scenario(CoreFactory make_core) {
  options_.make_core = std::move(make_core);
  options_.config.hub_id = "scenario";
}

Scenario::~Scenario() = default;

const std::vector<Scenario::Command>& Scenario::commands() {
  static const std::vector<Command> table{
      {"seed", &Scenario::do_seed},         {"fault", &Scenario::do_fault},  {"option", &Scenario::do_option},
      {"nodes", &Scenario::do_nodes},       {"node", &Scenario::do_node},    {"run", &Scenario::do_run},
      {"start", &Scenario::do_start},       {"stop", &Scenario::do_stop},    {"call", &Scenario::do_call},
      {"cast", &Scenario::do_cast},         {"lock", &Scenario::do_lock},    {"unlock", &Scenario::do_unlock},
      {"metadata", &Scenario::do_metadata}, {"crash", &Scenario::do_crash},  {"vanish", &Scenario::do_vanish},
      {"restart", &Scenario::do_restart},   {"pause", &Scenario::do_pause},  {"resume", &Scenario::do_resume},
      {"leave", &Scenario::do_leave},       {"cut", &Scenario::do_cut},      {"split", &Scenario::do_split},
      {"heal", &Scenario::do_heal},         {"show", &Scenario::do_show},    {"mark", &Scenario::do_mark},
      {"moved", &Scenario::do_moved},       {"expect", &Scenario::do_expect}};
  return table;
}

std::string Scenario::run(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    try {
      execute(line.substr(0, line.find('#')));
    } catch (const std::exception& error) {
      throw ScenarioError(fmt::format("line {} '{}': {}", number, line, error.what()));
    }
    print_violations();
  }
  return std::exchange(out_, {});
}

void Scenario::execute(const std::string& line) {
  auto words = split_words(line);
  if (words.empty()) return;
  const auto name = words.front();
  words.erase(words.begin());
  for (const auto& command : commands()) {
    if (command.name != name) continue;
    (this->*command.carry_out)(words);
    if (!words.empty()) throw std::invalid_argument(fmt::format("what is '{}'?", words.front()));
    return;
  }
  throw std::invalid_argument("unknown command");
}

SimCluster& Scenario::cluster() {
  if (!cluster_) {
    cluster_ = std::make_unique<SimCluster>(options_);
    safety_ = std::make_unique<SafetyChecks>(*cluster_);
    quiet_ = std::make_unique<QuietChecks>(*cluster_, *safety_);
    cluster_->observe(*this);
  }
  return *cluster_;
}

void Scenario::print(const std::string& line) { out_ += line + "\n"; }

void Scenario::print_violations() {
  if (!cluster_) return;
  const auto& violations = cluster_->violations();
  for (; told_violations_ < violations.size(); ++told_violations_) {
    print(fmt::format("VIOLATION of {}: {}", violations[told_violations_].invariant,
                      violations[told_violations_].what));
  }
}

// -- answers

void Scenario::on_completed(const Operation& op) {
  const auto what = fmt::format("{} {} on {}", to_string(op.kind), shorten(op.ids), op.node.name());
  if (op.error) return print(fmt::format("{}: {}", what, describe(*op.error)));
  switch (op.kind) {
    case OpKind::start:
      return print(fmt::format("{}: {}", what, summary(op.started)));
    case OpKind::stop:
      return print(fmt::format("{}: {}", what, summary(op.stopped)));
    case OpKind::call:
      return print(fmt::format("{}: {}", what, op.answer));
    default:
      return print(fmt::format("{}: ok", what));
  }
}

void Scenario::on_effect(const SimNode& node, const protocol::Effect& effect) {
  if (const auto* run = std::get_if<protocol::effect::RunHook>(&effect))
    hooks_[node.name()].push_back(describe(run->event));
}

void Scenario::finish(const Operation& operation, bool wait) {
  if (wait && !cluster().run_until([&] { return operation.done() || operation.node_lost; }, kAnswerLimit)) {
    print(fmt::format("{} {}: no answer", to_string(operation.kind), shorten(operation.ids)));
  }
}

// -- set-up and time

void Scenario::do_seed(Words& words) { options_.seed = std::stoull(take_word(words)); }

void Scenario::do_fault(Words& words) {
  const auto name = take_word(words);
  auto& faults = cluster_ ? cluster_->faults() : options_.faults;
  if (auto set = faults.set(name, take_word(words)); !set) throw std::invalid_argument(set.error().message);
}

void Scenario::do_option(Words& words) {
  const auto name = take_word(words);
  set_hub_option(options_.config, name, take_word(words));
}

void Scenario::do_nodes(Words& words) {
  const auto names = std::exchange(words, {});
  for (const auto& name : names) cluster().add_node(name, names);
}

void Scenario::do_node(Words& words) {
  const auto name = take_word(words);
  take_keyword(words, "seeds");
  cluster().add_node(name, std::exchange(words, {}));
}

void Scenario::do_run(Words& words) { cluster().run_for(take_duration(words)); }

// -- users

void Scenario::do_start(Words& words) {
  const bool wait = !take_last(words, "&");
  const auto node = take_on(words);
  ChildSpec pattern;
  pattern.type = take_option(words, "type").value_or("counter");
  pattern.tag = take_option(words, "tag").value_or("");
  if (const auto restart = take_option(words, "restart")) pattern.restart = parse_restart(*restart);
  std::vector<ChildSpec> specs;
  for (const auto& id : expand(std::exchange(words, {}))) {
    specs.push_back(pattern);
    specs.back().id = id;
  }
  finish(cluster().start(node, std::move(specs)), wait);
}

void Scenario::do_stop(Words& words) {
  const bool wait = !take_last(words, "&");
  const auto node = take_on(words);
  auto select = protocol::event::Select::ids;
  if (!words.empty() && (words.front() == "prefix" || words.front() == "tag")) {
    select = take_word(words) == "tag" ? protocol::event::Select::tag : protocol::event::Select::prefix;
  }
  finish(cluster().stop(node, select, expand(std::exchange(words, {}))), wait);
}

void Scenario::do_call(Words& words) {
  const bool wait = !take_last(words, "&");
  const auto node = take_on(words);
  const auto id = take_word(words);
  const auto message = take_word(words);
  const auto body = words.empty() ? std::string() : take_word(words);
  finish(cluster().call(node, id, message, body, std::chrono::seconds(5)), wait);
}

void Scenario::do_cast(Words& words) {
  const auto node = take_on(words);
  const auto id = take_word(words);
  const auto message = take_word(words);
  cluster().cast(node, id, message, words.empty() ? std::string() : take_word(words));
}

void Scenario::do_metadata(Words& words) {
  const auto node = take_on(words);
  const auto id = take_word(words);
  Metadata metadata;
  for (const auto& pair : std::exchange(words, {})) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("metadata is key=value");
    metadata[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  finish(cluster().metadata(node, id, std::move(metadata)), true);
}

void Scenario::do_lock(Words& words) {
  const auto node = take_on(words);
  const auto& operation = cluster().lock(node, "scenario");
  finish(operation, true);
  locks_[node] = operation.lock;
}

void Scenario::do_unlock(Words& words) {
  const auto node = take_on(words);
  finish(cluster().unlock(node, locks_[node]), true);
}

}  // namespace processhub::sim
