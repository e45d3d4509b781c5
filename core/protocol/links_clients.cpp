// The part of Links that talks with clients (hubctl and the like): sessions over the route they came on.
#include <algorithm>

#include "core/protocol/links.hpp"

namespace processhub::protocol {

namespace {
constexpr std::size_t kMaxClients = 1024;
constexpr Duration kQuietClient = std::chrono::seconds(3);  // one that is there asks for the nodes more often
}  // namespace

void Links::on_client_hello(RouteId route, const Hello& h) {
  if (clients_.size() >= kMaxClients) drop_idle_client();
  auto nonce = fresh_nonce();
  auto id = session_id(nonce, h.nonce, ctx_.self().hash(), h.self.id.hash());
  clients_.try_emplace(id, Client{route, LinkSession(id, limits()), ctx_.now});
  auto answer = own_hello();
  answer.nonce = nonce;
  answer.echo_nonce = h.nonce;
  answer.link_token = id;  // a client in another language need not know how it is made
  ctx_.emit(effect::SendRoute{route, hello_frame(answer)});
  if (leaving_) send_client(id, Leaving{ctx_.self(), 0});
}

void Links::send_clients_away() {
  leaving_ = true;
  for (auto& [id, client] : clients_) client.session.send(Lane::control, Leaving{ctx_.self(), 0});
}

bool Links::clients_gone() const {
  return std::none_of(clients_.begin(), clients_.end(), [&](const auto& client) {
    return client.second.calls && ctx_.now - client.second.last_heard < kQuietClient;
  });
}

/// So many at once are a flood, or clients that went without a goodbye: the longest silent one makes room.
void Links::drop_idle_client() {
  auto idle = std::min_element(clients_.begin(), clients_.end(), [](const auto& a, const auto& b) {
    return a.second.last_heard < b.second.last_heard;
  });
  clients_.erase(idle);
}

void Links::on_client_frame(Client& client, std::uint64_t key, const SessionHeader& header,
                            std::string_view rest) {
  client.last_heard = ctx_.now;
  bool good = client.session.on_frame(ctx_.now, header, rest, [&](const Part& p) {
    ++ctx_.stats.messages_in;
    if (p.kind != message_kind<AdminRequest>() && p.kind != message_kind<CallRequest>())
      return bad_frame("client message that is no request");
    auto message = decode_message(p.kind, p.body);
    if (!message) return bad_frame("client request that does not parse");
    if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::received, {}, *message));
    if (auto* call = std::get_if<CallRequest>(&*message)) {
      client.calls = true;
      events_.on_client_call(key, std::move(*call));
    } else {
      events_.on_client_request(key, std::move(std::get<AdminRequest>(*message)));
    }
  });
  if (!good) clients_.erase(key);
}

}  // namespace processhub::protocol
