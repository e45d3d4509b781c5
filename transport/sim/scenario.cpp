#include "transport/sim/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.hpp"
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
  inner_core_ = make_core ? std::move(make_core) : hub_core_factory();
  options_.make_core = [this](const auto& identity, const auto& config) {
    auto own = identity;
    own.types = types_[config.name];
    return inner_core_(own, config);
  };
  options_.config.hub_id = "scenario";
}

Scenario::~Scenario() = default;

template <int kOperation>
void Scenario::do_operate(Words& words) {
  finish(cluster().operate(take_on(words), static_cast<protocol::event::Operation>(kOperation)), true);
}

const std::vector<Scenario::Command>& Scenario::commands() {
  static const std::vector<Command> table{{"seed", &Scenario::do_seed},
                                          {"fault", &Scenario::do_fault},
                                          {"option", &Scenario::do_option},
                                          {"static", &Scenario::do_static},
                                          {"types", &Scenario::do_types},
                                          {"nodes", &Scenario::do_nodes},
                                          {"node", &Scenario::do_node},
                                          {"client", &Scenario::do_client},
                                          {"run", &Scenario::do_run},
                                          {"start", &Scenario::do_start},
                                          {"stop", &Scenario::do_stop},
                                          {"call", &Scenario::do_call},
                                          {"cast", &Scenario::do_cast},
                                          {"broadcast", &Scenario::do_broadcast},
                                          {"dispatch", &Scenario::do_dispatch},
                                          {"publish", &Scenario::do_publish},
                                          {"subscribe", &Scenario::do_subscribe},
                                          {"lock", &Scenario::do_lock},
                                          {"unlock", &Scenario::do_unlock},
                                          {"freeze", &Scenario::do_operate<0>},
                                          {"unfreeze", &Scenario::do_operate<1>},
                                          {"drain", &Scenario::do_operate<2>},
                                          {"undrain", &Scenario::do_operate<3>},
                                          {"metadata", &Scenario::do_metadata},
                                          {"migrate", &Scenario::do_migrate},
                                          {"crash", &Scenario::do_crash},
                                          {"vanish", &Scenario::do_vanish},
                                          {"restart", &Scenario::do_restart},
                                          {"pause", &Scenario::do_pause},
                                          {"resume", &Scenario::do_resume},
                                          {"load", &Scenario::do_load},
                                          {"leave", &Scenario::do_leave},
                                          {"cut", &Scenario::do_cut},
                                          {"split", &Scenario::do_split},
                                          {"heal", &Scenario::do_heal},
                                          {"reset", &Scenario::do_reset},
                                          {"clog", &Scenario::do_clog},
                                          {"show", &Scenario::do_show},
                                          {"mark", &Scenario::do_mark},
                                          {"moved", &Scenario::do_moved},
                                          {"expect", &Scenario::do_expect}};
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
  if (const auto* run = std::get_if<protocol::effect::RunHook>(&effect)) {
    hooks_[node.name()].push_back(describe(run->event));
    hooks_seen_.emplace(hook_name(run->event));
  }
  if (const auto* heard = std::get_if<protocol::effect::UserEvent>(&effect)) {
    print(fmt::format("{} heard {} of {}{}", node.name(), heard->name, heard->from.str(),
                      heard->body.empty() ? "" : ": " + heard->body));
  }
  if (const auto* told = std::get_if<protocol::effect::TopicDelivery>(&effect)) {
    const auto& m = *told->message;
    print(fmt::format("{} got {} {} of {}: {}{}", node.name(), m.topic, m.number, m.publisher.str(), m.body,
                      m.missed == 0 ? "" : fmt::format(" ({} missed)", m.missed)));
  }
}

void Scenario::on_life(const SimNode& node) {
  if (node.life() == NodeLife::terminated)
    print(fmt::format("{} ended by itself: {}", node.id().str(), node.why_terminated()));
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

void Scenario::do_static(Words& words) {
  if (take_last(words, "none")) return options_.config.static_children.clear();
  const auto type = take_option(words, "type").value_or("counter");
  for (const auto& id : expand(std::exchange(words, {}))) {
    auto& spec = options_.config.static_children.emplace_back();
    spec.id = id;
    spec.type = type;
  }
}

void Scenario::do_types(Words& words) {
  next_types_.reset();
  if (take_last(words, "all")) return;
  next_types_.emplace();
  for (const auto& name : std::exchange(words, {})) next_types_->push_back(hash64(name));
  std::sort(next_types_->begin(), next_types_->end());
}

void Scenario::do_nodes(Words& words) {
  const auto names = std::exchange(words, {});
  for (const auto& name : names) boot(name, names, name, name, 0);
}

void Scenario::do_node(Words& words) {
  const auto node = take_word(words);
  const auto host = take_option(words, "host").value_or(node);
  const auto name = take_option(words, "name").value_or(node);
  const auto life = take_option(words, "life");
  take_keyword(words, "seeds");
  boot(node, std::exchange(words, {}), host, name, life ? std::stoull(*life) : 0);
}

void Scenario::do_client(Words& words) {
  const auto name = take_word(words);
  take_keyword(words, "knows");
  cluster().add_client(name, std::exchange(words, {}));
}

/// With the options as they are now; the cluster keeps those of its first node.
void Scenario::boot(const std::string& node, const std::vector<std::string>& seeds, const std::string& host,
                    const std::string& name, std::uint64_t life) {
  types_[name] = next_types_;
  cluster().add_node(
      node, seeds, host,
      [&](HubConfig& config) {
        const auto addresses = std::exchange(config.seeds, {});
        config = options_.config;
        config.seeds = addresses;
        config.name = name;
      },
      life);
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
  pattern.requires_role = take_option(words, "role").value_or("");
  if (const auto nodes = take_option(words, "nodes")) pattern.nodes = split_at_commas(*nodes);
  if (const auto most = take_option(words, "max_restarts"))
    pattern.max_restarts = static_cast<std::uint32_t>(std::stoul(*most));
  StartOptions options;
  options.timeout = take_timeout(words, options.timeout);
  if (take_last(words, "rollback")) options.on_failure = OnFailure::rollback;
  std::vector<ChildSpec> specs;
  for (const auto& id : expand(std::exchange(words, {}))) {
    specs.push_back(pattern);
    const auto colon = id.find(':');
    specs.back().id = id.substr(0, colon);
    if (colon != std::string::npos) specs.back().type = id.substr(colon + 1);
  }
  finish(cluster().start(node, std::move(specs), options), wait);
}

void Scenario::do_stop(Words& words) {
  const bool wait = !take_last(words, "&");
  const auto node = take_on(words);
  StopOptions options;
  options.timeout = take_timeout(words, options.timeout);
  auto select = protocol::event::Select::ids;
  if (!words.empty() && (words.front() == "prefix" || words.front() == "tag")) {
    select = take_word(words) == "tag" ? protocol::event::Select::tag : protocol::event::Select::prefix;
  }
  finish(cluster().stop(node, select, expand(std::exchange(words, {})), options), wait);
}

void Scenario::do_call(Words& words) {
  const bool wait = !take_last(words, "&");
  const auto node = take_on(words);
  const auto timeout = take_timeout(words, std::chrono::seconds(5));
  const bool retry = take_last(words, "retry");
  const auto id = take_word(words);
  const auto message = take_word(words);
  const auto body = words.empty() ? std::string() : take_word(words);
  finish(cluster().call(node, id, message, body, timeout, retry), wait);
}

void Scenario::do_cast(Words& words) {
  const auto node = take_on(words);
  const auto id = take_word(words);
  const auto message = take_word(words);
  cluster().cast(node, id, message, words.empty() ? std::string() : take_word(words));
}

void Scenario::do_broadcast(Words& words) {
  const auto node = take_on(words);
  const auto tag = take_word(words);
  const auto message = take_word(words);
  cluster().broadcast(node, tag, message, words.empty() ? std::string() : take_word(words));
}

void Scenario::do_dispatch(Words& words) {
  auto scope = Scope::local;
  if (take_last(words, "all")) {
    if (!take_last(words, "to")) throw std::invalid_argument("write 'on NODE to all'");
    scope = Scope::global;
  }
  const auto node = take_on(words);
  const auto name = take_word(words);
  cluster().dispatch(node, name, words.empty() ? std::string() : take_word(words), scope);
}

/// publish TOPIC BODY on NODE [reliable]
void Scenario::do_publish(Words& words) {
  const bool reliable = take_last(words, "reliable");
  const auto node = take_on(words);
  const auto topic = take_word(words);
  cluster().node(node).submit(protocol::event::PublishTopic{
      topic, "text", words.empty() ? std::string() : take_word(words), reliable});
}

/// subscribe PATTERN on NODE
void Scenario::do_subscribe(Words& words) {
  const auto node = take_on(words);
  cluster().node(node).submit(
      protocol::event::SubscribeTopic{protocol::SubscriberKind::program, 1, take_word(words)});
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

void Scenario::do_migrate(Words& words) {
  const auto node = take_on(words);
  const auto id = take_word(words);
  if (take_word(words) != "to") throw std::invalid_argument("migrate ID to NODE on NODE");
  finish(cluster().migrate(node, id, take_word(words)), true);
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
