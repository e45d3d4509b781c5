#include "tests/live/support/process_cluster.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace live {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string fresh_name() {
  static std::atomic<int> number{0};
  return "live-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// One child of a `list` answer runs once, on one of `names`.
bool runs_once(const Json& child, const std::vector<std::string>& names) {
  const auto& instances = child.at("instances");
  return instances.size() == 1 && instances[0].at("state") == "running" &&
         contains(names, instances[0].at("node"));
}

}  // namespace

Json Answer::json() const {
  auto value = Json::parse(out, nullptr, false);
  CHECK_MESSAGE(!value.is_discarded(), "no JSON on stdout: '", out, "', stderr: ", err);
  return value.is_discarded() ? Json() : value;
}

std::string program_path(const std::string& name) { return std::string(PH_BINARY_DIR) + "/" + name; }

TempDir::TempDir() {
  auto pattern = (std::filesystem::temp_directory_path() / "processhub-live-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, const std::string& text) const {
  auto path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

Answer run_program(std::vector<std::string> argv, Millis limit, const std::filesystem::path& network) {
  TempDir directory;
  const auto begin = Clock::now();
  Process process({std::move(argv), directory.path() / "stderr", {}, false, network});
  Answer answer;
  answer.out = process.read_rest(limit);
  const auto left = limit - std::chrono::duration_cast<Millis>(Clock::now() - begin);
  answer.exit = process.wait_exit(std::max(left, Millis(1'000))).value_or(-1);
  answer.took = std::chrono::duration_cast<Millis>(Clock::now() - begin);
  answer.err = read_file(directory.path() / "stderr");
  return answer;
}

Answer run_hubctl(std::vector<std::string> arguments, Millis limit, const std::filesystem::path& network) {
  arguments.insert(arguments.begin(), program_path("hubctl"));
  return run_program(std::move(arguments), limit, network);
}

ProcessCluster::ProcessCluster() : hub_id_(fresh_name()) {}

void ProcessCluster::set_flags(std::vector<std::string> hubd_flags, std::vector<std::string> hubctl_flags) {
  hubd_flags_ = std::move(hubd_flags);
  hubctl_flags_ = std::move(hubctl_flags);
}

Place ProcessCluster::place_of(const std::string& name) const {
  if (places_ != nullptr) return places_->place(name);
  return {{"--listen", "tcp://127.0.0.1:0"}, {}, {}};
}

void ProcessCluster::start(const std::string& name, const std::vector<std::string>& flags) {
  auto place = place_of(name);
  std::vector<std::string> argv = {
      program_path("hubd"), "--name", name, "--hub.id", hub_id_, "--plugin", program_path("libcounter.so")};
  for (const auto& [_, node] : nodes_) argv.insert(argv.end(), {"--seed", node.endpoint});
  argv.insert(argv.end(), place.flags.begin(), place.flags.end());
  argv.insert(argv.end(), hubd_flags_.begin(), hubd_flags_.end());
  argv.insert(argv.end(), flags.begin(), flags.end());
  Process process({std::move(argv), directory_.path() / (name + ".log"), {}, false, place.network});
  if (places_ != nullptr) places_->launched(name, process.pid());
  auto line = process.read_line(std::chrono::seconds(20));
  if (!line) throw std::runtime_error(name + " did not print its address; its log: " + log(name));
  if (place.control.empty()) place.control = *line;
  nodes_.erase(name);
  nodes_.emplace(name, Node{std::move(process), *line, std::move(place)});
}

void ProcessCluster::start(const std::vector<std::string>& names) {
  for (const auto& name : names) start(name);
  REQUIRE_MESSAGE(eventually([&] { return all_see(this->names()); }), "the nodes do not find each other");
}

const std::string& ProcessCluster::control(const std::string& name) const {
  return nodes_.at(name).place.control;
}

void ProcessCluster::kill(const std::string& name) {
  process(name).kill();
  nodes_.erase(name);
}

int ProcessCluster::terminate(const std::string& name) {
  process(name).send_signal(SIGTERM);
  auto code = process(name).wait_exit(std::chrono::seconds(30));
  nodes_.erase(name);
  return code.value_or(-1);
}

void ProcessCluster::pause(const std::string& name) { process(name).send_signal(SIGSTOP); }
void ProcessCluster::resume(const std::string& name) { process(name).send_signal(SIGCONT); }

std::vector<std::string> ProcessCluster::names() const {
  std::vector<std::string> out;
  for (const auto& [name, _] : nodes_) out.push_back(name);
  return out;
}

const std::string& ProcessCluster::endpoint(const std::string& name) const {
  return nodes_.at(name).endpoint;
}
Process& ProcessCluster::process(const std::string& name) { return nodes_.at(name).process; }
std::string ProcessCluster::log(const std::string& name) const {
  return read_file(directory_.path() / (name + ".log"));
}

Answer ProcessCluster::ask(const std::string& node, std::vector<std::string> arguments, Millis limit) const {
  const auto& place = nodes_.at(node).place;
  std::vector<std::string> all = {"--connect", place.control, "--json"};
  all.insert(all.end(), hubctl_flags_.begin(), hubctl_flags_.end());
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_hubctl(std::move(all), limit, place.network);
}

Json ProcessCluster::query(const std::string& node, std::vector<std::string> arguments) const {
  auto answer = ask(node, std::move(arguments));
  return answer.exit == Exit::done ? answer.json() : Json();
}

bool ProcessCluster::all_see(const std::vector<std::string>& names) const {
  for (const auto& [name, _] : nodes_) {
    std::vector<std::string> seen;
    for (const auto& node : query(name, {"nodes"})) {
      if (node.at("state") == "up") seen.push_back(node.at("name"));
    }
    std::sort(seen.begin(), seen.end());
    if (seen != names) return false;
  }
  return true;
}

bool ProcessCluster::each_runs_once(std::size_t count, const std::vector<std::string>& except) const {
  std::vector<std::string> eligible;
  for (const auto& name : names()) {
    if (!contains(except, name)) eligible.push_back(name);
  }
  return std::all_of(eligible.begin(), eligible.end(), [&](const std::string& name) {
    auto list = query(name, {"list"});
    return list.is_array() && list.size() == count &&
           std::all_of(list.begin(), list.end(),
                       [&](const Json& child) { return runs_once(child, eligible); });
  });
}

bool ProcessCluster::digests_agree() const {
  std::vector<Json> digests;
  for (const auto& name : names()) {
    auto status = query(name, {"status"});
    digests.push_back(status.is_object() ? status.at("digest") : Json());
  }
  return !digests.empty() && !digests[0].is_null() &&
         std::all_of(digests.begin(), digests.end(), [&](const Json& d) { return d == digests[0]; });
}

std::map<std::string, std::size_t> ProcessCluster::placement(const std::string& node) const {
  std::map<std::string, std::size_t> out;
  for (const auto& child : query(node, {"list"})) {
    for (const auto& instance : child.at("instances")) ++out[instance.at("node")];
  }
  return out;
}

}  // namespace live
