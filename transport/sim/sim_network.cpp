#include "transport/sim/sim_network.hpp"

#include <algorithm>

namespace processhub::sim {
namespace {

constexpr std::string_view kScheme = "tcp://sim-";
constexpr std::string_view kRouterPort = ":7001";
constexpr std::string_view kPubPort = ":7002";
/// A connection attempt into a cut repeats its SYN this often.
constexpr Duration kSynRetry{100'000};

/// The host's name in an address of that port; empty if it is none.
std::string_view host_of(std::string_view endpoint, std::string_view port) {
  if (!endpoint.starts_with(kScheme) || !endpoint.ends_with(port)) return {};
  endpoint.remove_prefix(kScheme.size());
  endpoint.remove_suffix(port.size());
  return endpoint;
}

}  // namespace

std::string router_endpoint(std::string_view host) {
  return std::string(kScheme) + std::string(host) + std::string(kRouterPort);
}
std::string pub_endpoint(std::string_view host) {
  return std::string(kScheme) + std::string(host) + std::string(kPubPort);
}

SimNetwork::SimNetwork(Scheduler& scheduler, Rng rng, const Faults& faults)
    : scheduler_(scheduler), rng_(rng), faults_(faults) {}

SimNetwork::~SimNetwork() = default;

HostId SimNetwork::host(std::string_view name) {
  if (auto found = names_.find(name); found != names_.end()) return found->second;
  const auto id = static_cast<HostId>(hosts_.size());
  hosts_.emplace_back().name = std::string(name);
  names_.emplace(std::string(name), id);
  return id;
}

void SimNetwork::attach(HostId host, Deliver deliver) {
  auto& h = hosts_[host];
  h.attached = true;
  h.silent = false;
  ++h.life;
  h.deliver = std::move(deliver);
}

void SimNetwork::detach(HostId host, Detach how) {
  auto& h = hosts_[host];
  if (!h.attached) return;
  h.attached = false;
  h.silent = how == Detach::silent;
  h.deliver = nullptr;
  auto dials = std::exchange(h.links, {});
  for (const auto& [link, dial] : dials) dials_.erase(dial);
  auto subscriptions = std::exchange(h.subscriptions, {});
  for (const auto& [endpoint, dial] : subscriptions) dials_.erase(dial);
  h.routes.clear();
  h.subscribers.clear();
  for (const auto id : connections_of(host)) {
    const auto& connection = connections_.at(id);
    const bool dialed = connection.dialer == host && connection.dialer_life == h.life;
    const bool listened = connection.listener == host && connection.listener_life == h.life;
    if (!dialed && !listened) continue;
    if (how == Detach::closed) {
      if (dialed) push(id, true, {{}, true}, false);
      if (listened) push(id, false, {{}, true}, false);
    } else {
      give_up_later(id);
    }
  }
}

// -- dialing

void SimNetwork::connect(HostId from, LinkId link, const std::string& endpoint) {
  disconnect(from, link);
  hosts_[from].links[link] = add_dial(from, endpoint, false, link);
}

void SimNetwork::disconnect(HostId from, LinkId link) {
  auto& links = hosts_[from].links;
  if (auto found = links.find(link); found != links.end()) {
    drop_dial(found->second);
    links.erase(found);
  }
}

void SimNetwork::subscribe(HostId from, const std::string& endpoint) {
  auto& subscriptions = hosts_[from].subscriptions;
  if (!subscriptions.contains(endpoint)) subscriptions[endpoint] = add_dial(from, endpoint, true, 0);
}

void SimNetwork::unsubscribe(HostId from, const std::string& endpoint) {
  auto& subscriptions = hosts_[from].subscriptions;
  if (auto found = subscriptions.find(endpoint); found != subscriptions.end()) {
    drop_dial(found->second);
    subscriptions.erase(found);
  }
}

std::uint64_t SimNetwork::add_dial(HostId from, const std::string& endpoint, bool subscription, LinkId link) {
  const auto target = host_of(endpoint, subscription ? kPubPort : kRouterPort);
  const auto id = ++last_id_;
  auto& dial = dials_[id];
  dial.from = from;
  dial.life = hosts_[from].life;
  dial.subscription = subscription;
  dial.link = link;
  dial.target_known = !target.empty();
  if (dial.target_known) dial.target = host(target);
  schedule_attempt(id, frame_delay(from, dial.target));
  return id;
}

/// The peer reads what was sent before, then sees the connection close.
void SimNetwork::drop_dial(std::uint64_t id) {
  auto found = dials_.find(id);
  if (found == dials_.end()) return;
  const auto connection = found->second.connection;
  dials_.erase(found);
  if (connection != 0) push(connection, true, {{}, true}, false);
}

void SimNetwork::schedule_attempt(std::uint64_t dial, Duration delay) {
  const auto number = ++dials_.at(dial).attempt;
  scheduler_.after(delay, [this, dial, number] {
    auto found = dials_.find(dial);
    if (found != dials_.end() && found->second.attempt == number) attempt(dial);
  });
}

bool SimNetwork::reachable(HostId a, HostId b) const { return !is_cut(a, b) && !is_cut(b, a); }

void SimNetwork::attempt(std::uint64_t id) {
  auto& dial = dials_.at(id);
  if (!dial.target_known) return refuse(id, dial);
  const auto& target = hosts_[dial.target];
  if (!reachable(dial.from, dial.target) || (target.silent && !target.attached)) {
    return schedule_attempt(id, kSynRetry);
  }
  if (!target.attached) return refuse(id, dial);
  establish(id, dial);
}

void SimNetwork::refuse(std::uint64_t id, Dial& dial) {
  ++counters_.refused;
  ++dial.failures;
  if (!dial.subscription && !dial.told_refused) {
    dial.told_refused = true;
    hosts_[dial.from].deliver(protocol::event::LinkDown{dial.link, true});
  }
  schedule_attempt(id, backoff(dial));
}

Duration SimNetwork::backoff(const Dial& dial) {
  const auto doubled = faults_.reconnect_min * (1LL << std::min(dial.failures, 10U));
  const auto limit = std::min<Duration>(doubled, faults_.reconnect_max);
  return rng_.between(limit / 2, limit);
}

void SimNetwork::establish(std::uint64_t id, Dial& dial) {
  const auto number = ++last_id_;
  auto& target = hosts_[dial.target];
  auto& connection = connections_[number];
  connection.dial = id;
  connection.dialer = dial.from;
  connection.listener = dial.target;
  between_[pair_of(dial.from, dial.target)].push_back(number);
  connection.dialer_life = dial.life;
  connection.listener_life = target.life;
  connection.subscription = dial.subscription;
  connection.link = dial.link;
  dial.connection = number;
  dial.failures = 0;
  dial.told_refused = false;
  if (dial.subscription) {
    scheduler_.after(rng_.between(Duration(0), faults_.subscribe_delay), [this, number] {
      auto found = connections_.find(number);
      if (found == connections_.end()) return;
      auto& publisher = hosts_[found->second.listener];
      if (!publisher.attached || publisher.life != found->second.listener_life) return;
      found->second.subscribed = true;
      publisher.subscribers.insert(number);
    });
    return;
  }
  connection.route = ++target.last_route;
  target.routes[connection.route] = number;
  hosts_[dial.from].deliver(protocol::event::LinkUp{dial.link});
  auto unsent = std::exchange(dial.unsent, {});
  for (auto& frame : unsent) push(number, true, {std::move(frame), false}, true);
}

// -- sending

void SimNetwork::send_link(HostId from, LinkId link, Bytes frame) {
  auto& links = hosts_[from].links;
  auto found = links.find(link);
  if (found == links.end()) return;
  ++counters_.frames;
  counters_.bytes += frame.size();
  auto& dial = dials_.at(found->second);
  const bool connected = dial.connection != 0;
  if (connected && waiting(connections_.at(dial.connection).there) < faults_.link_queue)
    return push(dial.connection, true, {std::move(frame), false}, true);
  if (!connected && faults_.keep_unsent && dial.unsent.size() < faults_.link_queue) {
    dial.unsent.push_back(std::move(frame));
  } else {
    ++counters_.lost;
    const bool full = connected || faults_.keep_unsent;
    hosts_[from].deliver(
        protocol::event::SendRefused{link, full ? SendStatus::full : SendStatus::unroutable});
  }
}

void SimNetwork::send_route(HostId from, RouteId route, Bytes frame) {
  const auto& routes = hosts_[from].routes;
  auto found = routes.find(route);
  ++counters_.frames;
  counters_.bytes += frame.size();
  if (found == routes.end() || waiting(connections_.at(found->second).back) >= faults_.link_queue) {
    ++counters_.lost;
    return;
  }
  push(found->second, false, {std::move(frame), false}, true);
}

void SimNetwork::publish(HostId from, Bytes frame) {
  const auto publication = std::make_shared<const Bytes>(std::move(frame));
  for (const auto id : hosts_[from].subscribers) {
    auto& stream = connections_.at(id).back;
    ++counters_.publications;
    counters_.publication_bytes += publication->size();
    if (rng_.chance(faults_.pub_loss) || waiting(stream) >= faults_.pub_queue) {
      ++counters_.lost;
      continue;
    }
    push(id, false, {{}, false, publication}, false);
  }
}

// -- cuts

void SimNetwork::cut(HostId from, HostId to) {
  if (!cuts_.insert({from, to}).second) return;
  for (const auto id : connections_between(from, to)) give_up_later(id);
}

/// A cut or half-open connection is noticed by the transport's own heartbeats.
void SimNetwork::give_up_later(std::uint64_t connection) {
  scheduler_.after(rng_.between(faults_.reset_after_min, faults_.reset_after_max), [this, connection] {
    auto found = connections_.find(connection);
    if (found == connections_.end()) return;
    const auto& c = found->second;
    const auto lives = [this](HostId host, std::uint64_t life) {
      return hosts_[host].attached && hosts_[host].life == life;
    };
    if (reachable(c.dialer, c.listener) && lives(c.dialer, c.dialer_life) &&
        lives(c.listener, c.listener_life))
      return;
    reset(connection);
  });
}

void SimNetwork::heal(HostId from, HostId to) {
  if (cuts_.erase({from, to}) != 0) release_held(from, to);
}

void SimNetwork::heal_all() {
  const auto healed = std::exchange(cuts_, {});
  for (const auto& [from, to] : healed) release_held(from, to);
}

void SimNetwork::clog(HostId from, HostId to, Duration extra) {
  if (extra.count() == 0) {
    clogs_.erase({from, to});
  } else {
    clogs_[{from, to}] = extra;
  }
}

void SimNetwork::reset_between(HostId a, HostId b) {
  for (const auto id : connections_between(a, b)) reset(id);
}

std::vector<std::uint64_t> SimNetwork::connections_between(HostId a, HostId b) const {
  const auto found = between_.find(pair_of(a, b));
  return found == between_.end() ? std::vector<std::uint64_t>{} : found->second;
}

std::vector<std::uint64_t> SimNetwork::connections_of(HostId host) const {
  std::vector<std::uint64_t> all;
  for (HostId other = 0; other < hosts_.size(); ++other) {
    const auto some = connections_between(host, other);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace processhub::sim
