#include "tools/zmq-monitor/web_server.hpp"

#include <httplib.h>

#include <atomic>
#include <random>
#include <thread>
#include <utility>

#include "tools/hubctl/json_payload.hpp"

namespace processhub::monitor {

namespace {

using Handled = httplib::Server::HandlerResponse;

constexpr std::size_t kQuestions = 3;     // under way at once: each asks all nodes
constexpr std::size_t kSpareThreads = 5;  // for what is answered at once, beside streams and questions
constexpr std::size_t kLargestBody = 4'096;
constexpr time_t kPatience_s = 5;  // with a slow reader or writer
constexpr std::chrono::milliseconds kHeartbeat{5'000};

enum Status : int { kNotFound = 404, kUnauthorized = 401, kForbidden = 403, kMisdirected = 421, kBusy = 503 };

std::string random_hex() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device device;
  std::uniform_int_distribution<std::size_t> digit(0, kDigits.size() - 1);
  std::string out(32, '0');
  for (auto& c : out) c = kDigits[digit(device)];
  return out;
}

std::string with_nonce(std::string_view page, const std::string& nonce) {
  static constexpr std::string_view kMark = "{{nonce}}";
  std::string out;
  for (auto at = page.find(kMark); at != std::string_view::npos; at = page.find(kMark)) {
    out.append(page.substr(0, at)).append(nonce);
    page.remove_prefix(at + kMark.size());
  }
  return out.append(page);
}

constexpr std::string_view kLogin = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>zmq-monitor</title><style nonce="{{nonce}}">:root{color-scheme:light dark}
body{font:16px system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;gap:1rem}
form{display:flex;gap:.5rem}input,button{font:inherit;padding:.5rem .75rem;border-radius:.5rem;border:1px solid}
</style><form method="post" action="/session"><input type="password" name="token" placeholder="Token"
autocomplete="current-password" autofocus aria-label="Token"><button>Open</button></form></html>
)";

/// The connection must not live on as somebody's who has not shown a token, nor hold a thread.
constexpr std::size_t kRequestsOfAConnection = 1;

}  // namespace

class WebServer::Impl {
 public:
  Impl(WebOptions options, WebFeed& feed, Answer answer)
      : options_(std::move(options)), feed_(feed), answer_(std::move(answer)) {}
  ~Impl() {
    feed_.close();
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start() {
    set_limits();
    set_routes();
    const auto& listen = options_.listen;
    if (listen.port == 0) {
      const int bound = server_.bind_to_any_port(listen.host);
      port_ = static_cast<std::uint16_t>(std::max(bound, 0));
    } else if (server_.bind_to_port(listen.host, listen.port)) {
      port_ = listen.port;
    }
    if (port_ == 0)
      return {ErrorCode::system, "web: cannot listen on " + listen.host + ":" + std::to_string(listen.port)};
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    // stop() before the loop runs would be forgotten.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    return {};
  }
  std::uint16_t port() const { return port_; }

 private:
  void set_limits() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kWebStreams + kQuestions + kSpareThreads); };
    server_.set_keep_alive_max_count(kRequestsOfAConnection);
    server_.set_read_timeout(kPatience_s);
    server_.set_write_timeout(kPatience_s);
    server_.set_payload_max_length(kLargestBody);
    server_.set_socket_options([](int socket) {  // the library's own would let a second program listen, too
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_default_headers({{"Cache-Control", "no-store"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"X-Frame-Options", "DENY"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"},
                                 {"Referrer-Policy", "no-referrer"}});
  }

  void set_routes() {
    server_.set_pre_routing_handler([this](const auto& request, auto& response) {
      return may_read(request, response) ? Handled::Unhandled : Handled::Handled;
    });
    server_.Get("/", [](const auto&, auto& response) { show(response, web_page()); });
    server_.Get("/events", [this](const auto&, auto& response) { stream(response); });
    server_.Get(R"(/api/([a-z]+))", [this](const auto& request, auto& response) { ask(request, response); });
    server_.Post("/session", [this](const auto& request, auto& response) { log_in(request, response); });
  }

  static void show(httplib::Response& response, std::string_view page) {
    const auto nonce = random_hex();
    response.set_header("Content-Security-Policy",
                        "default-src 'none'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
                        "frame-ancestors 'none'; img-src data:; style-src 'nonce-" +
                            nonce + "'; script-src 'nonce-" + nonce + "'");
    response.set_content(with_nonce(page, nonce), "text/html; charset=utf-8");
  }

  static void refuse(httplib::Response& response, int status, const std::string& why) {
    response.status = status;
    response.set_content(why + "\n", "text/plain; charset=utf-8");
  }

  bool may_read(const httplib::Request& request, httplib::Response& response) {
    if (request.get_header_value_count("Host") != 1 ||
        !host_allowed(request.get_header_value("Host"), options_.names)) {
      refuse(response, kMisdirected, "this name is not one of this page's: see --name");
      return false;
    }
    if (request.get_header_value("Sec-Fetch-Site") == "cross-site" && request.path != "/") {
      refuse(response, kForbidden, "not for pages of others");
      return false;
    }
    if (is_known(request) || (request.method == "POST" && request.path == "/session")) return true;
    response.status = kUnauthorized;
    response.set_header("WWW-Authenticate", "Bearer");
    if (request.path == "/")
      show(response, kLogin);
    else
      refuse(response, kUnauthorized, "a token is needed");
    return false;
  }

  bool is_known(const httplib::Request& request) const {
    if (options_.token.empty()) return true;
    static constexpr std::string_view kBearer = "Bearer ";
    const auto header = request.get_header_value("Authorization");
    if (header.rfind(kBearer, 0) == 0 &&
        same_secret(std::string_view(header).substr(kBearer.size()), options_.token))
      return true;
    return same_secret(cookie(request.get_header_value("Cookie"), cookie_name()), session_);
  }

  /// A cookie goes to all ports of its host: each port has its own.
  std::string cookie_name() const { return "zmq_monitor_" + std::to_string(port_); }

  void log_in(const httplib::Request& request, httplib::Response& response) {
    if (!same_secret(request.get_param_value("token"), options_.token)) {
      response.status = kUnauthorized;
      return show(response, kLogin);
    }
    // Not the token itself: what a browser keeps is worth nothing once this program ends.
    response.set_header("Set-Cookie", cookie_name() + "=" + session_ + "; HttpOnly; SameSite=Strict; Path=/");
    response.set_redirect("/", 303);
  }

  void stream(httplib::Response& response) {
    if (!feed_.join()) return refuse(response, kBusy, "as many pages are open as may be");
    response.set_chunked_content_provider(
        "text/event-stream",
        [this, cursor = WebFeed::Cursor{}](std::size_t, httplib::DataSink& sink) mutable {
          const auto news = feed_.next(cursor, kHeartbeat);
          if (!news) return false;
          return sink.write(news->data(), news->size());
        },
        [this](bool) { feed_.leave(); });
  }

  void ask(const httplib::Request& request, httplib::Response& response) {
    struct Turn {
      explicit Turn(std::atomic<std::size_t>& open) : open(open), first(open.fetch_add(1) < kQuestions) {}
      Turn(const Turn&) = delete;
      Turn& operator=(const Turn&) = delete;
      ~Turn() { --open; }
      std::atomic<std::size_t>& open;
      const bool first;
    };
    const Turn turn(questions_);
    if (!turn.first) return refuse(response, kBusy, "too many questions at once");
    Query query;
    for (const auto& [name, value] : request.params) query.emplace(name, value);
    const auto answer = answer_(request.matches[1], query);
    if (!answer) return refuse(response, kNotFound, answer.error().message);
    response.set_content(hubctl::to_line(*answer), "application/json");
  }

  const WebOptions options_;
  WebFeed& feed_;
  const Answer answer_;
  const std::string session_ = random_hex();
  std::atomic<std::size_t> questions_{0};
  std::atomic<bool> ended_{false};
  httplib::Server server_{};
  std::uint16_t port_ = 0;
  std::thread thread_{};
};

Result<std::unique_ptr<WebServer>> WebServer::start(const WebOptions& options, WebFeed& feed, Answer answer) {
  if (options.token.empty() && !is_loopback(options.listen.host))
    return {ErrorCode::invalid, "web: others reach " + options.listen.host + ": give it a --token-file"};
  if (!options.token.empty() && options.token.size() < kSmallestWebToken)
    return {ErrorCode::invalid,
            "web: the token is shorter than 16 characters; `openssl rand -hex 16` makes one"};
  auto impl = std::make_unique<Impl>(options, feed, std::move(answer));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;
std::uint16_t WebServer::port() const { return impl_->port(); }

}  // namespace processhub::monitor
