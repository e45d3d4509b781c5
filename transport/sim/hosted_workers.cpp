#include "transport/sim/hosted_workers.hpp"

#include <algorithm>
#include <utility>

namespace processhub::sim {

using protocol::WorkerExit;

HostedWorkers::HostedWorkers(WorkerSite site, std::shared_ptr<HostedClasses> classes)
    : site_(std::move(site)),
      classes_(std::move(classes)),
      port_(std::make_shared<ReplyPort>(ReplyPort{site_.deliver, true})) {}

HostedWorkers::~HostedWorkers() { kill(); }

WorkersFactory hosted_workers(std::shared_ptr<HostedClasses> classes) {
  return [classes = std::move(classes)](WorkerSite site) {
    return std::make_unique<HostedWorkers>(std::move(site), classes);
  };
}

void HostedWorkers::later(std::uint64_t serial, Duration delay, std::function<void(HostedWorker&)> task) {
  tasks_.after(delay, [this, serial, task = std::move(task)] {
    if (auto found = workers_.find(serial); found != workers_.end()) task(*found->second);
  });
}

std::optional<std::string> HostedWorkers::guarded(const std::function<void()>& code) {
  struct Inside {
    explicit Inside(int& depth) : depth_(depth) { ++depth_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --depth_; }
    int& depth_;
  } const inside(classes_->inside);
  try {
    code();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

// -- what the core asks for

void HostedWorkers::start(const protocol::effect::StartWorker& start) {
  auto worker = std::make_unique<HostedWorker>(*this, start, classes_->types.find(start.spec->kind->type));
  worker->activation = site_.log.begin(site_.self, start, now());
  worker->only_prepared = start.prepare;
  worker->loads = start.state;
  workers_[start.serial] = std::move(worker);
  later(start.serial, site_.rng.between(Duration(0), site_.faults.worker_start_max),
        [this](HostedWorker& w) { come_up(w); });
}

void HostedWorkers::come_up(HostedWorker& worker) {
  if (worker.state != HostedWorker::State::starting) return;
  if (site_.rng.chance(site_.faults.worker_start_failure)) {
    return end(worker, WorkerExit::start_failed, "fault worker_start_failure", false);
  }
  if (const auto threw = guarded([&] { worker.construct(); }))
    return end(worker, WorkerExit::start_failed, *threw, false);
  if (!worker.only_prepared) return begin(worker);
  worker.state = HostedWorker::State::prepared;
  site_.deliver(protocol::event::WorkerPrepared{worker.serial()});
}

void HostedWorkers::begin(HostedWorker& worker) {
  if (worker.state != HostedWorker::State::starting) return;
  const auto reason = log_of(worker).reason;
  if (const auto threw = guarded([&] { worker.object()->on_start(reason); }))
    return end(worker, WorkerExit::start_failed, *threw, false);
  worker.state = HostedWorker::State::up;
  log_of(worker).up = now();
  site_.deliver(protocol::event::WorkerUp{worker.serial()});
  if (worker.ending) return end(worker, *worker.ending, {}, true);
  awake(worker);
  next_turn(worker);
}

void HostedWorkers::stop(std::uint64_t serial, StopReason reason) {
  auto found = workers_.find(serial);
  if (found == workers_.end() || found->second->state == HostedWorker::State::stopping) return;
  auto& worker = *found->second;
  worker.state = HostedWorker::State::stopping;
  worker.stop_reason = reason;
  later(serial, site_.rng.between(Duration(0), site_.faults.worker_stop_max),
        [this](HostedWorker& w) { end(w, WorkerExit::stopped, {}, true); });
}

void HostedWorkers::post(protocol::effect::Post post) {
  auto found = workers_.find(post.serial);
  auto& message = post.message;
  const auto takes = [](const HostedWorker& w) {
    return w.state != HostedWorker::State::frozen && w.state != HostedWorker::State::prepared;
  };
  if (found == workers_.end() || !takes(*found->second))
    return site_.deliver(protocol::event::Undelivered{post.serial, post.child, std::move(message)});
  auto& worker = *found->second;
  const auto limit = std::max(1U, site_.config.mailbox_limit);
  if (worker.mailbox.size() >= limit && worker.waiting_messages() >= limit) {
    Error full{ErrorCode::overloaded, "the worker's mailbox is full"};
    if (site_.config.mailbox_policy != "drop_oldest") return discard(message, std::move(full));
    auto oldest = worker.drop_oldest();
    discard(oldest, std::move(full));
  }
  worker.mailbox.emplace_back(std::move(message));
  next_turn(worker);
}

bool HostedWorkers::takes(std::uint64_t serial) const {
  const auto found = workers_.find(serial);
  return found != workers_.end() && found->second->state == HostedWorker::State::up && gates_open_ &&
         site_.may_run();
}

void HostedWorkers::set_role(const protocol::effect::SetRole& change) {
  auto found = workers_.find(change.serial);
  if (found == workers_.end() || found->second->state != HostedWorker::State::up) return;
  site_.log.role(found->second->activation, change, false);
  found->second->mailbox.emplace_back(change);
  next_turn(*found->second);
}

void HostedWorkers::freeze(const protocol::effect::FreezeWorker& freeze) {
  auto found = workers_.find(freeze.serial);
  if (found == workers_.end() || found->second->state != HostedWorker::State::up) return;
  found->second->freeze = freeze;
  next_turn(*found->second);
}

void HostedWorkers::merge(const protocol::effect::MergeState& merge) {
  auto found = workers_.find(merge.serial);
  if (found == workers_.end()) return;
  found->second->mailbox.emplace_back(merge);
  next_turn(*found->second);
}

void HostedWorkers::cancel_freeze(std::uint64_t serial) {
  auto found = workers_.find(serial);
  if (found == workers_.end() || !std::exchange(found->second->freeze, {})) return;
  next_turn(*found->second);
  site_.deliver(
      protocol::event::WorkerFrozen{serial, false, true, false, {}, "it waits for answers of its own", {}});
}

void HostedWorkers::resume(const protocol::effect::ResumeWorker& resume) {
  auto found = workers_.find(resume.serial);
  if (found == workers_.end()) return;
  auto& worker = *found->second;
  const bool frozen = worker.state == HostedWorker::State::frozen;
  if (!frozen && worker.state != HostedWorker::State::prepared) return;
  site_.log.resume(worker.activation, resume.generation);
  worker.set_generation(resume.generation);
  worker.state = frozen ? HostedWorker::State::up : HostedWorker::State::starting;
  if (frozen) return next_turn(worker);
  later(resume.serial, site_.rng.between(Duration(0), site_.faults.worker_start_max),
        [this](HostedWorker& w) { begin(w); });
}

/// What save_state throws is no crash: the worker goes on.
void HostedWorkers::freeze_now(HostedWorker& worker) {
  const auto& save = worker.worker_class()->save;
  protocol::event::WorkerFrozen frozen{worker.serial(), true, false, false, {}, {}, {}};
  const bool wanted = std::exchange(worker.freeze, {})->save;
  if (wanted && worker.asleep) {
    frozen.state = *worker.loads;
    frozen.frozen = frozen.has_state = true;
  } else if (wanted && save) {
    const auto threw = guarded([&] { frozen.state = save(*worker.object()); });
    frozen.frozen = frozen.has_state = !threw;
    if (threw) frozen.why = "save_state threw: " + *threw;
  }
  if (frozen.frozen) {
    std::deque<HostedWorker::Item> others;
    for (auto& item : worker.mailbox) {
      if (auto* message = std::get_if<protocol::PostedMessage>(&item))
        frozen.leftovers.push_back(std::move(*message));
      else
        others.push_back(std::move(item));
    }
    worker.mailbox = std::move(others);
    worker.state = HostedWorker::State::frozen;
    site_.log.freeze(worker.activation);
  }
  const bool goes_on = !frozen.frozen;
  site_.deliver(std::move(frozen));
  if (goes_on) next_turn(worker);
}

void HostedWorkers::open_gates() {
  gates_open_ = true;
  look_again();
}

void HostedWorkers::look_again() {
  for (auto& [serial, worker] : workers_) next_turn(*worker);
}

void HostedWorkers::call_ended(protocol::Token token, Result<Bytes> answer) {
  auto waiting = calls_.extract(token);
  if (!waiting) return;
  auto found = workers_.find(waiting.mapped());
  if (found == workers_.end()) return;  // its continuations went with it
  found->second->mailbox.emplace_back(HostedWorker::CallAnswered{token, std::move(answer)});
  next_turn(*found->second);
}

void HostedWorkers::child_changed(const std::string& id) {
  std::optional<ChildNews> now;
  for (auto& [serial, worker] : workers_) {
    if (!worker->monitors_any()) continue;
    if (!now) now = news(id);
    if (worker->tell_monitors(*now)) next_turn(*worker);
  }
}

void HostedWorkers::kill() {
  port_->open = false;
  tasks_.clear();
  for (auto& [serial, worker] : workers_) log_of(*worker).ended = now();
  // No on_stop: the objects go only because a test must not leak. Nothing that they still say is heard.
  auto gone = std::exchange(workers_, {});
  for (auto& [serial, worker] : gone) guarded([&w = *worker] { w.destroy(); });
  calls_.clear();
}

void HostedWorkers::each(const std::function<void(const Activation&, bool)>& visit) const {
  for (const auto& [serial, worker] : workers_)
    visit(site_.log.activations[worker->activation], worker->state == HostedWorker::State::up);
}

Worker* HostedWorkers::instance(std::uint64_t serial) const {
  auto found = workers_.find(serial);
  return found == workers_.end() ? nullptr : found->second->object();
}

// -- what workers ask for

void HostedWorkers::timer_in(Duration delay, std::uint64_t serial, TimerId timer) {
  if (!port_->open) return;
  later(serial, delay, [this, timer](HostedWorker& w) {
    w.mailbox.emplace_back(HostedWorker::TimerFired{timer});
    next_turn(w);
  });
}

void HostedWorkers::tell(protocol::Event event) {
  if (port_->open) site_.deliver(std::move(event));
}

void HostedWorkers::cast(std::string_view to, std::string_view message, Bytes body) {
  if (!port_->open) return;
  site_.deliver(protocol::event::CastChild{std::string(to), std::string(message), std::move(body)});
}

protocol::Token HostedWorkers::call(std::uint64_t serial, std::string_view to, std::string_view message,
                                    Bytes body, const CallOptions& options) {
  if (!port_->open) return 0;
  const auto token = ++last_call_;
  calls_.emplace(token, serial);
  protocol::event::CallChild call;
  call.token = token;
  call.id = to;
  call.message = message;
  call.body = std::move(body);
  call.timeout = options.timeout;
  call.retry = options.retry;
  site_.deliver(std::move(call));
  return token;
}

// -- turns

namespace {

bool freezes(HostedWorker& worker) { return worker.freeze && worker.free_to_freeze(); }

/// What it takes next: while it is held, nothing but what it waits for.
std::deque<HostedWorker::Item>::iterator next_item(HostedWorker& worker) {
  const bool held = worker.freeze && worker.freeze->hold;
  return std::find_if(worker.mailbox.begin(), worker.mailbox.end(), [&](const HostedWorker::Item& item) {
    return !held || !std::holds_alternative<protocol::PostedMessage>(item);
  });
}

}  // namespace

bool HostedWorkers::may_run(HostedWorker& worker) const {
  return worker.state == HostedWorker::State::up && gates_open_ && site_.may_run() &&
         (freezes(worker) || next_item(worker) != worker.mailbox.end());
}

void HostedWorkers::next_turn(HostedWorker& worker) {
  if (worker.turn_due || !may_run(worker)) return;
  worker.turn_due = true;
  later(worker.serial(), site_.rng.between(Duration(0), site_.faults.worker_turn_max),
        [this](HostedWorker& w) {
          w.turn_due = false;
          if (may_run(w)) freezes(w) ? freeze_now(w) : take_turn(w);
        });
}

void HostedWorkers::take_turn(HostedWorker& worker) {
  std::string why;
  if (worker.asleep && !wake(worker, why)) return end(worker, WorkerExit::crashed, std::move(why), false);
  const auto next = next_item(worker);
  auto item = std::move(*next);
  worker.mailbox.erase(next);
  if (!take(worker, item, why)) return end(worker, WorkerExit::crashed, std::move(why), false);
  worker.last_used = now();
  if (worker.ending) return end(worker, *worker.ending, {}, true);
  next_turn(worker);
}

// -- passivation

void HostedWorkers::awake(HostedWorker& worker) {
  worker.last_used = now();
  if (const auto after = worker.passivate_after())
    later(worker.serial(), *after, [this](HostedWorker& w) { look_whether_idle(w); });
}

/// Looks again in any case while it is awake: it may have a reason to stay so.
void HostedWorkers::look_whether_idle(HostedWorker& worker) {
  if (worker.asleep) return;
  const Duration after = *worker.passivate_after();
  const auto due = worker.last_used + after;
  const bool idles = due <= now() && worker.state == HostedWorker::State::up && worker.mailbox.empty() &&
                     !worker.freeze && gates_open_ && site_.may_run() && worker.free_to_sleep();
  if (idles && put_away(worker)) return;
  later(worker.serial(), due > now() ? due - now() : after,
        [this](HostedWorker& w) { look_whether_idle(w); });
}

/// False: save_state threw, and it stays awake.
bool HostedWorkers::put_away(HostedWorker& worker) {
  Bytes state;
  if (guarded([&] { state = worker.worker_class()->save(*worker.object()); })) return false;
  guarded([&] { worker.object()->on_stop(StopReason::passivation); });
  worker.destroy();
  worker.loads = std::make_shared<const Bytes>(std::move(state));
  worker.asleep = true;
  if (worker.ending) end(worker, *worker.ending, {}, true);
  return true;
}

bool HostedWorkers::wake(HostedWorker& worker, std::string& why) {
  const auto threw = guarded([&] {
    worker.construct();
    worker.object()->on_start(StartReason::activation);
  });
  if (threw) why = *threw;
  worker.asleep = false;
  awake(worker);
  return !threw;
}

/// False: the user's code threw.
bool HostedWorkers::take(HostedWorker& worker, HostedWorker::Item& item, std::string& why) {
  if (auto* message = std::get_if<protocol::PostedMessage>(&item)) return handle(worker, *message, why);
  const auto threw = guarded([&] {
    if (auto* answered = std::get_if<HostedWorker::CallAnswered>(&item)) {
      worker.run_continuation(*answered);
    } else if (const auto* news = std::get_if<HostedWorker::MonitorNews>(&item)) {
      worker.run_monitor(*news);
    } else if (const auto* change = std::get_if<protocol::effect::SetRole>(&item)) {
      worker.take_role(*change);
    } else if (const auto* merge = std::get_if<protocol::effect::MergeState>(&item)) {
      worker.merge(*merge->state);
    } else {
      worker.run_timer(std::get<HostedWorker::TimerFired>(item).id);
    }
  });
  if (threw) why = *threw;
  if (const auto* change = std::get_if<protocol::effect::SetRole>(&item); change != nullptr && !threw) {
    site_.log.role(worker.activation, *change, true);
    site_.deliver(protocol::event::RoleTaken{worker.serial(), change->role});
  }
  return !threw;
}

bool HostedWorkers::handle(HostedWorker& worker, protocol::PostedMessage& message, std::string& why) {
  if (site_.rng.chance(site_.faults.worker_crash)) {
    why = "fault worker_crash";
    discard(message, {ErrorCode::worker_crashed, worker.describe() + " crashed: " + why});
    return false;
  }
  const auto* handler = worker.worker_class()->find(message.message);
  const HandlerFn invoke = handler ? handler->invoke : worker.worker_class()->raw;
  if (!invoke) {
    discard(message, {ErrorCode::no_such_message,
                      worker.describe() + " has no handler for '" + message.message + "'"});
    return true;
  }
  Delivery delivery{message.message, message.body, message.named_reply, nullptr};
  std::shared_ptr<HostedReply> answer;
  if (message.reply) delivery.reply = answer = std::make_shared<HostedReply>(port_, message.reply);
  worker.set_topic(std::move(message.topic));
  const auto threw = guarded([&] { invoke(*worker.object(), delivery); });
  worker.set_topic(nullptr);
  if (threw) why = *threw;
  if (answer) {
    if (threw) answer->finish({ErrorCode::worker_crashed, worker.describe() + " crashed: " + why});
    if (delivery.reply) answer->finish({ErrorCode::no_reply, "the handler did not answer"});
    std::erase_if(worker.open_answers, [](const auto& open) { return open->done(); });
    if (!answer->done()) worker.open_answers.push_back(std::move(answer));
  }
  return !threw;
}

void HostedWorkers::discard(protocol::PostedMessage& message, Error why) {
  if (message.reply) return port_->answer(message.reply, std::move(why));
  ++dead_letters_;
}

void HostedWorkers::end(HostedWorker& worker, WorkerExit exit, std::string why, bool call_on_stop) {
  if (call_on_stop && log_of(worker).up && worker.object() != nullptr) {
    if (!gates_open_) {
      why = "on_stop was left out: this node does not know what it may run";
    } else if (auto threw = guarded([&] { worker.object()->on_stop(worker.stop_reason); })) {
      why = "on_stop threw: " + *threw;
    }
  }
  const bool crashed = exit == WorkerExit::crashed || exit == WorkerExit::start_failed;
  const Error error{crashed ? ErrorCode::worker_crashed : ErrorCode::stopped,
                    worker.describe() + (crashed ? " crashed: " + why : std::string(" stopped"))};
  for (const auto& answer : std::exchange(worker.open_answers, {})) answer->finish(error);
  guarded([&] { worker.destroy(); });
  log_of(worker).ended = now();
  log_of(worker).exit = exit;
  protocol::event::WorkerDown down{worker.serial(), exit, std::move(why), {}};
  for (auto& item : worker.mailbox) {
    if (auto* message = std::get_if<protocol::PostedMessage>(&item))
      down.leftovers.push_back(std::move(*message));
  }
  workers_.erase(worker.serial());
  site_.deliver(std::move(down));
}

}  // namespace processhub::sim
