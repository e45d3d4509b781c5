#include "core/runtime/worker_cell.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/make_worker.hpp"
#include "core/runtime/worker_engine.hpp"

namespace processhub::runtime {

void DedicatedSignal::raise() {
  std::lock_guard lock(mutex_);
  raised_ = true;
  changed_.notify_one();
}

void DedicatedSignal::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

bool DedicatedSignal::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return raised_ || closed_; });
  raised_ = false;
  return !closed_;
}

namespace {
std::unique_ptr<Passivation> passivation_of(const ChildSpec& spec) {
  if (!spec.passivate_after) return nullptr;
  auto out = std::make_unique<Passivation>();
  out->after = *spec.passivate_after;
  return out;
}
}  // namespace

WorkerCell::WorkerCell(std::shared_ptr<WorkerEngine> engine, const protocol::effect::StartWorker& start,
                       const WorkerClass* worker_class)
    : passivation(passivation_of(*start.spec->kind)),
      has_inline_handlers_(worker_class &&
                           std::any_of(worker_class->handlers.begin(), worker_class->handlers.end(),
                                       [](const HandlerEntry& h) { return h.run_inline; })),
      role_(start.role),
      start_reason_(start.reason),
      restarts_(start.generation.restarts),
      serial_(start.serial),
      epoch_(start.generation.epoch),
      shutdown_timeout_(start.shutdown_timeout),
      spec_(start.spec),
      class_(worker_class),
      engine_(std::move(engine)),
      state_(start.state) {
  only_prepared = start.prepare;
}

WorkerCell::~WorkerCell() = default;

NodeId WorkerCell::node() const { return engine_->self(); }
const std::string& WorkerCell::hub_id() const { return engine_->hub_id(); }

std::string WorkerCell::describe() const {
  return "child '" + spec_->id + "' (type " + spec_->kind->type + ", serial " + std::to_string(serial()) +
         ")";
}

// -- what the user's code asks for

WorkerCell::Own& WorkerCell::own() {
  if (!own_) own_ = std::make_unique<Own>();
  return *own_;
}

TimerId WorkerCell::add_timer(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                              std::function<void()> action) {
  const TimerId id = ++own().last_id;
  const auto due = WorkerTimers::Clock::now() + delay;
  own().timers.emplace(id, Timer{std::move(action), period, due});
  engine_->timers().arm({due, serial(), id});
  return id;
}

TimerId WorkerCell::after(std::chrono::milliseconds delay, std::function<void()> action) {
  return add_timer(std::max(delay, std::chrono::milliseconds(0)), std::chrono::milliseconds(0),
                   std::move(action));
}

TimerId WorkerCell::every(std::chrono::milliseconds period, std::function<void()> action) {
  period = std::max(period, std::chrono::milliseconds(1));
  return add_timer(period, period, std::move(action));
}

void WorkerCell::cancel(TimerId timer) {
  if (!own_) return;
  auto it = own_->timers.find(timer);
  if (it == own_->timers.end()) return;
  engine_->timers().disarm({it->second.due, serial(), timer});
  own_->timers.erase(it);
}

void WorkerCell::end_with(protocol::WorkerExit exit, std::string why) {
  ending_ = std::make_unique<Ending>(Ending{exit, std::move(why)});
}

void WorkerCell::finish() {
  if (!ending_) end_with(protocol::WorkerExit::finished, {});
}

void WorkerCell::stop_self() { end_with(protocol::WorkerExit::stop_self, {}); }

void WorkerCell::cast_raw(std::string_view to, std::string_view message, Bytes body) {
  if (given_up()) return;
  engine_->port().call([&](WorkerEvents& events) { events.cast_from_worker(to, message, std::move(body)); });
}

void WorkerCell::publish_raw(std::string_view topic, std::string_view message, Bytes body,
                             PublishOptions options) {
  if (given_up()) return;
  if (const auto good = check_publication(topic, body); !good)
    throw std::invalid_argument(good.error().message);
  engine_->port().call([&](WorkerEvents& events) {
    events.topic_from_worker(protocol::event::PublishTopic{std::string(topic), std::string(message),
                                                           std::move(body), options.reliable});
  });
}

void WorkerCell::subscribe(std::string_view pattern) {
  if (given_up()) return;
  if (const auto good = check_topic_pattern(pattern); !good)
    throw std::invalid_argument(good.error().message);
  engine_->port().call([&](WorkerEvents& events) {
    events.topic_from_worker(
        protocol::event::SubscribeTopic{protocol::SubscriberKind::worker, serial(), std::string(pattern)});
  });
}

void WorkerCell::unsubscribe(std::string_view pattern) {
  if (given_up() || pattern.empty()) return;
  engine_->port().call([&](WorkerEvents& events) {
    events.topic_from_worker(
        protocol::event::UnsubscribeTopic{protocol::SubscriberKind::worker, serial(), std::string(pattern)});
  });
}

MonitorId WorkerCell::monitor(std::string_view id, std::function<void(const ChildNews&)> then) {
  const MonitorId monitor = ++own().last_id;
  own().monitors.emplace(monitor, std::move(then));
  if (!given_up())
    engine_->port().call([&](WorkerEvents& events) { events.monitor_from_worker(serial(), monitor, id); });
  return monitor;
}

void WorkerCell::unmonitor(MonitorId monitor) {
  if (!own_ || own_->monitors.erase(monitor) == 0) return;
  engine_->port().call([&](WorkerEvents& events) { events.unmonitor_from_worker(serial(), monitor); });
}

void WorkerCell::call_raw(std::string_view to, std::string_view message, Bytes body,
                          const CallOptions& options, std::function<void(Result<Bytes>)> then) {
  if (given_up()) return;
  auto cell = engine_->find(serial());
  if (!cell) return;
  const TraceScope scope(options.trace ? options.trace : present_trace());
  const std::uint64_t call = ++own().last_id;
  own().calls.emplace(call, Continuation{std::move(then), present_trace()});
  // The continuation stays here: it must run, or be destroyed, on this worker's turns only.
  auto done = [cell = std::move(cell), call](Result<Bytes> answer) {
    cell->engine_->enqueue(cell, CallAnswered{call, std::move(answer)});
  };
  engine_->port().call([&](WorkerEvents& events) {
    events.call_from_worker(to, message, std::move(body), options, std::move(done));
  });
}

// -- the user's code

void WorkerCell::construct() {
  worker_ = make_worker(*spec_->kind, class_, engine_->self());
  attach(*worker_, this);
  if (const auto state = std::exchange(state_, nullptr); state && class_->load)
    class_->load(*worker_, *state);
}

bool WorkerCell::free_to_freeze() {
  if ((own_ && !own_->calls.empty()) || (worker_ && has_tasks(*worker_)) || merges_waiting.load() > 0)
    return false;
  std::lock_guard lock(turn_lock_);
  if (!callers_) return true;
  std::erase_if(callers_->open, [](const auto& answer) { return answer->done(); });
  return callers_->open.empty();
}

bool WorkerCell::free_to_sleep() {
  return free_to_freeze() && (!own_ || (own_->timers.empty() && own_->monitors.empty()));
}

void WorkerCell::put_away(Bytes state) {
  destroy();
  state_ = std::make_shared<const Bytes>(std::move(state));
}

void WorkerCell::run_timer(TimerId timer) {
  if (!own_) return;
  auto it = own_->timers.find(timer);
  if (it == own_->timers.end()) return;        // cancelled after it came due
  auto action = std::move(it->second.action);  // it may cancel its own timer
  const bool once = it->second.period == WorkerTimers::Clock::duration::zero();
  if (once) own_->timers.erase(it);
  action();
  if (once) return;
  it = own_->timers.find(timer);
  if (it == own_->timers.end()) return;
  auto& again = it->second;
  again.action = std::move(action);
  // Missed periods are skipped; the rhythm stays.
  const auto now = WorkerTimers::Clock::now();
  again.due += again.period * std::max<std::int64_t>(1, (now - again.due) / again.period + 1);
  engine_->timers().arm({again.due, serial(), timer});
}

void WorkerCell::run_continuation(CallAnswered& answered) {
  if (!own_) return;
  auto found = own_->calls.extract(answered.call);
  if (!found) return;
  const TraceScope scope(found.mapped().trace);
  found.mapped().then(std::move(answered.answer));
}

void WorkerCell::run_monitor(const MonitorNews& news) {
  if (!own_) return;
  const auto found = own_->monitors.find(news.monitor);
  if (found == own_->monitors.end()) return;  // ended after this was on its way
  const auto then = found->second;            // it may end its own monitor
  then(*news.news);
}

void WorkerCell::take_role(const RoleChange& change) {
  epoch_ = change.epoch;
  role_ = change.role;
  if (change.tell) worker_->on_role(change.role);
}

void WorkerCell::merge(const Bytes& state) {
  if (class_->merge) class_->merge(*worker_, state);
}

void WorkerCell::destroy() {
  if (worker_) end_tasks(*worker_);
  worker_.reset();
  if (!own_) return;
  if (!own_->monitors.empty())
    engine_->port().call([&](WorkerEvents& events) { events.unmonitor_from_worker(serial(), 0); });
  for (const auto& [id, timer] : own_->timers) engine_->timers().disarm({timer.due, serial(), id});
  own_.reset();
}

// -- the turn lock

void WorkerCell::show_batch() {
  batch_messages_.store(batch_.messages(), std::memory_order_relaxed);
  batch_weight_.store(batch_.weight(), std::memory_order_relaxed);
}

void WorkerCell::enter_user() {
  std::lock_guard lock(turn_lock_);
  in_user_ = true;
}

bool WorkerCell::leave_user() {
  std::lock_guard lock(turn_lock_);
  in_user_ = false;
  return !given_up();
}

std::unique_ptr<MailItem> WorkerCell::next_item(bool& given_up_now) {
  std::lock_guard lock(turn_lock_);
  given_up_now = given_up();
  in_user_ = false;
  if (given_up_now) return nullptr;
  auto item = hold.load(std::memory_order_relaxed) ? batch_.pop_inner() : batch_.pop_front();
  show_batch();
  in_user_ = item != nullptr;
  return item;
}

bool WorkerCell::answering(const std::shared_ptr<WorkerAnswer>& answer) {
  std::lock_guard lock(turn_lock_);
  if (given_up()) return false;
  if (!callers_) callers_ = std::make_unique<Callers>();
  callers_->current = answer;
  return true;
}

void WorkerCell::answered() {
  std::lock_guard lock(turn_lock_);
  if (!callers_) return;  // given up: they have their answers
  auto answer = std::exchange(callers_->current, nullptr);
  if (!answer || answer->done()) return;
  auto& open = callers_->open;
  if (open.size() == open.capacity()) std::erase_if(open, [](const auto& a) { return a->done(); });
  open.push_back(std::move(answer));
}

std::vector<std::shared_ptr<WorkerAnswer>> WorkerCell::take_open_answers() {
  std::lock_guard lock(turn_lock_);
  const auto callers = std::exchange(callers_, nullptr);
  if (!callers) return {};
  auto open = std::move(callers->open);
  if (callers->current) open.push_back(std::move(callers->current));
  return open;
}

void WorkerCell::load_batch(MailQueue&& batch) {
  std::lock_guard lock(turn_lock_);
  batch_ = std::move(batch);
  show_batch();
}

bool WorkerCell::has_items() {
  std::lock_guard lock(turn_lock_);
  return !batch_.empty();
}

MailQueue WorkerCell::unload_batch() {
  std::lock_guard lock(turn_lock_);
  auto batch = std::exchange(batch_, {});
  show_batch();
  return batch;
}

std::unique_ptr<MailItem> WorkerCell::drop_oldest_of_batch() {
  std::lock_guard lock(turn_lock_);
  auto item = batch_.drop_oldest_message();
  show_batch();
  return item;
}

bool WorkerCell::give_up() {
  std::lock_guard lock(turn_lock_);
  if (!in_user_) return false;
  given_up_.store(true, std::memory_order_relaxed);
  return true;
}

}  // namespace processhub::runtime
