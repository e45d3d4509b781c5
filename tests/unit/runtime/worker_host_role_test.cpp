#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_role_test {

using namespace worker_host_test;

namespace {

/// Writes down what it is told and as what it handled it.
class Actor : public Worker {
 public:
  static void handlers(Handlers<Actor>& h) { h.on<&Actor::say>().on<&Actor::wait>(); }
  Actor(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  void on_role(Role role) override {
    log_->add("told " + std::string(to_string(role)) + " " + ctx().generation().str());
    if (role == Role::none) throw std::runtime_error("no such role");
  }

 private:
  void say(const Say& m) { log_->add(m.text + " as " + std::string(to_string(ctx().role()))); }
  void wait(const Wait&) { door_->pass(); }
  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
};

struct Actors : Hosted {
  Actors() { add<Actor>("actor", log, door); }
  void set_role(std::uint64_t serial, std::uint64_t epoch, Role role, bool tell = true) {
    host->set_role({serial, {epoch, 1, node()}, role, tell});
  }
};

}  // namespace

TEST_CASE("a role is taken between the messages that came before and after the order") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Actors t;
    t.run();
    t.start_up(1, "actor", executor);
    CHECK(t.cast(1, Wait{}));  // everything else queues up behind it
    CHECK(t.cast(1, Say{"one"}));
    t.set_role(1, 3, Role::passive);
    CHECK(t.cast(1, Say{"two"}));
    t.set_role(1, 7, Role::active);
    CHECK(t.cast(1, Say{"three"}));
    CHECK(t.events.roles(1).empty());
    t.door->open();
    REQUIRE(t.log->wait_for("three as active"));
    CHECK(t.log->lines() == std::vector<std::string>{"one as active", "told passive 3.1@node-a/7",
                                                     "two as passive", "told active 7.1@node-a/7",
                                                     "three as active"});
    REQUIRE(eventually([&] { return t.events.roles(1).size() == 2; }));
    CHECK(t.events.roles(1) == std::vector<Role>{Role::passive, Role::active});
  }
}

TEST_CASE("a worker that is not to be told has its new role all the same") {
  Actors t;
  t.run();
  t.start_up(1, "actor");
  t.set_role(1, 3, Role::passive, false);
  REQUIRE(eventually([&] { return t.events.roles(1).size() == 1; }));
  CHECK(t.cast(1, Say{"one"}));
  REQUIRE(t.log->wait_for("one as passive"));
  CHECK(t.log->lines().size() == 1);
}

TEST_CASE("an exception in on_role is a crash, and the role of a worker that is gone changes nothing") {
  Actors t;
  t.run();
  t.start_up(1, "actor");
  t.set_role(1, 3, Role::none);
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::crashed);
  CHECK(down.why == "no such role");
  t.set_role(1, 3, Role::active);
  t.set_role(99, 3, Role::active);
  CHECK(t.events.roles(1).empty());
}

}  // namespace worker_host_role_test
