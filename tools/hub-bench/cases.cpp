#include "tools/hub-bench/cases.hpp"

#include "tools/hub-bench/board.hpp"
#include "tools/hub-bench/node_process.hpp"
#include "tools/hub-bench/samples.hpp"

namespace processhub::hub_bench {

/// Two processes without a hub.
Floors measure_floors(const Options& options) {
  const auto board = SharedBoard::create();
  NodeProcess server(0, board.descriptor());
  NodeProcess client(1, board.descriptor());
  const auto endpoint = server.ask({{"do", "raw_server"}}).at("endpoint");
  const std::uint64_t part = options.quick ? 10 : 1;
  std::vector<double> trip;
  std::vector<double> single;
  std::vector<double> batched;
  std::vector<double> one_way;
  for (std::uint32_t i = 0; i < options.runs; ++i) {
    const auto answer = client.ask({{"do", "raw_client"},
                                    {"endpoint", endpoint},
                                    {"round_trips", 10'000 / part},
                                    {"calls", 500'000 / part},
                                    {"casts", 10'000'000 / part}});
    trip.push_back(answer.at("round_trip").get<double>() / 1e3);
    single.push_back(answer.at("single"));
    batched.push_back(answer.at("batched"));
    one_way.push_back(answer.at("one_way"));
  }
  return {median(trip), median(batched), median(single), median(one_way)};
}

const Floors& Bench::floors() {
  if (!floors_) {
    floors_ = measure_floors(options_);
    report_.add(
        {"raw ZeroMQ round trip", "us", Better::lower, {floors_->round_trip_us}, {}, {}, "DEALER/ROUTER"});
    report_.add({"raw ZeroMQ calls, 1,000 in flight",
                 "1/s",
                 Better::higher,
                 {floors_->calls_per_s},
                 {},
                 {},
                 "100 in a message"});
    report_.add({"raw ZeroMQ calls, 1,000 in flight, single",
                 "1/s",
                 Better::higher,
                 {floors_->single_per_s},
                 {},
                 {},
                 "1 in a message"});
    report_.add(
        {"raw ZeroMQ casts", "1/s", Better::higher, {floors_->casts_per_s}, {}, {}, "64 KiB in a message"});
  }
  return *floors_;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  cases.push_back({"raw", true, [](Bench& bench) { bench.floors(); }});
  add_message_cases(cases);
  add_change_cases(cases);
  add_children_cases(cases);
  add_watch_cases(cases);
  return cases;
}

}  // namespace processhub::hub_bench
