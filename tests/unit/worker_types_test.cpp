#include <doctest/doctest.h>

#include "processhub/message.hpp"
#include "processhub/worker.hpp"

namespace worker_types_test {

using namespace processhub;

namespace {

struct Add {
  int by = 0;
  PROCESSHUB_FIELDS(by)
};
struct Get {
  PROCESSHUB_FIELDS()
};
struct Total {
  int total = 0;
  PROCESSHUB_FIELDS(total)
};

class Counter : public Worker {
 public:
  using Args = Total;
  static void handlers(Handlers<Counter>& h) { h.on<&Counter::get>(run_inline).on<&Counter::add>(); }
  explicit Counter(Args a) : state_(a) {}
  Total& state() { return state_; }

 private:
  Total add(const Add& m) {
    state_.total += m.by;
    return state_;
  }
  Total get(const Get&) { return state_; }
  Total state_;
};

class Twice : public Worker {
 public:
  static void handlers(Handlers<Twice>& h) { h.on<&Twice::a>().on<&Twice::b>(); }

 private:
  void a(const Get&) {}
  void b(const Get&) {}
};

}  // namespace

TEST_CASE("a registered class is found by its type, its handlers by message name") {
  WorkerTypes types;
  types.add<Counter>("counter");
  CHECK(types.error() == "");
  CHECK(types.names() == std::vector<std::string>{"counter"});
  CHECK(types.find("nothing") == nullptr);
  const auto c = types.find("counter");
  REQUIRE(c);
  REQUIRE(c->find("add"));
  CHECK(c->find("add")->name == "add");
  CHECK_FALSE(c->find("add")->run_inline);
  REQUIRE(c->find("get"));
  CHECK(c->find("get")->run_inline);
  CHECK(c->find("ge") == nullptr);
  CHECK(c->find("zzz") == nullptr);
}

TEST_CASE("a class makes workers from args, and hands their state over") {
  WorkerTypes types;
  types.add<Counter>("counter");
  const auto c = types.find("counter");
  const auto first = c->make(encode(Total{5}));
  c->load(*first, encode(Total{7}));
  CHECK(decode<Total>(c->save(*first)).value().total == 7);
  CHECK(decode<Total>(c->save(*c->make({}))).value().total == 0);
  CHECK_THROWS(c->make("\xc1"));
}

TEST_CASE("the first registration mistake is kept and names what is wrong") {
  WorkerTypes types;
  types.add<Twice>("twice");
  CHECK(types.error() == "worker type 'twice' has two handlers for message 'get'");
  types.add<Counter>("");
  CHECK(types.error() == "worker type 'twice' has two handlers for message 'get'");

  WorkerTypes repeated;
  repeated.add<Counter>("counter").add<Counter>("counter");
  CHECK(repeated.error() == "worker type 'counter' is registered twice");

  WorkerTypes nameless;
  nameless.add<Counter>("");
  CHECK(nameless.error() == "a worker type needs a name");
}

}  // namespace worker_types_test
