#include "core/runtime/worker_turn.hpp"

#include <optional>
#include <utility>

#include "processhub/future.hpp"
#include "processhub/trace.hpp"

namespace processhub {
namespace {
thread_local int depth_of_turns = 0;
}  // namespace

namespace detail {
bool inside_worker() { return depth_of_turns > 0; }
}  // namespace detail

namespace runtime {
namespace {

constexpr std::chrono::milliseconds kLongTurn{1};
constexpr std::uint32_t kLookAtClockEvery =
    8;  // items of a batch; the closed gate itself is seen before every item

struct TurnScope {
  TurnScope() { ++depth_of_turns; }
  TurnScope(const TurnScope&) = delete;
  TurnScope& operator=(const TurnScope&) = delete;
  ~TurnScope() { --depth_of_turns; }
};

}  // namespace

int turn_depth() { return depth_of_turns; }

void WorkerTurn::mark_begin() {
  if (runner_ && runner_->lane) runner_->lane->begin(cell_->serial());
}

void WorkerTurn::mark_end() {
  if (runner_ && runner_->lane) runner_->lane->end();
}

/// Keeps what the code throws in why_; false if it threw.
template <class F>
bool WorkerTurn::guarded(F&& code) {
  try {
    code();
    return true;
  } catch (const std::exception& e) {
    why_ = e.what();
  } catch (...) {
    why_ = "an exception that is no std::exception";
  }
  return false;
}

template <class F>
WorkerTurn::Step WorkerTurn::user_code(F&& code) {
  cell_->enter_user();
  mark_begin();
  const bool returned = guarded(std::forward<F>(code));
  if (!cell_->leave_user()) return Step::given_up;
  mark_end();
  return returned ? Step::done : Step::crashed;
}

TurnEnd WorkerTurn::run() {
  if (!engine_.claim(cell_, *runner_)) return TurnEnd::again;
  const TurnScope scope;
  const auto end = run_claimed();
  engine_.counters().turn(handled_);
  return end;
}

TurnEnd WorkerTurn::fail_start(const std::string& why) {
  if (!engine_.claim_for_end(cell_, *runner_)) return TurnEnd::again;
  return end_life({protocol::WorkerExit::start_failed, why}, false);
}

TurnEnd WorkerTurn::run_claimed() {
  if (!cell_->up && !cell_->stopping) {
    const auto step = cell_->constructed() ? begin_worker() : start_worker();
    if (step == Step::given_up) return come_back_late();
    if (step == Step::crashed) return end_life({protocol::WorkerExit::start_failed, why_}, false);
    if (!cell_->up && engine_.park_prepared(*cell_)) return TurnEnd::again;
  }
  auto step = Step::done;
  if (cell_->asleep() && cell_->has_items() && may_go_on(0)) step = wake_worker();
  if (step == Step::done) step = run_batch();
  if (step == Step::given_up) return come_back_late();
  if (step == Step::crashed) cell_->end_with(protocol::WorkerExit::crashed, why_);
  return finish_turn();
}

WorkerTurn::Step WorkerTurn::start_worker() {
  const auto step = user_code([this] { cell_->construct(); });
  return step == Step::done && !cell_->only_prepared ? begin_worker() : step;
}

WorkerTurn::Step WorkerTurn::begin_worker() {
  const auto step = user_code([this] { cell_->worker().on_start(cell_->start_reason()); });
  if (step != Step::done) return step;
  engine_.mark_up(*cell_);
  engine_.port().call([this](WorkerEvents& events) { events.on_worker_up(cell_->serial()); });
  return step;
}

WorkerTurn::Step WorkerTurn::wake_worker() {
  const auto step = user_code([this] {
    cell_->construct();
    cell_->worker().on_start(StartReason::activation);
  });
  if (step == Step::done) engine_.mark_awake(*cell_);
  return step;
}

/// The first item may run: claim() has looked at the gate.
bool WorkerTurn::may_go_on(std::uint32_t items) {
  if (cell_->stopping.load(std::memory_order_relaxed) || cell_->ending() || engine_.closing()) return false;
  if (items >= engine_.turn_batch() || engine_.gate().closed()) return false;
  if (cell_->freeze.load(std::memory_order_relaxed) != Freeze::no && cell_->free_to_freeze()) return false;
  return items == 0 || items % kLookAtClockEvery != 0 || (engine_.gate().may_run() && !took_long());
}

/// Slow handlers must not keep the others waiting for a whole batch of them.
bool WorkerTurn::took_long() {
  const auto now = std::chrono::steady_clock::now();
  if (first_look_ == std::chrono::steady_clock::time_point{}) first_look_ = now;
  return now - first_look_ > kLongTurn;
}

WorkerTurn::Step WorkerTurn::run_batch() {
  for (std::uint32_t items = 0; may_go_on(items); ++items) {
    bool given_up = false;
    auto item = cell_->next_item(given_up);
    if (given_up) return Step::given_up;
    if (!item) break;
    mark_begin();
    const bool fine = run_item(*item);
    MailStock::empty(*item);
    used_.push_back(std::move(item));
    if (!fine) return cell_->leave_user() ? Step::crashed : Step::given_up;
  }
  if (!cell_->leave_user()) return Step::given_up;
  mark_end();
  return Step::done;
}

bool WorkerTurn::run_item(MailItem& item) {
  if (auto* message = std::get_if<protocol::PostedMessage>(&item.work)) {
    ++handled_;
    return handle(*message, nullptr);
  }
  if (auto* answered = std::get_if<CallAnswered>(&item.work)) {
    return guarded([&] { cell_->run_continuation(*answered); });
  }
  if (const auto* change = std::get_if<RoleChange>(&item.work)) {
    if (!guarded([&] { cell_->take_role(*change); })) return false;
    engine_.port().call([&](WorkerEvents& events) { events.on_role_taken(cell_->serial(), change->role); });
    return true;
  }
  if (const auto* merge = std::get_if<StateToMerge>(&item.work)) {
    const bool merged = guarded([&] { cell_->merge(*merge->state); });
    --cell_->merges_waiting;
    return merged;
  }
  if (const auto* news = std::get_if<MonitorNews>(&item.work))
    return guarded([&] { cell_->run_monitor(*news); });
  return guarded([&] { cell_->run_timer(std::get<TimerFired>(item.work).id); });
}

/// In user code. `known`: the handler, if the caller has looked it up.
bool WorkerTurn::handle(protocol::PostedMessage& message, const HandlerEntry* known) {
  const auto* handler = known ? known : cell_->worker_class()->find(message.message);
  const HandlerFn invoke = handler ? handler->invoke : cell_->worker_class()->raw;
  if (!invoke) {
    engine_.discard(
        *cell_, message,
        {ErrorCode::no_such_message, cell_->describe() + " has no handler for '" + message.message + "'"});
    return true;
  }
  engine_.note_handled(*cell_, message);
  // An inline handler runs in the middle of somebody else's.
  std::optional<TraceScope> scope;
  if (message.trace || present_trace()) scope.emplace(message.trace ? *message.trace : Trace{});
  Delivery delivery{message.message, message.body, message.named_reply, nullptr};
  if (message.topic) {
    cell_->set_topic(message.topic);
    const bool fine = guarded([&] { invoke(cell_->worker(), delivery); });
    cell_->set_topic(nullptr);
    return fine;
  }
  if (!wants_answer(message)) return guarded([&] { invoke(cell_->worker(), delivery); });

  const auto answer = std::make_shared<WorkerAnswer>(std::shared_ptr<EventPort>(cell_, &engine_.port()),
                                                     message.reply, std::exchange(message.sink, nullptr));
  if (!cell_->answering(answer)) {
    answer->finish({ErrorCode::stopped, cell_->describe() + " was given up"});
    return true;
  }
  delivery.reply = answer;
  const bool returned = guarded([&] { invoke(cell_->worker(), delivery); });
  if (!returned) answer->finish({ErrorCode::worker_crashed, cell_->describe() + " crashed: " + why_});
  if (delivery.reply) answer->finish({ErrorCode::no_reply, "the handler did not answer"});
  cell_->answered();
  return returned;
}

void WorkerTurn::run_inline(protocol::PostedMessage& message, const HandlerEntry& handler) {
  const TurnScope scope;
  const auto begin = std::chrono::steady_clock::now();
  cell_->enter_user();
  const bool fine = handle(message, &handler);
  if (!cell_->leave_user()) {
    come_back_late();
    return;
  }
  engine_.counters().turn(1);
  const auto took = std::chrono::steady_clock::now() - begin;
  if (engine_.judge_inline(*cell_, took)) report_slow_inline(took, handler);
  // Whatever ends the worker runs on a thread of its executor: this one may be the loop.
  if (!fine) cell_->end_with(protocol::WorkerExit::crashed, why_);
  engine_.release(cell_, {});
}

void WorkerTurn::report_slow_inline(std::chrono::steady_clock::duration took, const HandlerEntry& handler) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  engine_.report(protocol::LogLevel::warn, cell_->describe() + ": inline handler '" + handler.name +
                                               "' took " + std::to_string(us) +
                                               " us; from now on this child's messages queue");
}

TurnEnd WorkerTurn::finish_turn() {
  if (const auto* ending = cell_->ending()) {
    return end_life(*ending, ending->exit != protocol::WorkerExit::crashed);
  }
  if (cell_->stopping.load(std::memory_order_relaxed))
    return end_life({protocol::WorkerExit::stopped, {}}, true);
  if (cell_->freeze.load(std::memory_order_relaxed) != Freeze::no && cell_->free_to_freeze()) return freeze();
  if (engine_.may_sleep(*cell_) && used_.empty() && cell_->free_to_sleep()) return passivate();
  engine_.release(cell_, std::move(used_));
  return TurnEnd::again;
}

/// What save_state throws is no crash: the worker goes on.
TurnEnd WorkerTurn::freeze() {
  const auto* save = &cell_->worker_class()->save;
  protocol::event::WorkerFrozen frozen{cell_->serial(), true, false, false, {}, {}, {}};
  const bool wanted = engine_.begin_saving(*cell_);
  if (wanted && cell_->asleep()) {
    frozen.state = cell_->kept_state();
    frozen.has_state = frozen.frozen = true;
  } else if (wanted && *save) {
    const auto step = user_code([&] { frozen.state = (*save)(cell_->worker()); });
    if (step == Step::given_up) return come_back_late();
    frozen.has_state = frozen.frozen = step == Step::done;
    if (step == Step::crashed) frozen.why = "save_state threw: " + why_;
  }
  if (!engine_.answer_freeze(*cell_, std::move(frozen))) engine_.release(cell_, std::move(used_));
  return TurnEnd::again;
}

/// What save_state throws is no crash here either: the worker stays awake.
TurnEnd WorkerTurn::passivate() {
  Bytes state;
  auto step = user_code([&] { state = cell_->worker_class()->save(cell_->worker()); });
  if (step == Step::given_up) return come_back_late();
  if (step == Step::crashed) {
    engine_.report(protocol::LogLevel::warn,
                   cell_->describe() + " is not passivated: save_state threw: " + why_);
  } else {
    step = user_code([&] { cell_->worker().on_stop(StopReason::passivation); });
    if (step == Step::given_up) return come_back_late();
    if (step == Step::crashed)
      engine_.report(protocol::LogLevel::warn, cell_->describe() + " was passivated: on_stop threw: " + why_);
    if (user_code([&] { cell_->put_away(std::move(state)); }) == Step::given_up) return come_back_late();
    engine_.mark_asleep(*cell_);
  }
  engine_.release(cell_, {});
  return TurnEnd::again;
}

TurnEnd WorkerTurn::end_life(Ending ending, bool call_on_stop) {
  if (call_on_stop && cell_->up && cell_->constructed()) {
    if (engine_.gate().closed()) {
      ending.why = "on_stop was left out: this node does not know what it may run";
    } else {
      engine_.arm_stop_deadline(*cell_);
      const auto reason = cell_->stopping ? cell_->stop_reason : StopReason::user;
      const auto step = user_code([&] { cell_->worker().on_stop(reason); });
      if (step == Step::given_up) return come_back_late();
      if (step == Step::crashed) ending.why = "on_stop threw: " + why_;
    }
  }
  const bool crashed =
      ending.exit == protocol::WorkerExit::crashed || ending.exit == protocol::WorkerExit::start_failed;
  if (crashed) engine_.counters().crash();
  const Error error{crashed ? ErrorCode::worker_crashed : ErrorCode::stopped,
                    cell_->describe() + (crashed ? " crashed: " + ending.why : std::string(" stopped"))};
  for (const auto& answer : cell_->take_open_answers()) answer->finish(error);
  if (user_code([this] { cell_->destroy(); }) == Step::given_up) return come_back_late();
  engine_.announce_down(*cell_, std::move(ending));
  return TurnEnd::over;
}

/// This thread was replaced and the worker's end announced while it was in the user's code; only the object
/// is left to destroy.
TurnEnd WorkerTurn::come_back_late() {
  for (const auto& answer : cell_->take_open_answers())
    answer->finish({ErrorCode::stopped, cell_->describe() + " stopped"});
  guarded([this] { cell_->destroy(); });
  return TurnEnd::given_up;
}

}  // namespace runtime
}  // namespace processhub
