// The relay itself: a test of faults is worth what its faults are worth.
#include "tests/live/support/tcp_relay.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tcp_relay_test {

using live::eventually;
using live::Fd;
using live::TcpRelay;

namespace {

Fd tcp_socket() { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

/// What arrived without waiting; "<end>" if the other side closed or reset it.
std::string arrived(const Fd& fd) {
  std::array<char, 4096> chunk{};
  const auto n = ::recv(fd.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (n > 0) return {chunk.data(), static_cast<std::size_t>(n)};
  return n < 0 && errno == EAGAIN ? "" : "<end>";
}

void say(const Fd& fd, const std::string& text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

bool hears(const Fd& fd, const std::string& wanted) {
  std::string all;
  return eventually([&] { return (all += arrived(fd)) == wanted; });
}

/// "us" (this process) connected through the relay to a listener of "them".
struct Pair {
  TcpRelay relay{};
  Fd listener = tcp_socket();
  sockaddr_in through{};
  Fd us{};
  Fd them{};

  Pair() {
    const auto address = live::ipv4_address(live::own_endpoint());
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener.get(), 16) == 0);
    through = live::ipv4_address(relay.open("them", live::endpoint_of(address)));
    us = connected();
    relay.know("us", ::getpid());
    them = Fd(::accept(listener.get(), nullptr, nullptr));
    REQUIRE(them.get() >= 0);
  }

  bool connects(const Fd& fd) const {
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&through), sizeof through) == 0;
  }
  Fd connected() const {
    auto fd = tcp_socket();
    REQUIRE(connects(fd));
    return fd;
  }
};

}  // namespace

TEST_CASE("the relay passes bytes both ways, and the end of a connection") {
  Pair pair;
  say(pair.us, "question");
  CHECK(hears(pair.them, "question"));
  say(pair.them, "answer");
  CHECK(hears(pair.us, "answer"));
  CHECK(pair.relay.passed("us", "them") == 8);
  CHECK(pair.relay.passed("them", "us") == 6);
  pair.them.close();
  CHECK(hears(pair.us, "<end>"));
}

TEST_CASE("a way that is cut holds what it is given and the other way still passes") {
  Pair pair;
  pair.relay.shape("us", "them", {.cut = true});
  say(pair.us, "question");
  say(pair.them, "answer");
  CHECK(hears(pair.us, "answer"));
  CHECK(arrived(pair.them).empty());
  // A connection that is opened while the way is cut is not noticed at its other end.
  auto second = pair.connected();
  say(second, "again");
  pair.us.close();
  CHECK(pair.relay.passed("us", "them") == 0);
  pair.relay.shape("us", "them", {});
  std::string heard;
  CHECK(eventually([&] { return (heard += arrived(pair.them)) == "question<end>"; }));
  const Fd other(::accept(pair.listener.get(), nullptr, nullptr));
  CHECK(hears(other, "again"));
}

TEST_CASE("a slow and narrow way delivers everything in order, late") {
  Pair pair;
  const auto begin = live::Clock::now();
  pair.relay.shape("us", "them", {.delay = live::Millis(50), .bytes_a_second = 1'000'000});
  const std::string text(100'000, 'x');
  say(pair.us, text + "y");
  std::size_t count = 0;
  std::string last;
  CHECK(eventually([&] {
    last = arrived(pair.them);
    count += last.size();
    return !last.empty() && last.back() == 'y';
  }));
  CHECK(count == text.size() + 1);
  CHECK(live::Clock::now() - begin >= live::Millis(150));  // never early, however fast the machine is
}

TEST_CASE("a reset ends connections at both ends, and refused addresses accept nothing until they do again") {
  Pair pair;
  CHECK(pair.relay.reset("them", "us") == 1);
  CHECK(hears(pair.us, "<end>"));
  CHECK(hears(pair.them, "<end>"));

  pair.us = pair.connected();
  pair.them = Fd(::accept(pair.listener.get(), nullptr, nullptr));
  pair.relay.refuse("them", true);
  CHECK(hears(pair.us, "<end>"));
  const auto refused = tcp_socket();
  CHECK_FALSE(pair.connects(refused));
  CHECK(errno == ECONNREFUSED);
  pair.relay.refuse("them", false);
  const auto accepted = pair.connected();
  say(accepted, "back");
  const Fd other(::accept(pair.listener.get(), nullptr, nullptr));
  CHECK(hears(other, "back"));
}

}  // namespace tcp_relay_test
