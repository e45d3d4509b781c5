#include "transport/sim/sim_worker.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace processhub::sim {
namespace {

using protocol::WorkerExit;

constexpr Duration kSlow{400'000};
constexpr Duration kFinishAfter{500'000};

std::int64_t leading_number(std::string_view body) {
  std::int64_t value = 0;
  std::from_chars(body.data(), body.data() + body.size(), value);
  return value;
}

}  // namespace

SimWorkers::SimWorkers(WorkerSite site) : site_(std::move(site)) {}

WorkersFactory synthetic_workers() {
  return [](WorkerSite site) { return std::make_unique<SimWorkers>(std::move(site)); };
}

void SimWorkers::later(std::uint64_t serial, Duration delay, std::function<void(Worker&)> task) {
  tasks_.after(delay, [this, serial, task = std::move(task)] {
    if (auto found = workers_.find(serial); found != workers_.end()) task(found->second);
  });
}

void SimWorkers::start(const protocol::effect::StartWorker& start) {
  auto& worker = workers_[start.serial];
  worker.activation = site_.log.begin(site_.self, start, site_.scheduler.now());
  worker.spec = start.spec;
  worker.shutdown_timeout = start.shutdown_timeout;
  log_of(worker).total = leading_number(start.state ? *start.state : start.spec->kind->args.bytes());
  worker.only_prepared = start.prepare;
  auto delay = site_.rng.between(Duration(0), site_.faults.worker_start_max);
  if (start.spec->kind->type == "slow") delay += kSlow;
  later(start.serial, delay, [this, serial = start.serial](Worker& w) { come_up(serial, w); });
}

void SimWorkers::come_up(std::uint64_t serial, Worker& worker) {
  if (worker.state != State::starting) return;
  const auto& type = worker.spec->kind->type;
  if (type == "broken") return end(serial, worker, WorkerExit::start_failed, "this type never starts");
  if (type == "picky" && worker.only_prepared)
    return end(serial, worker, WorkerExit::start_failed, "load_state threw");
  if (site_.rng.chance(site_.faults.worker_start_failure)) {
    return end(serial, worker, WorkerExit::start_failed, "the constructor threw");
  }
  if (worker.only_prepared) {
    worker.state = State::prepared;
    return site_.deliver(protocol::event::WorkerPrepared{serial});
  }
  worker.state = State::up;
  site_.log.activations[worker.activation].up = site_.scheduler.now();
  site_.deliver(protocol::event::WorkerUp{serial});
  if (type == "finisher") {
    later(serial, kFinishAfter, [this, serial](Worker& w) {
      if (w.state == State::up) end(serial, w, WorkerExit::finished, "");
    });
  }
  next_turn(serial, worker);
}

Duration SimWorkers::stop_time(const Worker& worker) {
  auto delay = site_.rng.between(Duration(0), site_.faults.worker_stop_max);
  if (worker.spec->kind->type == "slow") delay += kSlow;
  if (worker.busy_until > site_.scheduler.now())
    delay = std::max(delay, std::min(worker.busy_until - site_.scheduler.now(), worker.shutdown_timeout));
  return worker.spec->kind->type == "stuck" ? std::max(delay, worker.shutdown_timeout) : delay;
}

void SimWorkers::stop(std::uint64_t serial, StopReason) {
  auto found = workers_.find(serial);
  if (found == workers_.end() || found->second.state == State::stopping) return;
  auto& worker = found->second;
  worker.state = State::stopping;
  later(serial, stop_time(worker), [this, serial](Worker& w) {
    end(serial, w, WorkerExit::stopped,
        w.spec->kind->type == "stuck" ? "on_stop did not return in time" : "");
  });
}

void SimWorkers::post(protocol::effect::Post post) {
  auto found = workers_.find(post.serial);
  const auto takes = [](const Worker& w) { return w.state != State::frozen && w.state != State::prepared; };
  if (found == workers_.end() || !takes(found->second)) {
    // The worker ended, or froze, while the message was on its way from the core: its mailbox is gone or
    // closed.
    return site_.deliver(protocol::event::Undelivered{post.serial, post.child, std::move(post.message)});
  }
  found->second.mailbox.push_back(std::move(post.message));
  next_turn(post.serial, found->second);
}

bool SimWorkers::takes(std::uint64_t serial) const {
  const auto found = workers_.find(serial);
  return found != workers_.end() && found->second.state == State::up && may_run();
}

void SimWorkers::set_role(const protocol::effect::SetRole& change) {
  auto found = workers_.find(change.serial);
  if (found == workers_.end() || found->second.state != State::up) return;
  auto& worker = found->second;
  site_.log.role(worker.activation, change, false);
  worker.role = change;
  worker.before_role = worker.mailbox.size();
  next_turn(change.serial, worker);
}

void SimWorkers::freeze(const protocol::effect::FreezeWorker& freeze) {
  auto found = workers_.find(freeze.serial);
  if (found == workers_.end() || found->second.state != State::up) return;
  found->second.freeze = freeze;
  next_turn(freeze.serial, found->second);
}

/// A counter that gets the state of its other instance holds the sum of both.
void SimWorkers::merge(const protocol::effect::MergeState& merge) {
  auto found = workers_.find(merge.serial);
  if (found != workers_.end()) log_of(found->second).total += leading_number(*merge.state);
}

void SimWorkers::cancel_freeze(std::uint64_t serial) {
  auto found = workers_.find(serial);
  if (found == workers_.end() || !found->second.freeze) return;
  auto& worker = found->second;
  worker.freeze.reset();
  const bool saving = worker.spec->kind->type == "endless";
  site_.deliver(protocol::event::WorkerFrozen{
      serial, false, !saving, false, {}, saving ? "save_state did not return in time" : "it is busy", {}});
  next_turn(serial, worker);
}

void SimWorkers::resume(const protocol::effect::ResumeWorker& resume) {
  auto found = workers_.find(resume.serial);
  if (found == workers_.end()) return;
  auto& worker = found->second;
  if (worker.state != State::frozen && worker.state != State::prepared) return;
  site_.log.resume(worker.activation, resume.generation);
  if (worker.state == State::frozen) {
    worker.state = State::up;
    return next_turn(resume.serial, worker);
  }
  worker.state = State::starting;
  worker.only_prepared = false;
  auto delay = site_.rng.between(Duration(0), site_.faults.worker_start_max);
  if (worker.spec->kind->type == "slow") delay += kSlow;
  later(resume.serial, delay, [this, serial = resume.serial](Worker& w) { come_up(serial, w); });
}

void SimWorkers::freeze_now(std::uint64_t serial, Worker& worker) {
  const auto& type = worker.spec->kind->type;
  if (type == "endless") return;  // until it is cancelled
  const bool save = std::exchange(worker.freeze, {})->save;
  protocol::event::WorkerFrozen frozen{serial, true, false, save, {}, {}, {}};
  if (save && type == "unsaved") {
    frozen.frozen = frozen.has_state = false;
    frozen.why = "save_state threw";
    site_.deliver(std::move(frozen));
    return next_turn(serial, worker);
  }
  if (save) frozen.state = fmt::format("{}", log_of(worker).total);
  if (save && type == "heavy") frozen.state.append(100'000, ' ');
  frozen.leftovers.assign(std::make_move_iterator(worker.mailbox.begin()),
                          std::make_move_iterator(worker.mailbox.end()));
  worker.mailbox.clear();
  worker.before_role = 0;
  worker.state = State::frozen;
  site_.log.freeze(worker.activation);
  site_.deliver(std::move(frozen));
}

void SimWorkers::close_gates() { gates_open_ = false; }

void SimWorkers::open_gates() {
  gates_open_ = true;
  look_again();
}

void SimWorkers::look_again() {
  for (auto& [serial, worker] : workers_) next_turn(serial, worker);
}

void SimWorkers::kill() {
  for (auto& [serial, worker] : workers_)
    site_.log.activations[worker.activation].ended = site_.scheduler.now();
  workers_.clear();
  tasks_.clear();
}

void SimWorkers::each(const std::function<void(const Activation&, bool)>& visit) const {
  for (const auto& [serial, worker] : workers_)
    visit(site_.log.activations[worker.activation], worker.state == State::up);
}

void SimWorkers::next_turn(std::uint64_t serial, Worker& worker) {
  if (worker.turn_due || worker.state != State::up || worker.idle() || !may_run()) return;
  worker.turn_due = true;
  later(serial, site_.rng.between(Duration(0), site_.faults.worker_turn_max), [this, serial](Worker& w) {
    w.turn_due = false;
    if (w.state != State::up || !may_run() || w.idle()) return;
    w.freeze ? freeze_now(serial, w) : take_turn(serial, w);
  });
}

void SimWorkers::take_turn(std::uint64_t serial, Worker& worker) {
  if (worker.role && worker.before_role == 0) {
    const auto change = *std::exchange(worker.role, {});
    site_.log.role(worker.activation, change, true);
    site_.deliver(protocol::event::RoleTaken{serial, change.role});
    return next_turn(serial, worker);
  }
  if (worker.role) --worker.before_role;
  const auto message = std::move(worker.mailbox.front());
  worker.mailbox.pop_front();
  if (const auto number = message_number(message.body); number != 0) {
    site_.log.handled.push_back({number, worker.activation, site_.scheduler.now()});
  }
  if (!site_.rng.chance(site_.faults.worker_hang)) return finish_turn(serial, worker, message);
  // A worker that is stopped meanwhile, or replaced, never answers.
  const auto length = site_.rng.between(Duration(0), site_.faults.worker_hang_max);
  worker.busy_until = site_.scheduler.now() + length;
  worker.turn_due = true;
  later(serial, length, [this, serial, message](Worker& w) {
    w.turn_due = false;
    if (w.state == State::up) finish_turn(serial, w, message);
  });
}

void SimWorkers::finish_turn(std::uint64_t serial, Worker& worker, const protocol::PostedMessage& message) {
  handle(serial, worker, message);
  if (auto found = workers_.find(serial); found != workers_.end()) next_turn(serial, found->second);
}

void SimWorkers::handle(std::uint64_t serial, Worker& worker, const protocol::PostedMessage& message) {
  if (message.message == "crash" || site_.rng.chance(site_.faults.worker_crash)) {
    answer(message, {ErrorCode::worker_crashed, "the handler threw"});
    return end(serial, worker, WorkerExit::crashed, "the handler threw");
  }
  if (message.message == "add" || message.message == "set" || message.message == "get") {
    auto& log = log_of(worker);
    const auto given = message.message == "get" ? 0 : leading_number(message.body);
    const auto amount = message.message == "set" ? given - log.total : given;
    log.total += amount;
    log.added += amount;
    return answer(message, fmt::format("{}", log.total));
  }
  if (message.message == "mute")
    return answer(message, {ErrorCode::no_reply, "the handler dropped its Reply"});
  if (message.message == "finish" || message.message == "stop_self") {
    answer(message, Bytes("bye"));
    return end(serial, worker, message.message == "finish" ? WorkerExit::finished : WorkerExit::stop_self,
               "");
  }
  answer(message, {ErrorCode::no_such_message, "no handler for " + message.message});
}

void SimWorkers::answer(const protocol::PostedMessage& message, Result<Bytes> result) {
  if (message.reply) site_.deliver(protocol::event::WorkerAnswer{message.reply, std::move(result)});
}

void SimWorkers::end(std::uint64_t serial, Worker& worker, WorkerExit exit, std::string why) {
  auto& activation = site_.log.activations[worker.activation];
  activation.ended = site_.scheduler.now();
  activation.exit = exit;
  protocol::event::WorkerDown down{serial, exit, std::move(why), {}};
  for (auto& message : worker.mailbox) down.leftovers.push_back(std::move(message));
  workers_.erase(serial);
  site_.deliver(std::move(down));
}

}  // namespace processhub::sim
