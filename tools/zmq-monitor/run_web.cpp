#include "tools/zmq-monitor/run_web.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tools/zmq-monitor/asking.hpp"
#include "tools/zmq-monitor/cluster_watch.hpp"
#include "tools/zmq-monitor/end_signals.hpp"
#include "tools/zmq-monitor/web_server.hpp"

namespace processhub::monitor {

namespace {

constexpr std::size_t kMostChildren = 200;  // of one answer

std::string part_of(const WebServer::Query& query, const std::string& name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

/// The children whose id contains the text, as far as they are shown; of one node, or all.
Result<Json> find_children(const LookOptions& options, const WebServer::Query& query) {
  auto endpoints = options.endpoints;
  Question question{"list", {{"contains", part_of(query, "q")}, {"limit", kMostChildren}}};
  if (const auto node = part_of(query, "node"); !node.empty()) {
    auto endpoint = hubctl::endpoint_of(options, node);
    if (!endpoint) return endpoint.error();
    endpoints = {*endpoint};
    question.args["local"] = true;
  }
  return hubctl::ask_one(endpoints, question, options.patience, options.client);
}

Result<Json> answer(const LookOptions& options, const std::string& what, const WebServer::Query& query) {
  if (what == "children") return find_children(options, query);
  if (what == "explain") return explain(options, part_of(query, "id"));
  return {ErrorCode::invalid, "there is nothing of this name"};
}

/// Not from the command line, which every user of the machine can read.
Result<std::string> token_of(const hubctl::Command& command) {
  std::string token;
  if (command.has("token-file")) {
    std::ifstream file(command.get("token-file"));
    if (!std::getline(file, token) || token.empty())
      return {ErrorCode::invalid, "--token-file: " + command.get("token-file") + " has no token"};
  } else if (const char* given = std::getenv("ZMQ_MONITOR_TOKEN"); given != nullptr) {
    token = given;
  }
  return token;
}

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string address_of(const ListenAddress& listen, std::uint16_t port) {
  const bool six = listen.host.find(':') != std::string::npos;
  return "http://" + (six ? "[" + listen.host + "]" : listen.host) + ":" + std::to_string(port) + "/";
}

}  // namespace

hubctl::VerbRule web_rule() {
  return {"web",
          "",
          "the same in a browser, until it is told to end",
          0,
          0,
          {{"listen", "HOST:PORT", "where (default 127.0.0.1:8080); what others reach needs a token"},
           {"token-file", "FILE", "its first line is the token (or ZMQ_MONITOR_TOKEN has it)"},
           {"name", "NAMES", "by which the page may be called besides addresses, with commas between"}},
          {"web --listen 127.0.0.1:8080"}};
}

Result<void> run_web(const hubctl::Command& command, const LookOptions& options) {
  WebOptions web;
  auto listen = parse_listen(command.get("listen", "127.0.0.1:8080"));
  if (!listen) return listen.error();
  auto token = token_of(command);
  if (!token) return token.error();
  web.listen = *listen;
  web.token = *token;
  web.names = names_of(command.get("name"));
  const EndSignals ends;  // before any thread begins
  WebFeed feed(kWebStreams);
  const ClusterWatch watch(options, feed);
  auto server = WebServer::start(web, feed, [&](const std::string& what, const WebServer::Query& query) {
    return answer(options, what, query);
  });
  if (!server) return server.error();
  std::cout << "zmq-monitor: " << address_of(*listen, (*server)->port()) << std::endl;
  ends.wait();
  return {};
}

}  // namespace processhub::monitor
