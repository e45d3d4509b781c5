// Children with a state each, asked all at once through one client.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <processhub/processhub.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/wires.hpp"
#include "tests/support/counter_messages.hpp"

namespace live {

/// Counters c0, c1, … Calls of one object come from the thread of the test.
class States {
 public:
  /// Knows the addresses of these nodes; others it learns.
  States(const ProcessCluster& cluster, const Names& nodes, std::int64_t count)
      : count_(count), client_(connect(cluster, nodes)) {}

  static std::string name_of(std::int64_t child) { return "c" + std::to_string(child); }
  processhub::Client& client() { return client_; }

  /// `shape` may change what is told of a child beside its name and type.
  template <class Shape>
  void start(const std::string& type, Shape shape) {
    std::vector<processhub::ChildSpec> specs(static_cast<std::size_t>(count_));
    for (std::int64_t i = 0; i < count_; ++i) {
      auto& spec = specs[static_cast<std::size_t>(i)];
      spec.id = name_of(i);
      spec.type = type;
      shape(spec, i);
    }
    const auto started = client().start_children(std::move(specs)).get();
    REQUIRE_MESSAGE(started.ok(), started.error().message);
    REQUIRE(started->status == processhub::CallStatus::ok);
  }
  void start(const std::string& type) {
    start(type, [](processhub::ChildSpec&, std::int64_t) {});
  }

  /// Every child adds what `amount` says; how many do not hold what is expected then.
  template <class Amount, class Expected>
  std::int64_t wrong_after(Amount amount, Expected expected) {
    using counter_messages::Add;
    using counter_messages::Total;
    std::vector<processhub::Future<Total>> open;
    for (std::int64_t i = 0; i < count_; ++i)
      open.push_back(client().call<Total>(name_of(i), Add{amount(i)}, std::chrono::seconds(20)));
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count_; ++i) {
      auto total = open[static_cast<std::size_t>(i)].get();
      REQUIRE_MESSAGE(total.ok(), name_of(i), ": ", total.error().message);
      wrong += total->total == expected(i) ? 0 : 1;
    }
    return wrong;
  }

 private:
  static processhub::Client connect(const ProcessCluster& cluster, const Names& nodes) {
    processhub::ClientConfig config;
    for (const auto& name : nodes) config.nodes.push_back(cluster.control(name));
    auto client = processhub::Client::connect(config);
    REQUIRE_MESSAGE(client.ok(), client.error().message);
    return std::move(*client);
  }

  std::int64_t count_;
  processhub::Client client_;
};

}  // namespace live
