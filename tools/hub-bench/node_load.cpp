// The commands that put load on a hub and time it where it is felt: in the process of the caller.
#include <algorithm>
#include <cmath>
#include <latch>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tools/hub-bench/bench_worker.hpp"
#include "tools/hub-bench/node_program.hpp"
#include "tools/hub-bench/samples.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::uint64_t kWindow = 50'000;  // half a mailbox: nothing is rejected

std::string text() { return std::string(kTextSize, 't'); }

double per_second(std::uint64_t count, std::int64_t since) {
  return static_cast<double>(count) * 1e9 / static_cast<double>(now_ns() - since);
}

/// One blocking caller: the time of every call in ns.
template <class Call>
Json time_calls(std::uint64_t count, Call call) {
  for (std::uint64_t i = 0; i < count / 10 + 1; ++i) call();  // routes, caches and pool threads get warm
  std::vector<double> times(count);
  for (auto& time : times) {
    const auto start = now_ns();
    call();
    time = static_cast<double>(now_ns() - start);
  }
  return {{"median", median(times)}, {"p99", percentile(times, 0.99)}};
}

/// `in_flight` calls at any time: the oldest is waited for, then a new one is made.
template <class Call>
double pipeline(std::uint64_t count, std::uint64_t in_flight, Call call) {
  std::vector<Future<Echoed>> open(in_flight);
  const auto since = now_ns();
  for (std::uint64_t i = 0; i < count + in_flight; ++i) {
    auto& place = open[i % in_flight];
    if (i >= in_flight) {
      if (auto answer = place.get(); !answer) throw std::runtime_error("call: " + answer.error().message);
    }
    if (i < count) place = call();
  }
  return per_second(count, since);
}

void send_when_there_is_room(Hub& hub, const std::string& id, const Note& note) {
  const auto deadline = now_ns() + 60'000'000'000LL;
  for (auto sent = hub.cast(id, note); !sent; sent = hub.cast(id, note)) {
    if (sent.error().code != ErrorCode::overloaded || now_ns() > deadline)
      throw std::runtime_error("cast: " + sent.error().message);
    std::this_thread::yield();  // the command queue is full
  }
}

/// ns of one look-up, in an order of this thread's own; NaN if a child is missing.
double look_up(const Hub& hub, const std::vector<std::string>& ids, std::uint64_t rounds, std::uint32_t seed,
               std::latch& start) {
  auto order = ids;
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  std::uint64_t found = 0;
  start.arrive_and_wait();
  const auto since = now_ns();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const auto& id : order) found += hub.active_of(id) ? 1U : 0U;
  }
  const auto took = static_cast<double>(now_ns() - since);
  return found == rounds * ids.size() ? took / static_cast<double>(found) : std::nan("");
}

}  // namespace

/// {count, rounds, threads}
Json NodeProgram::lookups(const Json& command) {
  const auto ids = child_ids(command.at("count"));
  const std::uint32_t threads = command.at("threads");
  std::latch start(threads);
  std::vector<double> times(threads);
  {
    std::vector<std::jthread> readers;
    for (std::uint32_t i = 0; i < threads; ++i) {
      readers.emplace_back([&, i] { times[i] = look_up(*hub_, ids, command.at("rounds"), i, start); });
    }
  }
  if (std::any_of(times.begin(), times.end(), [](double t) { return std::isnan(t); })) {
    throw std::runtime_error("a child was not found");
  }
  return {{"ns", median(times)}};
}

/// {id, handler: inline | pool, count, typed}
Json NodeProgram::blocking_calls(const Json& command) {
  const std::string id = command.at("id");
  const bool run_here = command.at("handler") == "inline";
  const auto must = [](const auto& answer) {
    if (!answer) throw std::runtime_error("call: " + answer.error().message);
  };
  if (!command.at("typed")) {
    const auto body = encode(EchoInline{text()});
    const auto name = run_here ? message_name<EchoInline>() : message_name<EchoPool>();
    return time_calls(command.at("count"),
                      [&] { must(hub_->call_raw(id, name, body, std::chrono::seconds(5), false).get()); });
  }
  if (run_here)
    return time_calls(command.at("count"), [&] { must(hub_->call<Echoed>(id, EchoInline{text()}).get()); });
  return time_calls(command.at("count"), [&] { must(hub_->call<Echoed>(id, EchoPool{text()}).get()); });
}

/// {id, handler, count, in_flight}
Json NodeProgram::pipelined_calls(const Json& command) {
  const std::string id = command.at("id");
  const std::uint64_t count = command.at("count");
  const std::uint64_t in_flight = command.at("in_flight");
  if (command.at("handler") == "inline") {
    return {{"rate", pipeline(count, in_flight, [&] { return hub_->call<Echoed>(id, EchoInline{text()}); })}};
  }
  return {{"rate", pipeline(count, in_flight, [&] { return hub_->call<Echoed>(id, EchoPool{text()}); })}};
}

void NodeProgram::wait_handled(const NodeSlot& slot, std::uint64_t goal) const {
  const auto deadline = now_ns() + 60'000'000'000LL;
  while (slot.handled.load(std::memory_order_relaxed) < goal) {
    if (now_ns() > deadline) {
      throw std::runtime_error("only " + std::to_string(slot.handled) + " of " + std::to_string(goal) +
                               " messages were handled within a minute");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

/// {id, slot, count}: one thread casts to a child on the node of that slot, never more than a window ahead.
Json NodeProgram::casts(const Json& command) {
  const std::string id = command.at("id");
  const std::uint64_t count = command.at("count");
  auto& slot = board_->nodes.at(command.at("slot").get<std::size_t>());
  slot.handled = 0;
  const Note note{text()};
  const auto since = now_ns();
  for (std::uint64_t sent = 0; sent < count; ++sent) {
    if (sent % 1'000 == 0 && sent >= kWindow) wait_handled(slot, sent - kWindow + 1'000);
    send_when_there_is_room(*hub_, id, note);
  }
  wait_handled(slot, count);
  return {{"rate", per_second(count, since)}};
}

/// {from, to, count}: one worker casts to another on this node.
Json NodeProgram::worker_casts(const Json& command) {
  const std::uint64_t count = command.at("count");
  own_slot().handled = 0;
  const auto since = now_ns();
  if (auto ok = hub_->cast(command.at("from").get<std::string>(), Flood{command.at("to"), count, kWindow, 0});
      !ok) {
    throw std::runtime_error("cast: " + ok.error().message);
  }
  wait_handled(own_slot(), count);
  return {{"rate", per_second(count, since)}};
}

/// {from, to, count}: one message between two workers of this node; ns per message.
Json NodeProgram::ping_pong(const Json& command) {
  const std::string from = command.at("from");
  const std::string to = command.at("to");
  const std::uint64_t count = command.at("count");
  for (const auto& [id, partner] : {std::pair(from, to), std::pair(to, from)}) {
    const auto met =
        hub_->call_raw(id, message_name<Meet>(), encode(Meet{partner}), std::chrono::seconds(5), false).get();
    if (!met) throw std::runtime_error("meet: " + met.error().message);
  }
  own_slot().handled = 0;
  const auto since = now_ns();
  if (auto ok = hub_->cast(from, Ball{count, text()}); !ok)
    throw std::runtime_error("cast: " + ok.error().message);
  wait_handled(own_slot(), 1);
  return {{"ns", static_cast<double>(now_ns() - since) / static_cast<double>(count)}};
}

Json NodeProgram::raw_server(const Json&) {
  raw_ = std::make_unique<RawServer>();
  return {{"endpoint", raw_->endpoint()}};
}

/// {endpoint, round_trips, calls, casts}
Json NodeProgram::raw_client(const Json& command) {
  RawClient client(command.at("endpoint").get<std::string>());
  client.round_trips(command.at("round_trips").get<std::uint64_t>() / 10);
  const auto times = client.round_trips(command.at("round_trips"));
  return {{"round_trip", median(times)},
          {"p99", percentile(times, 0.99)},
          {"single", client.pipelined(command.at("calls"), 1'000, 1)},
          {"batched", client.pipelined(command.at("calls"), 1'000, 100)},
          {"one_way", client.one_way(command.at("casts"))}};
}

}  // namespace processhub::hub_bench
