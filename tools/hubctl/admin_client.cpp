#include "tools/hubctl/admin_client.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/runtime/identity.hpp"

namespace processhub::hubctl {

namespace {

using std::chrono::milliseconds;

// A node that is reachable but does not answer (stopped, swapped out) holds up the next address no longer
// than this.
constexpr milliseconds kPatienceWithOne{2'000};
// A node that was started a moment ago refuses connections until it listens. Addresses that all refuse are
// tried again, in rounds, for this long.
constexpr milliseconds kPatienceWithStarting{1'500};
constexpr milliseconds kPatienceOfARound{100};

Time now() { return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch()); }

milliseconds until(Time when) {
  return std::max(std::chrono::ceil<milliseconds>(when - now()), milliseconds(0));
}

}  // namespace

Result<AdminClient> AdminClient::connect(const std::vector<std::string>& endpoints, Millis timeout,
                                         const ClientOptions& options) {
  const auto deadline = now() + timeout;
  const auto last_round = std::min<Time>(deadline, now() + kPatienceWithStarting);
  for (auto in_this_round = options;; in_this_round.refused_patience = kPatienceOfARound) {
    std::string failures;
    bool all_refused = true;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      const bool last = i + 1 == endpoints.size();
      const auto left = until(deadline);
      auto client = connect_to(endpoints[i], last ? left : std::min(left, kPatienceWithOne), in_this_round);
      if (client) return client;
      all_refused = all_refused && client.error().code == ErrorCode::node_down;
      failures += (failures.empty() ? "" : "; ") + client.error().message;
    }
    if (!all_refused || now() >= last_round) return {ErrorCode::node_down, "nobody answered: " + failures};
  }
}

Result<AdminClient> AdminClient::connect_to(const std::string& endpoint, Millis timeout,
                                            const ClientOptions& options) {
  const auto deadline = now() + timeout;
  auto socket = ClientSocket::connect(endpoint, timeout, options);
  if (!socket) return socket.error();
  AdminClient client(std::move(*socket),
                     protocol::ClientSession(runtime::fresh_client("hubctl"), runtime::random_number() >> 1));
  auto& session = client.session_;
  auto greeted = client.pump_until(
      [&] { return session.state() != protocol::ClientSession::State::greeting; }, deadline);
  if (!greeted) return {greeted.error().code, endpoint + ": " + greeted.error().message};
  if (session.state() == protocol::ClientSession::State::ended)
    return {ErrorCode::refused, endpoint + ": " + session.why()};
  return client;
}

Result<protocol::AdminReply> AdminClient::request(const std::string& verb, Bytes args, Millis timeout) {
  const auto number = ++last_request_;
  const auto deadline = now() + timeout;
  if (!session_.request({number, verb, std::move(args)}))
    return {ErrorCode::invalid, "the request is too large"};
  std::optional<protocol::AdminReply> reply;
  auto answered = [&] {
    while (!reply) {
      auto next = session_.take_reply();
      if (!next) break;
      if (next->request == number) reply = std::move(next);
    }
    return reply.has_value() || session_.state() == protocol::ClientSession::State::ended;
  };
  if (auto pumped = pump_until(answered, deadline); !pumped) return pumped.error();
  if (!reply) return {ErrorCode::unknown, session_.why()};
  return std::move(*reply);
}

/// Sends and receives until `done` says so.
template <class Done>
Result<void> AdminClient::pump_until(Done done, Time deadline) {
  for (;;) {
    const auto time = now();
    if (auto sent = send_due(time); !sent) return sent;
    if (done()) return {};
    if (time >= deadline) return {ErrorCode::timeout, "no answer in time"};
    auto frame = socket_.receive(until(std::min(deadline, session_.next_deadline())));
    if (!frame) return frame.error();
    if (*frame) session_.on_frame(now(), **frame);
  }
}

Result<void> AdminClient::send_due(Time now) {
  std::vector<Bytes> frames;
  session_.flush(now, frames);
  for (const auto& frame : frames) {
    if (auto sent = socket_.send(frame); !sent) return sent;
  }
  return {};
}

void AdminClient::close() {
  // A goodbye that is lost costs the node a little memory for a while, nothing else.
  if (auto bye = session_.goodbye()) static_cast<void>(socket_.send(*bye));
}

}  // namespace processhub::hubctl
