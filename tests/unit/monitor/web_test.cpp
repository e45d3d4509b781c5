// The page of zmq-monitor over HTTP: who may read it, what streams get, and what it makes of two looks.
#include "tools/zmq-monitor/web_server.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/support/http_client.hpp"
#include "tools/zmq-monitor/live_view.hpp"
#include "tools/zmq-monitor/message_tail.hpp"

namespace web_test {

using namespace processhub;
using namespace processhub::monitor;
using http_client::body_of;
using http_client::Exchange;
using http_client::get;
using http_client::status_of;

namespace {

constexpr auto kSoon = std::chrono::milliseconds(20'000);
const std::string kToken = "0123456789abcdef-token";

Result<nlohmann::json> answer(const std::string& what, const WebServer::Query& query) {
  if (what != "children") return {ErrorCode::invalid, "nothing"};
  return nlohmann::json{{"asked", query}};
}

std::unique_ptr<WebServer> serve(WebFeed& feed, const std::string& token = {}) {
  WebOptions options;
  options.listen.host = "127.0.0.1";
  options.token = token;
  options.names = {"monitor.example"};
  auto server = WebServer::start(options, feed, answer);
  REQUIRE(server.ok());
  return std::move(*server);
}

std::string header_of(const std::string& answer, const std::string& name) {
  const auto at = answer.find(name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 2;
  return answer.substr(begin, answer.find("\r\n", begin) - begin);
}

}  // namespace

TEST_CASE("web: addresses, names and secrets") {
  CHECK(parse_listen("127.0.0.1:8080")->port == 8080);
  CHECK(parse_listen("[::1]:0")->host == "::1");
  for (const char* bad : {"", "8080", ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "[::1:80"})
    CHECK_FALSE(parse_listen(bad).ok());
  for (const char* own : {"127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"}) CHECK(is_loopback(own));
  for (const char* open :
       {"0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.1.example.com", "localhost.evil"})
    CHECK_FALSE(is_loopback(open));
  const std::vector<std::string> names = {"Monitor.Example"};
  for (const char* fine : {"127.0.0.1:8080", "10.0.0.7", "[::1]:80", "localhost:1", "monitor.example:8080"})
    CHECK(host_allowed(fine, names));
  for (const char* bad :
       {"", "evil.example", "127.0.0.1.evil.example:8080", "localhost.evil", "[::1", "a@127.0.0.1"})
    CHECK_FALSE(host_allowed(bad, names));
  CHECK(same_secret("abcdef", "abcdef"));
  for (const char* bad : {"", "abcde", "abcdeg", "abcdefabcdef", "Abcdef"})
    CHECK_FALSE(same_secret(bad, "abcdef"));
  CHECK_FALSE(same_secret("", ""));
  CHECK(cookie("a=1; bb=2;c=3", "bb") == "2");
  CHECK(cookie("a=1; bb=2", "b").empty());
}

TEST_CASE("web: what others reach needs a token, and a long one") {
  WebFeed feed(kWebStreams);
  WebOptions options;
  options.listen.host = "0.0.0.0";
  const auto open = WebServer::start(options, feed, answer);
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().message.find("token") != std::string::npos);
  options.token = "short";
  CHECK_FALSE(WebServer::start(options, feed, answer).ok());
  options.token = kToken;
  CHECK(WebServer::start(options, feed, answer).ok());
  const auto first = serve(feed);
  options.listen.port = first->port();  // taken: two programs must not share it
  CHECK_FALSE(WebServer::start(options, feed, answer).ok());
}

TEST_CASE("web: on loopback the page is there for addresses and its names, and nothing else is") {
  WebFeed feed(kWebStreams);
  const auto server = serve(feed);
  const auto port = server->port();
  const auto page = get(port, "/");
  CHECK(status_of(page) == 200);
  CHECK(body_of(page).find("new EventSource") != std::string::npos);
  const auto policy = header_of(page, "Content-Security-Policy");
  const auto at = policy.find("script-src 'nonce-");
  REQUIRE(at != std::string::npos);
  const auto nonce = policy.substr(at + 18, 32);
  CHECK(body_of(page).find("<script nonce=\"" + nonce + "\">") != std::string::npos);
  CHECK(body_of(page).find("{{nonce}}") == std::string::npos);
  CHECK(header_of(get(port, "/"), "Content-Security-Policy") != policy);  // new for each answer
  for (const char* outside : {"https://", "http://"})                     // but for the name of SVG
    CHECK(page.find(outside + std::string("www.w3.org")) == page.find(outside));
  CHECK(status_of(get(port, "/", {"Host: monitor.example"})) == 200);
  CHECK(status_of(get(port, "/", {"Host: evil.example"})) == 421);
  CHECK(status_of(get(port, "/events", {"Host: evil.example"})) == 421);
  CHECK(status_of(get(port, "/", {"Host: 127.0.0.1", "Host: evil.example"})) == 421);
  CHECK(status_of(get(port, "/api/children", {"Sec-Fetch-Site: cross-site"})) == 403);
  CHECK(body_of(get(port, "/api/children?q=a%20b&node=n")).find(R"({"asked":{"node":"n","q":"a b"}})") !=
        std::string::npos);
  for (const char* nothing : {"/api/other", "/x", "/../etc/passwd", "//"})
    CHECK(status_of(get(port, nothing)) == 404);
  for (const char* verb : {"POST /", "PUT /", "DELETE /api/children", "POST /events"})
    CHECK(status_of(Exchange(port, verb, {"Content-Length: 0"}).all()) == 404);
}

TEST_CASE("web: with a token only who shows it reads, and the cookie is not the token") {
  WebFeed feed(kWebStreams);
  const auto server = serve(feed, kToken);
  const auto port = server->port();
  for (const char* path : {"/", "/events", "/api/children", "/x"}) CHECK(status_of(get(port, path)) == 401);
  CHECK(get(port, "/").find("new EventSource") == std::string::npos);
  CHECK(status_of(get(port, "/", {"Authorization: Bearer " + kToken})) == 200);
  CHECK(status_of(get(port, "/", {"Authorization: Bearer " + kToken + "x"})) == 401);
  CHECK(status_of(get(port, "/", {"Authorization: Basic " + kToken})) == 401);
  CHECK(status_of(get(port, "/?token=" + kToken)) == 401);
  const auto log_in = [&](const std::string& token) {
    return Exchange(port, "POST /session", {"Content-Type: application/x-www-form-urlencoded"},
                    "token=" + token)
        .all();
  };
  CHECK(status_of(log_in("wrong")) == 401);
  CHECK(header_of(log_in("wrong"), "Set-Cookie").empty());
  const auto in = log_in(kToken);
  CHECK(status_of(in) == 303);
  const auto given = header_of(in, "Set-Cookie");
  CHECK(given.find("HttpOnly; SameSite=Strict") != std::string::npos);
  CHECK(given.find(kToken) == std::string::npos);
  CHECK(status_of(get(port, "/", {"Cookie: x=1; " + given.substr(0, given.find(';'))})) == 200);
  CHECK(status_of(get(port, "/", {"Cookie: zmq_monitor_" + std::to_string(port) + "=0"})) == 401);
}

TEST_CASE("web: streams get the newest look and each event, are bounded, and end with the server") {
  WebFeed feed(2);
  auto server = serve(feed);
  feed.publish_look(R"({"n":1})");
  feed.publish_look(R"({"n":2})");
  feed.publish_events({R"({"e":1})", R"({"e":2})"});
  auto first = std::make_unique<Exchange>(server->port(), "GET /events");
  CHECK(first->next("look", kSoon) == R"({"n":2})");
  CHECK(first->next("happened", kSoon) == R"({"e":1})");
  CHECK(first->next("happened", kSoon) == R"({"e":2})");
  feed.publish_look(R"({"n":3})");
  CHECK(first->next("look", kSoon) == R"({"n":3})");
  Exchange second(server->port(), "GET /events");
  CHECK(second.next("look", kSoon) == R"({"n":3})");
  CHECK(status_of(get(server->port(), "/events")) == 503);
  first.reset();
  // The place is free as soon as something is written to who has gone.
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (feed.readers() == 2 && std::chrono::steady_clock::now() < deadline) {
    feed.publish_look(R"({"n":4})");
    REQUIRE(second.next("look", kSoon));
  }
  CHECK(feed.readers() == 1);
  server.reset();
  static_cast<void>(second.all(kSoon));
  CHECK(second.ended());
}

TEST_CASE("web: a slow stream misses events, is told how many, and sees no old look") {
  WebFeed feed(1);
  REQUIRE(feed.join());
  WebFeed::Cursor cursor;
  feed.publish_events({"1"});
  CHECK(feed.next(cursor, kSoon) == "event: happened\ndata: 1\n\n");
  for (std::size_t i = 0; i < WebFeed::kKept + 7; ++i) {
    feed.publish_look("look" + std::to_string(i));
    feed.publish_events({"more" + std::to_string(i)});
  }
  const auto news = feed.next(cursor, kSoon).value_or("");
  CHECK(news.rfind("event: look\ndata: look" + std::to_string(WebFeed::kKept + 6) + "\n\n" +
                       "event: missed\ndata: 7\n\nevent: happened\ndata: more7\n\n",
                   0) == 0);
  CHECK(feed.next(cursor, std::chrono::milliseconds(0)) == ": nothing new\n\n");
  feed.forget();
  WebFeed::Cursor late;
  CHECK(feed.next(late, kSoon) == ": nothing new\n\n");
  feed.close();
  CHECK_FALSE(feed.next(cursor, kSoon));
  CHECK_FALSE(feed.wait_for_reader());
}

TEST_CASE("web: rates, latencies and links of the page come from two looks") {
  const auto node = [](double calls, std::vector<double> buckets, bool session) {
    NodeLook out;
    out.name = "a";
    out.state = "up";
    out.incarnation = 1;
    const auto series = [](Json one) {
      return Json{{"kind", "x"}, {"series", Json::array({std::move(one)})}};
    };
    const Json times{
        {"labels", Json::object()}, {"value", 1}, {"bounds", {0.001, 0.01}}, {"buckets", buckets}};
    out.answers = {{{"node", "a"}, {"hub", "h"}, {"joined", true}, {"children_total", 7}},
                   {{"settled", true},
                    {"peers", {{{"name", "b"}, {"state", "up"}}}},
                    {"moves",
                     {{{"id", "x"}, {"from", "b"}, {"to", "a"}, {"phase", "p"}},
                      {{"id", "y"}, {"from", "a"}, {"to", "b"}}}},
                    {"links", {{{"peer", "b"}, {"session", session}}}}},
                   {{"metrics",
                     {{"processhub_call_seconds", series(times)},
                      {"processhub_calls_total", series({{"labels", Json::object()}, {"value", calls}})}}}}};
    return out;
  };
  Examination of;
  of.before.nodes = {node(10, {10, 0, 5}, true)};
  of.now.nodes = {node(30, {20, 10, 5}, false)};
  of.seconds = 2;
  const auto view = live_view(of);
  const auto& row = view.at("nodes")[0];
  CHECK(row.at("calls_per_s") == 10);
  CHECK(row.at("call_p50_ms").get<double>() == doctest::Approx(1.0));
  CHECK(row.at("call_p99_ms").get<double>() == doctest::Approx(9.82));
  CHECK(row.at("lag_ms").is_null());
  CHECK(view.at("links")[0].at("state") == "cut");
  REQUIRE(view.at("moves").size() == 1);
  CHECK(view.at("moves")[0].at("id") == "x");
  CHECK(quantile_between(&of.now.nodes[0], of.now.nodes[0], "processhub_call_seconds", 0.5) < 0);
  of.before.nodes.clear();
  CHECK(live_view(of).at("nodes")[0].at("calls_per_s").is_null());
}

TEST_CASE("monitor: messages of a tap become lines, with the time since their first station") {
  const auto row = [](std::int64_t time, const char* hop, const char* peer, std::uint64_t token, Json body) {
    const auto bytes = hubctl::to_msgpack(body);
    return Json::array({time, hop, "call", peer, "till", "add", "", token, "", bytes.size(),
                        Json::binary({bytes.begin(), bytes.end()})});
  };
  const auto sent = message_of("a", row(1'000'000, "sent", "b", 7, {{"by", 1}}));
  CHECK(sent.at("body") == Json{{"by", 1}});
  CHECK(sent.at("peer") == "b");
  CHECK_FALSE(sent.contains("topic"));
  const auto received = message_of("b", row(1'000'250, "received", "a", 7, {1}));
  const auto other = message_of("b", row(1'000'300, "received", "a", 8, {1}));
  Journeys journeys;
  CHECK(journeys.since_first(sent) < 0);
  CHECK(journeys.since_first(received) == doctest::Approx(0.25));
  CHECK(journeys.since_first(other) < 0);
  std::ostringstream out;
  print_message(out, received, 0.25);
  CHECK(out.str().find(" b received call till add [1] from a #7 +0.250 ms\n") != std::string::npos);
}

}  // namespace web_test
