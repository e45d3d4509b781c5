#include "tools/zmq-monitor/node_lines.hpp"

#include <thread>
#include <utility>

namespace processhub::monitor {

std::string life_of(const hubctl::NodeLook& node) {
  return node.name + "/" + std::to_string(node.incarnation);
}

/// Over a connection that stands, else at the given addresses.
std::optional<hubctl::Json> NodeLines::ask_members() {
  const hubctl::Question question{"nodes", {{"all", true}}};
  for (auto& [life, client] : clients_) {
    if (!client) continue;
    if (auto nodes = hubctl::ask(*client, question, options_.patience)) return std::move(*nodes);
    client.reset();
  }
  for (const auto& endpoint : options_.endpoints) {
    auto nodes = hubctl::ask_one({endpoint}, question, options_.patience, options_.client);
    if (nodes) return std::move(*nodes);
  }
  return std::nullopt;
}

std::optional<NodeLines::Nodes> NodeLines::members() {
  const auto answer = ask_members();
  if (!answer) return std::nullopt;
  auto nodes = hubctl::members_of(*answer);
  auto before = std::exchange(clients_, {});
  for (const auto& node : nodes)
    if (node.error.empty()) clients_[life_of(node)] = std::move(before[life_of(node)]);
  return nodes;
}

bool NodeLines::refresh(Nodes& nodes) {
  constexpr std::chrono::milliseconds kAgain{1'000};
  const auto now = std::chrono::steady_clock::now();
  if (!nodes.empty() && now - refreshed_ <= kAgain) return true;
  auto fresh = members();
  if (!fresh) return false;
  nodes = std::move(*fresh);
  refreshed_ = now;
  return true;
}

void NodeLines::each(Nodes& nodes, const std::function<void(hubctl::NodeLook&, hubctl::AdminClient&)>& talk) {
  const auto talk_to = [&](hubctl::NodeLook& node, std::optional<hubctl::AdminClient>& client) {
    if (!client) {
      auto connected = hubctl::AdminClient::connect({node.endpoint}, options_.patience, options_.client);
      if (!connected) {
        node.error = connected.error().message;
        return;
      }
      client.emplace(std::move(*connected));
    }
    talk(node, *client);
    if (!node.error.empty()) client.reset();
  };
  std::vector<std::jthread> threads;
  for (auto& node : nodes) {
    if (!node.error.empty()) continue;
    threads.emplace_back([&talk_to, &node, &client = clients_[life_of(node)]] { talk_to(node, client); });
  }
}

void NodeLines::close() {
  for (auto& [life, client] : clients_)
    if (client) client->close();
  clients_.clear();
}

}  // namespace processhub::monitor
