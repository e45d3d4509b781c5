#include "transport/sim/message_checks.hpp"

#include <map>

#include <fmt/format.h>

#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {
namespace {

/// Codes that promise that the message was not handled.
bool says_not_delivered(ErrorCode code) {
  return code == ErrorCode::no_such_child || code == ErrorCode::overloaded ||
         code == ErrorCode::partitioned || code == ErrorCode::moved || code == ErrorCode::stopped ||
         code == ErrorCode::invalid;
}

std::string where(const SimCluster& cluster, const Handled& handled) {
  const auto& a = cluster.workers().activations[handled.activation];
  return fmt::format("{} worker {} at {}us", a.node.str(), a.serial, handled.when.count());
}

/// Messages of one node to one worker come in the order they were sent in, if the worker was where the node
/// knew it to be when it sent them: then all go the same way. (Behind a move two ways may still be in use.)
std::optional<Violation> order_problem(const SimCluster& cluster) {
  std::map<std::uint64_t, std::size_t> places;
  const auto& log = cluster.workers().handled;
  for (std::size_t i = 0; i < log.size(); ++i) places.emplace(log[i].number, i);
  struct Last {
    std::size_t place = 0;
    std::size_t operation = 0;
  };
  std::map<std::pair<NodeId, std::size_t>, Last> lasts;
  for (const auto& op : cluster.operations()) {
    if (op.message == 0 || !op.listed) continue;
    const auto place = places.find(op.message);
    if (place == places.end()) continue;
    const auto activation = log[place->second].activation;
    const auto& worker = cluster.workers().activations[activation];
    if (worker.node != op.listed->node || worker.serial != op.listed->serial) continue;
    auto& last = lasts[{op.node, activation}];
    if (last.operation != 0 && place->second < last.place) {
      return Violation{
          cluster.now(), "I7",
          fmt::format("{} #{} of {} was handled before #{}: by {}", to_string(op.kind), op.number,
                      op.node.str(), last.operation, where(cluster, log[place->second]))};
    }
    last = {place->second, op.number};
  }
  return {};
}

}  // namespace

std::optional<Violation> message_problem(const SimCluster& cluster) {
  std::map<std::uint64_t, const Handled*> handled;
  for (const auto& entry : cluster.workers().handled) {
    auto [first, fresh] = handled.emplace(entry.number, &entry);
    if (!fresh) {
      return Violation{cluster.now(), "I7",
                       fmt::format("message {} was handled twice: by {} and by {}", entry.number,
                                   where(cluster, *first->second), where(cluster, entry))};
    }
  }
  for (const auto& op : cluster.operations()) {
    if (op.kind != OpKind::call || op.message == 0 || !op.done()) continue;
    auto found = handled.find(op.message);
    if (!op.error && found == handled.end()) {
      return Violation{cluster.now(), "I6",
                       fmt::format("call #{} was answered '{}' but nobody handled it", op.number, op.answer)};
    }
    if (op.error && says_not_delivered(op.error->code) && found != handled.end()) {
      return Violation{cluster.now(), "I6",
                       fmt::format("call #{} ended '{}' but was handled by {}", op.number,
                                   describe(*op.error), where(cluster, *found->second))};
    }
  }
  return order_problem(cluster);
}

}  // namespace processhub::sim
