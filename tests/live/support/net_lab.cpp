#include "tests/live/support/net_lab.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>

#include <fmt/format.h>

namespace live {
namespace {

const std::string kPrefix = "phlive-";
const std::filesystem::path kNamespaces = "/run/netns";
const std::string kNobody = "02:00:00:00:ff:ff";  // a hardware address without an owner

std::string ip_program() {
  for (const auto* path : {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"})
    if (::access(path, X_OK) == 0) return path;
  return {};
}

/// The process that made a namespace of this name; 0 if no laboratory did.
pid_t maker_of(const std::string& network) {
  if (network.rfind(kPrefix, 0) != 0) return 0;
  return static_cast<pid_t>(std::atoi(network.c_str() + kPrefix.size()));
}

Names networks_of(bool (*wanted)(pid_t)) {
  Names out;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(kNamespaces, none)) {
    const auto name = entry.path().filename().string();
    if (const auto maker = maker_of(name); maker != 0 && wanted(maker)) out.push_back(name);
  }
  return out;
}

bool is_dead(pid_t process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

void remove_network(const std::string& name) { run_program({ip_program(), "netns", "del", name}); }

}  // namespace

Names NetLab::existing() {
  return networks_of([](pid_t maker) { return maker == ::getpid(); });
}

NetLab::NetLab(const Names& nodes) {
  static std::atomic<int> number{0};
  prefix_ = kPrefix + std::to_string(::getpid()) + "-" + std::to_string(number++) + "-";
  if (::geteuid() != 0) {
    why_not_ = "network namespaces need root";
  } else if (ip_program().empty()) {
    why_not_ = "there is no program `ip` (package iproute2)";
  } else {
    for (const auto& left : networks_of(is_dead)) remove_network(left);
    build(nodes);
  }
  cluster_ = std::make_unique<ProcessCluster>();
  cluster_->set_places(*this);
}

NetLab::~NetLab() {
  cluster_.reset();
  for (const auto& name : existing())
    if (name.rfind(prefix_, 0) == 0) remove_network(name);
}

/// Runs `ip` commands, one a line, in a namespace ("": that of the test); keeps the first complaint.
bool NetLab::batch(const std::string& network, const std::string& commands) {
  const TempDir directory;
  std::vector<std::string> argv{ip_program()};
  if (!network.empty()) argv.insert(argv.end(), {"-n", network});
  argv.insert(argv.end(), {"-batch", directory.write("commands", commands)});
  const auto answer = run_program(argv);
  if (answer.exit != 0 && why_not_.empty()) why_not_ = "ip says: " + answer.err;
  return answer.exit == 0;
}

bool NetLab::build(const Names& nodes) {
  const auto bridge = prefix_ + "bridge";
  auto add = "netns add " + bridge + "\n";
  auto link = std::string("link add bridge0 type bridge\nlink set bridge0 up\n");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto number = std::to_string(i + 1);
    const auto& h = hosts_[nodes[i]] = {prefix_ + nodes[i], "10.77.0." + number, "02:00:00:00:00:0" + number};
    add += "netns add " + h.network + "\n";
    link += fmt::format(
        "link add port{0} type veth peer name eth0 address {1} netns {2}\nlink set port{0} master bridge0 "
        "up\n",
        number, h.mac, h.network);
  }
  if (!batch("", add) || !batch(bridge, link)) return false;
  for (const auto& node : nodes)
    if (!batch(host(node).network, "link set lo up\n" + wire_up(node))) return false;
  return true;
}

/// Hardware addresses are told by hand: a packet goes where we want, and nothing depends on ARP.
std::string NetLab::wire_up(const std::string& node) const {
  auto out = "link set eth0 up\naddr replace " + host(node).ip + "/24 dev eth0\n";
  for (const auto& [other, h] : hosts_)
    if (other != node) out += "neigh replace " + h.ip + " lladdr " + h.mac + " dev eth0 nud permanent\n";
  return out;
}

bool NetLab::neighbour(const Host& at, const Host& of, const std::string& mac) {
  return batch(at.network, "neigh replace " + of.ip + " lladdr " + mac + " dev eth0 nud permanent\n");
}

void NetLab::cut(const std::string& from, const std::string& to) {
  REQUIRE(neighbour(host(from), host(to), kNobody));
}

void NetLab::heal(const std::string& from, const std::string& to) {
  REQUIRE(neighbour(host(from), host(to), host(to).mac));
}

void NetLab::plug(const std::string& node, bool in) {
  REQUIRE(batch(host(node).network, in ? wire_up(node) : "link set eth0 down\n"));
}

Place NetLab::place(const std::string& node) {
  const auto router = "tcp://" + host(node).ip + ":7001";
  return {{"--listen", router, "--insecure", "true"}, router, kNamespaces / host(node).network};
}

}  // namespace live
