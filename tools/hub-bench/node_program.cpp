#include "tools/hub-bench/node_program.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>

#include "tools/hub-bench/bench_worker.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::chrono::minutes kRequestLimit{2};

template <class T>
T checked(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().message);
  return std::move(*result);
}

/// Bytes of memory that no file and no other process stands behind.
std::uint64_t anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::stoull(line.substr(8)) * 1024;
  }
  throw std::runtime_error("/proc/self/status has no RssAnon");
}

}  // namespace

NodeProgram::NodeProgram(std::uint32_t slot, int board_descriptor)
    : slot_(slot), board_(SharedBoard::open(board_descriptor)) {
  use_board(*board_, slot_);
}

int NodeProgram::run() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto text = answer(line).dump();
    std::fprintf(stdout, "%s\n", text.c_str());
    std::fflush(stdout);
  }
  return 0;
}

NodeProgram::Command NodeProgram::find(const std::string& name) {
  static const std::map<std::string, Command> commands{
      {"hub", &NodeProgram::hub},
      {"wait_nodes", &NodeProgram::wait_nodes},
      {"watch", &NodeProgram::watch},
      {"start", &NodeProgram::start},
      {"start_busy", &NodeProgram::start_busy},
      {"stop", &NodeProgram::stop},
      {"count_instances", &NodeProgram::count_instances},
      {"memory", &NodeProgram::memory},
      {"find_on", &NodeProgram::find_on},
      {"lookups", &NodeProgram::lookups},
      {"blocking_calls", &NodeProgram::blocking_calls},
      {"pipelined_calls", &NodeProgram::pipelined_calls},
      {"casts", &NodeProgram::casts},
      {"worker_casts", &NodeProgram::worker_casts},
      {"ping_pong", &NodeProgram::ping_pong},
      {"raw_server", &NodeProgram::raw_server},
      {"raw_client", &NodeProgram::raw_client},
  };
  const auto at = commands.find(name);
  if (at == commands.end()) throw std::runtime_error("unknown command " + name);
  return at->second;
}

Json NodeProgram::answer(const std::string& line) {
  try {
    const auto command = Json::parse(line);
    return (this->*find(command.at("do")))(command);
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  }
}

/// {hub_id, name, seeds, weight}: starts the node's hub. With "watch" the registry is watched from the start.
Json NodeProgram::hub(const Json& command) {
  HubConfig config;
  config.hub_id = command.at("hub_id");
  config.name = command.at("name");
  config.listen = "tcp://127.0.0.1:0";
  config.seeds = command.at("seeds").get<std::vector<std::string>>();
  config.weight = command.value("weight", 1.0);
  config.log_level = "error";
  const auto since = now_ns();
  hub_.emplace(checked(Hub::start(config, bench_types()), "Hub::start"));
  if (command.contains("watch")) watch(command.at("watch"));
  return {{"endpoint", hub_->endpoint()}, {"since", since}};
}

Json NodeProgram::wait_nodes(const Json& command) {
  const std::size_t count = command.at("count");
  if (!hub_->wait_joined(std::chrono::seconds(30))) throw std::runtime_error("did not join within 30 s");
  const auto deadline = now_ns() + 30'000'000'000LL;
  const auto all_up = [&] {
    const auto nodes = hub_->nodes();
    return nodes.size() == count && std::all_of(nodes.begin(), nodes.end(),
                                                [](const auto& node) { return node.state == NodeState::up; });
  };
  while (!all_up()) {
    if (now_ns() > deadline) throw std::runtime_error("does not see all nodes up within 30 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Json::object();
}

/// {number, count, avoid}
Json NodeProgram::watch(const Json& command) {
  watcher_.reset();
  watcher_ = std::make_unique<Watcher>(
      *hub_, own_slot(),
      Watcher::Task{command.at("number"), command.at("count"), command.value("avoid", "")});
  return Json::object();
}

Json NodeProgram::started(const Future<StartResult>& future, std::int64_t since) const {
  // Looked at in place: a copy of 100,000 answers would be measured as memory of the children.
  std::int64_t answered = 0;
  std::promise<std::string> problem;
  future.then([&](const Result<StartResult>& result) {
    answered = now_ns();
    problem.set_value(!result ? result.error().message : !*result ? result->errors().front().message : "");
  });
  if (const auto text = problem.get_future().get(); !text.empty())
    throw std::runtime_error("start_children: " + text);
  return {{"since", since}, {"answered", answered}};
}

/// {count}: starts idle children in one call.
Json NodeProgram::start(const Json& command) {
  std::vector<ChildSpec> specs;
  for (auto& id : child_ids(command.at("count"))) {
    specs.push_back({});
    specs.back().id = std::move(id);
    specs.back().type = "idle";
  }
  StartOptions options;
  options.timeout = kRequestLimit;
  const auto since = now_ns();
  return started(hub_->start_children(std::move(specs), options), since);
}

/// {count}: starts workers that answer and count, "w-0" …
Json NodeProgram::start_busy(const Json& command) {
  std::vector<ChildSpec> specs(command.at("count").get<std::size_t>());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    specs[i].id = "w-" + std::to_string(i);
    specs[i].type = "busy";
  }
  return started(hub_->start_children(std::move(specs)), now_ns());
}

/// {count}: stops as many children in one call.
Json NodeProgram::stop(const Json& command) {
  StopOptions options;
  options.timeout = kRequestLimit;
  auto ids = child_ids(command.at("count"));
  const auto since = now_ns();
  const auto result = checked(hub_->stop_children(std::move(ids), options).get(), "stop_children");
  const auto answered = now_ns();
  if (!result) throw std::runtime_error("stop_children: " + result.errors().front().message);
  return {{"since", since}, {"answered", answered}};
}

/// How many children this registry shows running once, and more than once.
Json NodeProgram::count_instances(const Json&) {
  std::uint64_t once = 0;
  std::uint64_t several = 0;
  for (const auto& child : hub_->list()) {
    std::uint64_t running = 0;
    for (const auto& instance : child.instances)
      running += instance.state == InstanceState::running ? 1U : 0U;
    once += running == 1 ? 1U : 0U;
    several += running > 1 ? 1U : 0U;
  }
  return {{"once", once}, {"several", several}};
}

Json NodeProgram::memory(const Json&) {
  const auto stats = hub_->status().stats;
  return {{"bytes", anonymous_memory()}, {"lag_max_us", stats.loop_lag_max.count()}};
}

/// {node}: the ids of the busy workers there.
Json NodeProgram::find_on(const Json& command) {
  const std::string node = command.at("node");
  auto ids = Json::array();
  for (const auto& child : hub_->list()) {
    const auto* active = child.active();
    if (child.spec.type == "busy" && active != nullptr && active->ref.node.name() == node)
      ids.push_back(child.spec.id);
  }
  return {{"ids", ids}};
}

}  // namespace processhub::hub_bench
