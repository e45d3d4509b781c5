#include "tests/live/support/tcp_relay.hpp"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/live/support/socket_owner.hpp"

namespace live {
namespace {

constexpr std::size_t kHeldLimit = 1 << 20;  // what a line holds before its sender is held up

[[noreturn]] void relay_failed(const std::string& what) {
  throw std::runtime_error("relay: " + what + ": " + std::strerror(errno));
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

Fd new_socket() {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) relay_failed("socket");
  return fd;
}

/// Closes with a reset instead of an orderly end.
void abort_socket(Fd& fd) {
  const linger now{1, 0};
  if (fd.get() >= 0) ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd.close();
}

/// The port is asked for by number: only such a one stays ours while the socket refuses connections.
sockaddr_in bind_own(Fd& fd) {
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const auto address = ipv4_address(own_endpoint());
  if (::bind(fd.get(), generic(address), sizeof address) != 0) relay_failed("bind " + endpoint_of(address));
  return address;
}

}  // namespace

sockaddr_in ipv4_address(const std::string& endpoint) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  const auto colon = endpoint.rfind(':');
  const std::string scheme = "tcp://";
  if (endpoint.rfind(scheme, 0) != 0 || colon < scheme.size())
    throw std::runtime_error("no IPv4 endpoint: " + endpoint);
  const auto host = endpoint.substr(scheme.size(), colon - scheme.size());
  if (::inet_pton(AF_INET, host.c_str(), &out.sin_addr) != 1)
    throw std::runtime_error("no IPv4 endpoint: " + endpoint);
  out.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))));
  return out;
}

std::string endpoint_of(const sockaddr_in& address) {
  std::array<char, INET_ADDRSTRLEN> host{};
  ::inet_ntop(AF_INET, &address.sin_addr, host.data(), host.size());
  return "tcp://" + std::string(host.data()) + ":" + std::to_string(ntohs(address.sin_port));
}

std::string own_endpoint() {
  static std::atomic<int> port{10'000};  // below the ports that the kernel gives away
  const auto pid = static_cast<unsigned>(::getpid());
  return "tcp://127." + std::to_string(64 + (pid >> 16 & 63)) + "." + std::to_string(pid >> 8 & 255) + "." +
         std::to_string(pid & 255) + ":" + std::to_string(port++);
}

bool TcpRelay::Flow::wants_bytes() const { return !shape.cut && !ended && held < kHeldLimit; }

bool TcpRelay::Flow::sends_at(Clock::time_point now) const {
  return !shape.cut && !waiting.empty() && waiting.front().due <= now;
}

TcpRelay::TcpRelay() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_.get() < 0) relay_failed("eventfd");
  thread_ = std::thread([this] { run(); });
}

TcpRelay::~TcpRelay() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void TcpRelay::wake() const {
  const std::uint64_t one = 1;
  // Fails only if it is awake already.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

// -- orders

std::string TcpRelay::open(const std::string& owner, const std::string& target) {
  auto listener = std::make_unique<Listener>();
  listener->owner = owner;
  listener->target = ipv4_address(target);
  listener->fd = new_socket();
  listener->address = bind_own(listener->fd);
  if (::listen(listener->fd.get(), SOMAXCONN) != 0) relay_failed("listen");
  auto address = endpoint_of(listener->address);
  {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(std::move(listener));
  }
  wake();
  return address;
}

void TcpRelay::know(const std::string& name, pid_t process) {
  {
    const std::lock_guard lock(mutex_);
    processes_[name].push_back(process);
  }
  wake();
}

void TcpRelay::shape(const std::string& from, const std::string& to, Shape shape) {
  const Way way{from, to};
  {
    const std::lock_guard lock(mutex_);
    shapes_[way] = shape;
    for (const auto& connection : connections_)
      for (auto* flow : {&connection->up, &connection->down})
        if (flow->way == way) flow->shape = shape;
  }
  wake();
}

std::size_t TcpRelay::reset(const std::string& one, const std::string& other) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& c : connections_) {
      if (c->dead || (c->up.way != Way{one, other} && c->up.way != Way{other, one})) continue;
      c->dead = true;
      ++count;
    }
  }
  wake();
  return count;
}

void TcpRelay::refuse(const std::string& owner, bool refuse) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& l : listeners_) {
      if (l->owner != owner || std::exchange(l->refusing, refuse) == refuse) continue;
      if (refuse) {
        ::shutdown(l->fd.get(), SHUT_RDWR);
      } else if (::listen(l->fd.get(), SOMAXCONN) != 0) {
        relay_failed("listen again");
      }
    }
    if (refuse)
      for (const auto& c : connections_) c->dead = c->dead || c->owner == owner;
  }
  wake();
}

std::uint64_t TcpRelay::passed(const std::string& from, const std::string& to) const {
  const std::lock_guard lock(mutex_);
  const auto found = passed_.find({from, to});
  return found == passed_.end() ? 0 : found->second;
}

Shape TcpRelay::shape_of(const Way& way) const {
  const auto found = shapes_.find(way);
  return found == shapes_.end() ? Shape{} : found->second;
}

// -- the thread

/// In this order: the eventfd, the listeners, two for each connection.
std::vector<pollfd> TcpRelay::interests(Clock::time_point now) const {
  std::vector<pollfd> out{{wake_.get(), POLLIN, 0}};
  for (const auto& l : listeners_) out.push_back({l->refusing ? -1 : l->fd.get(), POLLIN, 0});
  for (const auto& c : connections_) {
    const auto events = [&](const Flow& reads, const Flow& writes) {
      const int in = reads.wants_bytes() ? POLLIN : 0;
      return static_cast<short>(in | (writes.sends_at(now) ? POLLOUT : 0));
    };
    const bool up = c->server.get() >= 0;
    // Not known yet: only that it ends is of interest. Not wanted now: a hang-up must not wake us for ever.
    const auto client = c->known() ? (up ? events(c->up, c->down) : short{0}) : short{POLLRDHUP};
    const auto server = up ? events(c->down, c->up) : short{0};
    out.push_back({client != 0 ? c->client.get() : -1, client, 0});
    out.push_back({server != 0 ? c->server.get() : -1, server, 0});
  }
  return out;
}

int TcpRelay::wait_ms(Clock::time_point now) const {
  auto due = Clock::time_point::max();
  for (const auto& c : connections_)
    for (const auto* flow : {&c->up, &c->down})
      if (!flow->shape.cut && !flow->waiting.empty() && flow->waiting.front().due > now)
        due = std::min(due, flow->waiting.front().due);
  if (due == Clock::time_point::max()) return -1;
  return static_cast<int>(std::chrono::duration_cast<Millis>(due - now).count()) + 1;
}

void TcpRelay::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto now = Clock::now();
    auto wanted = interests(now);
    const auto listeners = listeners_.size();
    const auto connections = connections_.size();
    const auto limit = wait_ms(now);
    lock.unlock();
    ::poll(wanted.data(), wanted.size(), limit);
    lock.lock();
    std::uint64_t orders = 0;
    if (wanted[0].revents != 0) [[maybe_unused]]
      const auto taken = ::read(wake_.get(), &orders, sizeof orders);
    for (std::size_t i = 0; i < connections; ++i)
      pump(*connections_[i], wanted[1 + listeners + 2 * i], wanted[2 + listeners + 2 * i]);
    for (std::size_t i = 0; i < listeners; ++i)
      if (wanted[1 + i].revents != 0 && !listeners_[i]->refusing) accept_all(*listeners_[i]);
    for (const auto& c : connections_) take_up(*c);
    std::erase_if(connections_, [](const auto& c) { return c->dead; });
  }
}

void TcpRelay::accept_all(Listener& listener) {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  for (;;) {
    Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    auto connection = std::make_unique<Connection>();
    connection->owner = listener.owner;
    connection->target = listener.target;
    connection->inode = socket_inode(peer, listener.address);
    connection->dead = connection->inode == 0;  // its opener closed it already
    connection->client = std::move(fd);
    connections_.push_back(std::move(connection));
  }
}

/// Finds out who opened it and connects it, as soon as that is possible.
void TcpRelay::take_up(Connection& c) {
  if (!c.dead && !c.known()) identify(c);
  if (!c.dead && c.known() && c.server.get() < 0 && !c.up.shape.cut && !c.down.shape.cut) {
    c.server = new_socket();
    if (::connect(c.server.get(), generic(c.target), sizeof c.target) != 0 && errno != EINPROGRESS)
      c.dead = true;
  }
  if (!c.dead) return;
  abort_socket(c.client);
  abort_socket(c.server);
}

void TcpRelay::identify(Connection& c) {
  for (const auto& [name, processes] : processes_) {
    // The newest life first: the others have most likely ended.
    const auto holds = [&](pid_t process) { return holds_socket(process, c.inode); };
    if (std::none_of(processes.rbegin(), processes.rend(), holds)) continue;
    c.up.way = {name, c.owner};
    c.down.way = {c.owner, name};
    c.up.shape = shape_of(c.up.way);
    c.down.shape = shape_of(c.down.way);
    return;
  }
}

void TcpRelay::pump(Connection& c, const pollfd& client, const pollfd& server) {
  if (c.dead) return;
  if (!c.known()) {
    c.dead = client.revents != 0;
    return;
  }
  if (client.revents != 0) read_some(c.client.get(), c.up);
  if (server.revents != 0) read_some(c.server.get(), c.down);
  if (c.server.get() < 0) return;
  write_some(c.server.get(), c.up);
  write_some(c.client.get(), c.down);
  c.dead = c.up.over() || c.down.over();
}

void TcpRelay::read_some(int fd, Flow& flow) {
  std::array<char, 65536> chunk{};
  while (flow.wants_bytes()) {
    const auto n = ::recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n <= 0) {
      flow.ended = true;
      return;
    }
    const auto size = static_cast<std::size_t>(n);
    flow.wire_free = std::max(flow.wire_free, Clock::now());
    if (flow.shape.bytes_a_second != 0)
      flow.wire_free += std::chrono::microseconds(size * 1'000'000 / flow.shape.bytes_a_second);
    if (flow.lost) continue;
    flow.waiting.push_back({flow.wire_free + flow.shape.delay, std::string(chunk.data(), size)});
    flow.held += size;
  }
}

void TcpRelay::write_some(int fd, Flow& flow) {
  while (flow.sends_at(Clock::now())) {
    auto& bytes = flow.waiting.front().bytes;
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n < 0) {
      flow.lost = true;
      flow.waiting.clear();
      flow.held = 0;
      return;
    }
    const auto size = static_cast<std::size_t>(n);
    passed_[flow.way] += size;
    flow.held -= size;
    if (size == bytes.size()) {
      flow.waiting.pop_front();
    } else {
      bytes.erase(0, size);
    }
  }
}

}  // namespace live
