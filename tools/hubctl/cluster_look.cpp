#include "tools/hubctl/cluster_look.hpp"

#include <algorithm>
#include <map>
#include <thread>

namespace processhub::hubctl {

namespace {

using Clock = std::chrono::steady_clock;

Error error_of(const Json& answer) {
  return {ErrorCode::unknown, answer.is_object() ? answer.value("error", "refused") : "refused"};
}

/// Who it is, how far away, and what its clock says.
Result<void> introduce(AdminClient& client, NodeLook& node, const LookOptions& options) {
  const auto before = Clock::now();
  const auto wall = wall_us();
  auto status = ask(client, {"status"}, options.patience);
  if (!status) return status.error();
  node.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - before);
  node.clock_us = wall + node.round_trip.count() / 2;
  node.name = status->value("node", node.name);
  node.incarnation = status->value("incarnation", node.incarnation);
  return {};
}

void ask_node(NodeLook& node, const LookOptions& options, const std::vector<Question>& questions) {
  auto client = AdminClient::connect({node.endpoint}, options.patience, options.client);
  if (!client) {
    node.error = client.error().message;
    return;
  }
  ask_node(*client, node, options, questions);
  client->close();
}

bool is_gone(const std::string& state) { return state == "down" || state == "left"; }

void ask_all(std::vector<NodeLook>& nodes, const LookOptions& options,
             const std::vector<Question>& questions) {
  std::vector<std::jthread> threads;
  for (auto& node : nodes) {
    if (!node.error.empty() || node.endpoint.empty() || !node.answers.empty()) continue;
    threads.emplace_back([&] { ask_node(node, options, questions); });
  }
}

/// The members, as the first address that answers knows them. The first is asked alone, the others together
/// if it is silent: many dead ones take no longer than one. `silent`: what became of those that did not
/// answer.
Result<Json> who_is_there(const LookOptions& options, std::map<std::string, std::string>& silent) {
  const auto ask_at = [&](const std::string& endpoint) {
    return ask_one({endpoint}, {"nodes", {{"all", true}}}, options.patience, options.client);
  };
  const auto& endpoints = options.endpoints;
  std::vector<Result<Json>> told;
  told.push_back(ask_at(endpoints[0]));
  if (!told[0]) {
    told.resize(endpoints.size(), Error{});
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < endpoints.size(); ++i)
      threads.emplace_back([&, i] { told[i] = ask_at(endpoints[i]); });
  }
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i]) return told[i];
    silent[endpoints[i]] = told[i].error().message;
  }
  return told[0].error();
}

/// A member may be reached from here at another address than the one its peers use: a given one goes first.
void take_members_out(ClusterLook& look) {
  std::erase_if(look.others, [&](NodeLook& other) {
    if (!other.answered()) return false;
    for (auto& node : look.nodes) {
      if (node.name != other.name || node.incarnation != other.incarnation) continue;
      other.state = node.state;
      node = std::move(other);
      return true;
    }
    return false;
  });
}

}  // namespace

std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

const Json& NodeLook::answer(std::size_t index) const {
  static const Json kNone = Json::object();
  return index < answers.size() && !answers[index].is_null() ? answers[index] : kNone;
}

Result<Json> ask(AdminClient& client, const Question& question, std::chrono::milliseconds patience) {
  auto reply = client.request(question.verb, to_msgpack(question.args), patience);
  if (!reply) return reply.error();
  auto answer = from_msgpack(reply->body);
  if (!answer) return answer.error();
  if (reply->code != 0) {
    auto error = error_of(*answer);
    error.code = static_cast<ErrorCode>(reply->code);
    return error;
  }
  return answer;
}

void ask_node(AdminClient& client, NodeLook& node, const LookOptions& options,
              const std::vector<Question>& questions) {
  if (auto known = introduce(client, node, options); !known) {
    node.error = "connected, but " + known.error().message;
    return;
  }
  for (const auto& question : questions) {
    auto answer = ask(client, question, options.patience);
    if (!answer && answer.error().code == ErrorCode::timeout) {
      node.error = "connected, but it does not answer";
      return;
    }
    node.answers.push_back(answer ? std::move(*answer) : Json());
  }
}

std::vector<NodeLook> members_of(const Json& nodes) {
  std::vector<NodeLook> out;
  for (const auto& node : nodes) {
    NodeLook look;
    look.name = node.value("name", "");
    look.endpoint = node.value("endpoint", "");
    look.incarnation = node.value("incarnation", std::uint64_t{0});
    look.state = node.value("state", "");
    if (is_gone(look.state)) look.error = "is " + look.state;
    out.push_back(std::move(look));
  }
  std::sort(out.begin(), out.end(), [](const NodeLook& a, const NodeLook& b) {
    return a.name != b.name ? a.name < b.name : a.incarnation < b.incarnation;
  });
  return out;
}

Result<Json> ask_one(const std::vector<std::string>& endpoints, const Question& question,
                     std::chrono::milliseconds patience, const ClientOptions& client) {
  auto connected = AdminClient::connect(endpoints, patience, client);
  if (!connected) return connected.error();
  auto answer = ask(*connected, question, patience);
  connected->close();
  return answer;
}

Result<std::string> endpoint_of(const LookOptions& options, const std::string& node) {
  auto nodes = ask_one(options.endpoints, {"nodes"}, options.patience, options.client);
  if (!nodes) return nodes.error();
  std::string known;
  for (const auto& member : members_of(*nodes)) {
    if (member.name == node) return member.endpoint;
    known += (known.empty() ? "" : ", ") + member.name;
  }
  return {ErrorCode::invalid, "there is no node '" + node + "'; there are: " + known};
}

Result<ClusterLook> look_at(const LookOptions& options, const std::vector<Question>& questions) {
  if (options.endpoints.empty()) return {ErrorCode::invalid, "no address is given"};
  ClusterLook look;
  std::map<std::string, std::string> silent;
  auto nodes = who_is_there(options, silent);
  if (!nodes) return nodes.error();
  look.nodes = members_of(*nodes);
  for (const auto& endpoint : options.endpoints) {
    const bool member = std::any_of(look.nodes.begin(), look.nodes.end(),
                                    [&](const NodeLook& n) { return n.endpoint == endpoint; });
    if (member) continue;
    NodeLook other;
    other.name = other.endpoint = endpoint;
    look.others.push_back(std::move(other));
  }
  for (auto* all : {&look.others, &look.nodes}) {  // those that were silent a moment ago hold up nobody twice
    for (auto& node : *all)
      if (const auto known = silent.find(node.endpoint); known != silent.end() && node.error.empty())
        node.error = known->second;
  }
  ask_all(look.others, options, questions);
  take_members_out(look);
  ask_all(look.nodes, options, questions);
  return look;
}

}  // namespace processhub::hubctl
