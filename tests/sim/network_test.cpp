#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "transport/sim/sim_describe.hpp"
#include "transport/sim/sim_network.hpp"

namespace network_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

namespace {

/// Two hosts, a with link 1 to b, and what each was told, as text.
struct Pair {
  explicit Pair(Faults options = {}, std::uint64_t seed = 1)
      : faults(options), network(scheduler, Rng(seed), faults) {
    a = network.host("a");
    b = network.host("b");
    attach(a, at_a);
    attach(b, at_b);
  }

  void attach(HostId host, std::vector<std::string>& told) {
    network.attach(host, [this, &told](protocol::Event event) {
      if (const auto* frame = std::get_if<protocol::event::RouteFrame>(&event)) {
        route = frame->route;
        told.push_back("route " + frame->frame);
      } else if (const auto* answer = std::get_if<protocol::event::LinkFrame>(&event)) {
        told.push_back("link " + answer->frame);
      } else if (const auto* publication = std::get_if<protocol::event::Publication>(&event)) {
        told.push_back("pub " + *publication->frame);
      } else {
        told.push_back(describe(event));
      }
    });
  }
  void link() {
    network.connect(a, 1, router_endpoint("b"));
    run(10ms);
    at_a.clear();
  }
  void run(Duration duration) { scheduler.run_until(scheduler.now() + duration); }

  Faults faults;
  Scheduler scheduler{};
  SimNetwork network;
  HostId a = 0;
  HostId b = 0;
  RouteId route = 0;
  std::vector<std::string> at_a{};
  std::vector<std::string> at_b{};
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a link comes up, carries frames in order and answers come back on it") {
  Pair net;
  net.network.connect(net.a, 1, router_endpoint("b"));
  net.run(10ms);
  CHECK(net.at_a == Lines{"link 1 up"});
  for (int i = 0; i < 50; ++i) net.network.send_link(net.a, 1, std::to_string(i));
  net.run(50ms);
  REQUIRE(net.at_b.size() == 50);
  for (int i = 0; i < 50; ++i) CHECK(net.at_b[static_cast<std::size_t>(i)] == "route " + std::to_string(i));
  net.network.send_route(net.b, net.route, "answer");
  net.run(10ms);
  CHECK(net.at_a.back() == "link answer");
}

TEST_CASE("a connection to an address where nobody listens is refused, and comes up once somebody does") {
  Pair net;
  net.network.detach(net.b, SimNetwork::Detach::closed);
  net.network.connect(net.a, 1, router_endpoint("b"));
  net.run(2s);
  CHECK(net.at_a == Lines{"link 1 down refused"});
  net.attach(net.b, net.at_b);
  net.run(1s);
  CHECK(net.at_a == Lines{"link 1 down refused", "link 1 up"});
}

TEST_CASE("a connection into a cut says nothing until the cut heals") {
  Pair net;
  net.network.cut(net.b, net.a);
  net.network.connect(net.a, 1, router_endpoint("b"));
  net.run(5s);
  CHECK(net.at_a.empty());
  net.network.heal_all();
  net.run(1s);
  CHECK(net.at_a == Lines{"link 1 up"});
}

TEST_CASE("a killed peer is seen as refused, a vanished one is not seen at all") {
  Pair killed;
  killed.link();
  killed.network.detach(killed.b, SimNetwork::Detach::closed);
  killed.run(10ms);
  CHECK(killed.at_a == Lines{"link 1 down refused"});

  Pair vanished;
  vanished.link();
  vanished.network.detach(vanished.b, SimNetwork::Detach::silent);
  vanished.run(1s);
  CHECK(vanished.at_a.empty());
  vanished.run(20s);
  CHECK(vanished.at_a == Lines{"link 1 down"});
}

TEST_CASE("a peer that restarts at its address gets a new connection and not the old one's frames") {
  Pair net;
  net.link();
  net.network.send_link(net.a, 1, "in flight");
  net.network.detach(net.b, SimNetwork::Detach::closed);
  net.attach(net.b, net.at_b);
  net.run(1s);
  CHECK(net.at_b.empty());
  CHECK(net.at_a == Lines{"link 1 down", "link 1 up"});
}

TEST_CASE("frames wait for a short cut to heal, one way only") {
  Pair net;
  net.link();
  net.network.send_link(net.a, 1, "hello");
  net.run(10ms);
  net.network.cut(net.a, net.b);
  net.network.send_link(net.a, 1, "held");
  net.network.send_link(net.a, 1, "held too");
  net.network.send_route(net.b, net.route, "passes");
  net.run(500ms);
  CHECK(net.at_b == Lines{"route hello"});
  CHECK(net.at_a == Lines{"link passes"});
  net.network.heal(net.a, net.b);
  net.run(1s);
  CHECK(net.at_b == Lines{"route hello", "route held", "route held too"});
}

TEST_CASE("a long cut breaks the connection and what it held is lost") {
  Pair net;
  net.link();
  net.network.cut(net.a, net.b);
  net.network.send_link(net.a, 1, "lost");
  net.run(12s);
  CHECK(net.at_a == Lines{"link 1 down"});
  net.network.heal_all();
  net.run(1s);
  CHECK(net.at_a == Lines{"link 1 down", "link 1 up"});
  CHECK(net.at_b.empty());
}

TEST_CASE("frames for a link that is not connected wait for it, or are refused") {
  for (const bool keep : {true, false}) {
    CAPTURE(keep);
    Faults faults;
    faults.keep_unsent = keep;
    Pair net(faults);
    net.network.detach(net.b, SimNetwork::Detach::closed);
    net.network.connect(net.a, 1, router_endpoint("b"));
    net.run(10ms);
    net.at_a.clear();
    net.network.send_link(net.a, 1, "early");
    net.attach(net.b, net.at_b);
    net.run(1s);
    CHECK(net.at_b == (keep ? Lines{"route early"} : Lines{}));
    CHECK(net.at_a == (keep ? Lines{"link 1 up"} : Lines{"link 1 refused a frame", "link 1 up"}));
  }
}

TEST_CASE("a publication reaches each subscriber once its subscription has taken effect") {
  Pair net;
  net.network.subscribe(net.a, pub_endpoint("b"));
  net.network.publish(net.b, "too early");
  net.run(10ms);
  net.network.publish(net.b, "news");
  net.run(10ms);
  CHECK(net.at_a == Lines{"pub news"});
  net.network.unsubscribe(net.a, pub_endpoint("b"));
  net.run(10ms);
  net.network.publish(net.b, "after");
  net.run(10ms);
  CHECK(net.at_a == Lines{"pub news"});
}

TEST_CASE("each frame fault happens about as often as its option says, and never without it") {
  const int sent = 2'000;
  const auto play = [&](const char* option) {
    Faults faults;
    if (*option != '\0') REQUIRE(faults.set(option, "0.1").ok());
    Pair net(faults, 7);
    net.link();
    for (int i = 0; i < sent; ++i) {
      net.network.send_link(net.a, 1, std::to_string(i));
      net.run(100us);
    }
    net.run(1s);
    return net.network.counters();
  };
  const auto clean = play("");
  CHECK(clean.delivered == sent);
  CHECK(clean.lost + clean.duplicated + clean.reordered + clean.resets == 0);
  const auto near = [](std::uint64_t count) { return count > 120 && count < 280; };
  CHECK(near(play("loss").lost));
  CHECK(near(play("duplicate").duplicated));
  CHECK(near(play("reorder").reordered));
  CHECK(play("reset").resets > 20);
}

TEST_CASE("publications are lost for single subscribers, links stay whole") {
  Faults faults;
  faults.pub_loss = 0.5;
  Pair net(faults);
  net.network.subscribe(net.a, pub_endpoint("b"));
  net.link();
  for (int i = 0; i < 200; ++i) net.network.publish(net.b, "x");
  net.network.send_link(net.a, 1, "y");
  net.run(1s);
  CHECK(net.at_a.size() > 60);
  CHECK(net.at_a.size() < 140);
  CHECK(net.at_b == Lines{"route y"});
}

TEST_CASE("the same seed gives the same arrivals, another seed others") {
  const auto play = [](std::uint64_t seed) {
    Faults faults;
    faults.loss = faults.reorder = faults.duplicate = 0.1;
    Pair net(faults, seed);
    net.link();
    for (int i = 0; i < 300; ++i) net.network.send_link(net.a, 1, std::to_string(i));
    net.run(1s);
    return net.at_b;
  };
  CHECK(play(3) == play(3));
  CHECK(play(3) != play(4));
}

TEST_CASE("a host can be connected to itself") {
  Pair net;
  net.network.connect(net.a, 1, router_endpoint("a"));
  net.run(10ms);
  net.network.send_link(net.a, 1, "me");
  net.run(10ms);
  CHECK(net.at_a == Lines{"link 1 up", "route me"});
}

TEST_CASE("a clogged way delays its frames and no others") {
  Pair net;
  net.link();
  net.network.clog(net.a, net.b, 1s);
  net.network.send_link(net.a, 1, "slow");
  net.run(500ms);
  CHECK(net.at_b.empty());
  net.run(1s);
  CHECK(net.at_b == Lines{"route slow"});
}

}  // namespace network_test
