#include "core/runtime/hub_loop.hpp"

#include <algorithm>
#include <utility>

namespace processhub::runtime {

namespace {

using protocol::Event;
namespace event = protocol::event;

constexpr int kFramesPerTurn = 64;  // a frame may carry many messages
constexpr Duration kArrivalTime =
    std::chrono::microseconds(1000);  // of one turn, spent on what the network brought
constexpr Duration kCommandTime = std::chrono::microseconds(1500);  // of one turn, spent on commands
constexpr std::size_t kClockEvery = 16;                             // commands between two looks at the clock
constexpr Duration kShortTurn = std::chrono::milliseconds(2);
constexpr Duration kLongTurn = std::chrono::milliseconds(4);
constexpr std::size_t kSmallestSlice = 125;                // children looked at by each part of the core
constexpr Duration kAnswerTime = std::chrono::seconds(5);  // for a call whose own deadline is unknown

}  // namespace

HubLoop::HubLoop(World world)
    : world_(std::move(world)),
      answers_(world_.callbacks),
      performer_(*world_.transport, world_.host, world_.traffic, answers_, world_.hooks, world_.log,
                 world_.admin) {}

HubLoop::~HubLoop() {
  stop(StopWorkers::at_once);
  join();
}

void HubLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void HubLoop::stop(StopWorkers how) {
  if (stopping_.load()) return;
  how_.store(how);
  stopping_.store(true);
  wake();
}

void HubLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void HubLoop::run() {
  loop_thread_.store(std::this_thread::get_id());
  see_time();
  world_.core->start(now_, effects_);
  finish_turn();
  while (!stopping_.load() && !performer_.terminated()) turn();
  wind_down();
}

void HubLoop::turn() {
  const bool sleep = !more_ && arrivals_.empty() && line_.done() && express_.done() && own_answers_.empty() &&
                     world_.commands.prepare_to_sleep();
  look_at_network(sleep ? idle_time() : Duration(0));
  turn_began_ = now_;
  world_.core->set_tap(world_.tap.open() ? &world_.tap : nullptr);
  take_arrivals();
  take_commands();
  see_time();
  more_ = world_.core->run(now_, effects_, slice_) || more_;
  world_.core->flush(now_, effects_);
  finish_turn();
  account();
  adapt_slice();
  world_.tap.expire(now_);
}

/// The same work takes longer when others use the processor, too.
void HubLoop::adapt_slice() {
  const auto took = boot_now() - turn_began_;
  if (took > kLongTurn) slice_ = std::max(slice_ / 2, kSmallestSlice);
  if (took < kShortTurn) slice_ = std::min(slice_ * 2, protocol::HubCore::kSlice);
}

/// Short enough for the core, for open calls, and to prove to the workers that the loop lives. Also while
/// idle a caller's new deadline counts: it is seen either here or by due_at().
Duration HubLoop::idle_time() {
  see_time();
  const Duration pulse = Duration(world_.config.stall_limit) / 4;
  auto until = std::min(world_.core->next_deadline(), now_ + pulse);
  sleeps_until_.store(until.count());
  until = std::min(until, world_.calls.earliest());
  return std::max(until - now_, Duration(0));
}

void HubLoop::look_at_network(Duration timeout) {
  busy_since_ = kNever;
  more_ = !arrivals_.empty() || world_.transport->poll(timeout, *this, kFramesPerTurn);
  sleeps_until_.store(0);
  wake_up();
}

/// A frame may carry hundreds of specs: what does not fit into this turn waits, and the network waits behind
/// it.
void HubLoop::take_arrivals() {
  const auto limit = now_ + kArrivalTime;
  while (!arrivals_.empty() && now_ < limit) {
    step_core(std::move(arrivals_.front()));
    arrivals_.pop_front();
    see_time();
  }
  more_ = more_ || !arrivals_.empty();
}

/// The wait has ended: with the first thing that arrived, or with nothing.
void HubLoop::wake_up() {
  see_time();
  busy_since_ = std::min(busy_since_, now_);
}

/// What may pass the others goes first, but while others wait only every other time: there is no end to it.
void HubLoop::take_commands() {
  if (express_.done()) {
    express_.clear();
    if (line_.done()) {
      line_.clear();
      if (!world_.commands.take(line_.items, express_.items)) return;
      own_stats_.queue_wait_max = std::max(own_stats_.queue_wait_max, now_ - world_.commands.waiting_since());
    } else if (std::exchange(line_waited_, !line_waited_)) {
      world_.commands.take_express(express_.items);
    }
  }
  const auto limit = now_ + kCommandTime;
  carry_out(express_, limit);
  if (express_.done()) carry_out(line_, limit);
}

void HubLoop::carry_out(Batch& batch, Time limit) {
  while (!batch.done() && now_ < limit) {
    step(std::move(batch.items[batch.next++]));
    if (batch.next % kClockEvery == 0) see_time();
  }
}

bool HubLoop::take_answer(protocol::ReplyRef to, Result<Bytes>& answer) {
  if (loop_thread_.load(std::memory_order_relaxed) != std::this_thread::get_id()) return false;
  own_answers_.push_back({to, std::move(answer)});
  return true;
}

/// Inline handlers answer, and messages turn out to have no worker, while the effects are carried out: the
/// core hears of it afterwards.
void HubLoop::take_what_effects_caused() {
  auto undelivered = performer_.take_undelivered();
  const bool measure = performer_.take_measure();
  if (own_answers_.empty() && undelivered.empty() && !measure) return;
  for (auto& answer : own_answers_) step_core(std::move(answer));
  own_answers_.clear();
  for (auto& message : undelivered) step_core(std::move(message));
  if (measure) step_core(event::LoadMeasured{meter_.measure()});
  if (!deaf_) world_.core->flush(now_, effects_);
  performer_.perform(effects_);
}

void HubLoop::step(Command&& command) {
  if (!std::holds_alternative<std::monostate>(command.answer))
    answers_.open(command.token, std::move(command.answer));
  if (command.lane != LoopTraffic::kNone) taken_lanes_.push_back(command.lane);
  if (command.place == Place::fence) world_.commands.passed_fence();
  if (auto* down = std::get_if<event::WorkerDown>(&command.event)) {
    performer_.worker_is_down(down->serial);
    return requeue_open_calls(*down);
  }
  if (auto* frozen = std::get_if<event::WorkerFrozen>(&command.event)) return requeue_open_calls(*frozen);
  world_.core->step(now_, std::move(command.event), effects_);
}

/// Calls of this process that a worker left behind know nothing of the core: they become calls of their own,
/// and so do the casts behind the first of them, so that no message overtakes an earlier one.
template <class Left>
void HubLoop::requeue_open_calls(Left& left) {
  const auto first = std::find_if(left.leftovers.begin(), left.leftovers.end(),
                                  [](const auto& m) { return m.sink != nullptr; });
  std::vector<protocol::PostedMessage> again;
  const auto kept =
      std::stable_partition(first, left.leftovers.end(), [](const auto& m) { return bool(m.reply); });
  std::move(kept, left.leftovers.end(), std::back_inserter(again));
  left.leftovers.erase(kept, left.leftovers.end());
  world_.core->step(now_, std::move(left), effects_);

  std::string child;
  for (auto& m : again) {
    if (!m.sink) {
      step_core(event::CastChild{child, std::move(m.message), std::move(m.body), std::move(m.trace)});
      continue;
    }
    const auto* call = dynamic_cast<const OpenCall*>(m.sink.get());
    if (call == nullptr) {
      m.sink->finish({ErrorCode::stopped, "the worker stopped"});
      continue;
    }
    child = call->child();
    const auto left =
        call->deadline() == kNever ? kAnswerTime : std::max(call->deadline() - now_, Duration(1));
    const auto token = world_.new_token();
    answers_.open(token, std::make_shared<CallTo>(
                             [sink = m.sink](Result<Bytes> answer) { sink->finish(std::move(answer)); }));
    step_core(event::CallChild{token, child, std::move(m.message), std::move(m.body), left, m.named_reply,
                               std::move(m.trace)});
  }
}

/// Effects first, then what other threads read, then what tells them to read it.
void HubLoop::finish_turn() {
  performer_.perform(effects_);
  take_what_effects_caused();
  for (const auto lane : taken_lanes_) world_.traffic.leave(lane);
  taken_lanes_.clear();
  publish_registry();
  if (auto changed = world_.core->take_cluster_change()) world_.cluster.publish(std::move(*changed));
  performer_.settle();
  world_.calls.expire(now_);
  world_.hooks.report_slow(now_);
  vouch();
}

void HubLoop::publish_registry() {
  auto changes = world_.core->take_registry_changes();
  std::vector<std::string> ids;
  if (world_.watch.any())
    for (const auto& change : changes) ids.push_back(change.id);
  world_.registry.apply(std::move(changes));
  for (const auto& id : ids) world_.watch.changed(id);
}

/// With the time the core has seen, not the present: after a gap the core gets to close the gates first.
void HubLoop::vouch() {
  world_.host.set_alive_until(
      std::min(now_ + Duration(world_.config.stall_limit), world_.core->turns_until()));
}

void HubLoop::account() {
  const auto lag = boot_now() - busy_since_;
  own_stats_.loop_lag_max = std::max(own_stats_.loop_lag_max, lag);
  lag_average_ += (static_cast<double>(lag.count()) - lag_average_) / 64;
  auto stats = world_.core->stats();
  stats.loop_lag_max = own_stats_.loop_lag_max;
  stats.loop_lag_avg = Duration(static_cast<Duration::rep>(lag_average_));
  stats.queue_wait_max = std::max(stats.queue_wait_max, own_stats_.queue_wait_max);
  stats.send_refusals += performer_.send_refusals();
  meters_.lag.note(lag);
  meters_.core = world_.core->meters();
  world_.cluster.publish(stats, meters_);
}

void HubLoop::wind_down() {
  const auto error = ending();
  if (performer_.terminated())
    world_.log.error(LogPart::hub, "this node ends: " + performer_.why_terminated());
  deaf_ = true;
  if (performer_.terminated() || how_.load() == StopWorkers::gracefully) stop_workers();
  world_.host.close_gates();
  world_.commands.close();
  drop_commands(error);
  answers_.end_all(error);
  world_.calls.end_all(error);
  world_.transport->close();
  world_.cluster.end(performer_.why_terminated());
  if (performer_.terminated()) world_.on_terminated();
}

Error HubLoop::ending() const {
  if (performer_.terminated()) return {ErrorCode::stopped, "the hub ended: " + performer_.why_terminated()};
  return {ErrorCode::stopped, "the hub stopped"};
}

/// Waits until every worker has ended, at most the longest shutdown_timeout and a second; those that hang are
/// the host's to report.
void HubLoop::stop_workers() {
  const auto reason = performer_.terminated() ? StopReason::conflict : StopReason::shutdown;
  performer_.running().for_each([&](std::uint64_t serial) { world_.host.stop(serial, reason); });
  see_time();
  const auto deadline = now_ + Duration(world_.config.shutdown_timeout) + std::chrono::seconds(1);
  while (!performer_.running().empty() && now_ < deadline) {
    vouch();
    const bool sleep = world_.commands.prepare_to_sleep();
    world_.transport->poll(sleep ? Duration(std::chrono::milliseconds(50)) : Duration(0), *this,
                           kFramesPerTurn);
    see_time();
    drop_commands(ending());
  }
}

/// Takes what is in the queue; only the ends of workers still count.
void HubLoop::drop_commands(const Error& error) {
  do {
    for (auto* batch : {&express_, &line_}) {
      for (; !batch->done(); ++batch->next) drop(batch->items[batch->next], error);
      batch->clear();
    }
  } while (world_.commands.take(line_.items, express_.items));
}

void HubLoop::drop(Command& command, const Error& error) {
  OpenAnswers::end(world_.callbacks, std::move(command.answer), error);
  world_.traffic.leave(command.lane);
  if (command.place == Place::fence) world_.commands.passed_fence();
  auto* down = std::get_if<event::WorkerDown>(&command.event);
  auto* frozen = std::get_if<event::WorkerFrozen>(&command.event);
  if (down != nullptr) performer_.worker_is_down(down->serial);
  if (down == nullptr && frozen == nullptr) return;
  for (auto& m : down != nullptr ? down->leftovers : frozen->leftovers) {
    if (m.sink) m.sink->finish(error);
  }
}

void HubLoop::arrived(Event&& event) {
  if (busy_since_ == kNever) wake_up();
  if (!deaf_) arrivals_.push_back(std::move(event));
}

void HubLoop::step_core(Event&& event) {
  if (!deaf_) world_.core->step(now_, std::move(event), effects_);
}

void HubLoop::on_link_frame(LinkId link, std::string_view frame) {
  arrived(event::LinkFrame{link, Bytes(frame)});
}

void HubLoop::on_route_frame(RouteId route, std::string_view frame) {
  arrived(event::RouteFrame{route, Bytes(frame)});
}

void HubLoop::on_publication(std::string_view frame) {
  arrived(event::Publication{std::make_shared<const Bytes>(frame)});
}

void HubLoop::on_link_up(LinkId link) { arrived(event::LinkUp{link}); }

void HubLoop::on_link_down(LinkId link, bool refused) { arrived(event::LinkDown{link, refused}); }

}  // namespace processhub::runtime
