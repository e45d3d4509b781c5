#include "transport/sim/node_workers.hpp"

#include <charconv>
#include <utility>

namespace processhub::sim {

std::uint64_t message_number(std::string_view body) {
  const auto mark = body.rfind(" #");
  if (mark == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(body.data() + mark + 2, body.data() + body.size(), value);
  return value;
}

std::size_t WorkerLog::begin(NodeId node, const protocol::effect::StartWorker& start, Time now) {
  Activation activation;
  activation.node = node;
  activation.serial = start.serial;
  activation.id = start.spec->id;
  activation.uid = start.uid;
  activation.generation = start.generation;
  activation.role = start.prepare ? Role::none : start.role;
  activation.meant = start.role;
  activation.reason = start.reason;
  activation.ordered = now;
  activations.push_back(std::move(activation));
  return activations.size() - 1;
}

void WorkerLog::role(std::size_t activation, const protocol::effect::SetRole& change, bool taken) {
  auto& a = activations[activation];
  a.generation = change.generation;
  if (taken || change.role == Role::active) a.role = a.meant = change.role;
}

void WorkerLog::resume(std::size_t activation, const Generation& generation) {
  auto& a = activations[activation];
  a.generation = generation;
  a.role = a.meant;
}

void ProcessTasks::after(Duration delay, std::function<void()> task) {
  scheduler_.after(delay, [this, alive = alive_, task = std::move(task)]() mutable {
    if (!*alive) return;
    if (paused_) {
      held_.push_back(std::move(task));
    } else {
      task();
    }
  });
}

void ProcessTasks::resume() {
  paused_ = false;
  auto held = std::exchange(held_, {});
  // The loop gets the processor first: an executor checks that the loop lives before it starts a turn.
  for (auto& task : held) after(rng_.between(Duration(100), Duration(500)), std::move(task));
}

void ProcessTasks::clear() {
  held_.clear();
  *alive_ = false;
  alive_ = std::make_shared<bool>(true);
}

}  // namespace processhub::sim
