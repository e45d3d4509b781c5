#include "core/runtime/worker_engine.hpp"

#include <algorithm>
#include <system_error>

#include "core/runtime/tap.hpp"
#include "core/runtime/worker_turn.hpp"

namespace processhub::runtime {
namespace {

constexpr std::uint32_t kHeldUp =
    64;  // items at a worker that waits for this very thread: another one should take it
constexpr int kMaxInlineDepth = 4;  // inline handlers that deliver to inline handlers; deeper ones queue

std::uint32_t pool_size(const HubConfig& config) {
  return config.pool_threads > 0 ? config.pool_threads : std::max(2U, std::thread::hardware_concurrency());
}

constexpr int kFarBeyond = 100;  // times the limit: no scheduler's doing

constexpr std::size_t kSmallBody = 64 * 1024;

Error mailbox_full() { return {ErrorCode::overloaded, "the worker's mailbox is full"}; }

}  // namespace

WorkerEngine::WorkerEngine(const HubConfig& config, NodeId self, std::shared_ptr<const WorkerTypes> types,
                           WorkerEvents& events, Tap* tap)
    : self_(self),
      hub_id_(config.hub_id),
      types_(std::move(types)),
      mailbox_limit_(std::max(1U, config.mailbox_limit)),
      mailbox_bytes_(config.mailbox_bytes),
      policy_(config.mailbox_policy == "block"         ? MailboxPolicy::block
              : config.mailbox_policy == "drop_oldest" ? MailboxPolicy::drop_oldest
                                                       : MailboxPolicy::reject),
      turn_batch_(std::max(1U, config.turn_batch)),
      inline_limit_(config.inline_limit),
      shutdown_timeout_(config.shutdown_timeout),
      port_(events),
      pool_(pool_size(config)),
      watches_(pool_.threads()),
      tap_(tap) {}

// -- WorkerHost

void WorkerEngine::start(const protocol::effect::StartWorker& start) {
  loop_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  const auto worker_class = types_->find(start.spec->kind->type);
  auto cell = std::make_shared<WorkerCell>(shared_from_this(), start, worker_class.get());
  auto& shard = table_.shard(start.serial);
  {
    Lock lock(shard.mutex);
    if (closing()) return;
    shard.cells.emplace(start.serial, cell);
  }
  schedule(std::move(cell));
}

void WorkerEngine::stop(std::uint64_t serial, StopReason reason) {
  auto& shard = table_.shard(serial);
  Lock lock(shard.mutex);
  auto it = shard.cells.find(serial);
  if (it == shard.cells.end() || it->second->stopping) return;
  CellPtr cell = it->second;
  cell->stop_reason = reason;
  cell->stopping = true;
  shard.tell_waiting_senders();
  if (cell->state == CellState::running) {
    lock.unlock();
    return arm_stop_deadline(*cell);
  }
  cell->state = CellState::queued;  // if it was parked at the gate, a second entry in the queue does no harm
  lock.unlock();
  schedule(std::move(cell));
}

void WorkerEngine::set_role(const protocol::effect::SetRole& change) {
  if (const auto cell = find(change.serial))
    enqueue(cell, RoleChange{change.generation.epoch, change.role, change.tell});
}

void WorkerEngine::close_gates() {
  reschedule(gate_.close());
  release_waiting_senders();
}

void WorkerEngine::set_alive_until(Time deadline) {
  loop_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  reschedule(gate_.set_alive_until(deadline));
}

WorkerHost::Load WorkerEngine::load() {
  WorkerHost::Load out;
  for (auto& shard : table_.shards()) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [serial, cell] : shard.cells) {
      const std::uint64_t waiting = cell->inbox.messages() + cell->batch_messages();
      ++out.workers;
      out.passivated += cell->asleep() ? 1 : 0;
      out.waiting += waiting;
      if (waiting <= out.largest) continue;
      out.largest = waiting;
      out.largest_id = cell->id();
    }
  }
  out.threads = pool_.threads();
  for (std::uint32_t i = 0; i < out.threads; ++i) out.busy += pool_.lane(i).serial() != 0 ? 1 : 0;
  return out;
}

void WorkerEngine::note_handled(const WorkerCell& cell, const protocol::PostedMessage& message) {
  if (tap_ != nullptr && tap_->open() && !closing()) {
    const auto kind = message.topic ? "topic" : wants_answer(message) ? "call" : "cast";
    const std::string_view topic =
        message.topic ? std::string_view(message.topic->topic) : std::string_view();
    tap_->note({protocol::Hop::handled, kind, message.reply.origin, cell.id(), message.message, topic,
                message.reply.token, message.body, message.trace.get()});
  }
  if (message.trace)
    report(protocol::LogLevel::debug,
           cell.describe() + " handles " + message.message + ", trace " + message.trace->str());
}

// -- admission

bool WorkerEngine::deliver(std::uint64_t serial, protocol::PostedMessage& message, Path path) {
  auto& shard = table_.shard(serial);
  Lock lock(shard.mutex);
  for (;;) {
    auto it = shard.cells.find(serial);
    if (it == shard.cells.end() || !admits(*it->second, path)) return false;
    if (!full(*it->second, message)) {
      admit(lock, shard, it->second, message);
      return true;
    }
    if (policy_ == MailboxPolicy::block && may_wait(path)) {
      ++shard.waiting_for_room;
      shard.room.wait(lock);
      --shard.waiting_for_room;
      continue;
    }
    const CellPtr cell = it->second;
    if (policy_ == MailboxPolicy::drop_oldest) {
      MailQueue dropped;
      while (full(*cell, message)) {
        auto oldest = drop_oldest(*cell);
        if (!oldest) break;  // the running turn has it
        dropped.push_back(std::move(oldest));
      }
      admit(lock, shard, cell, message);
      while (auto item = dropped.pop_front())
        discard(*cell, std::get<protocol::PostedMessage>(item->work), mailbox_full());
    } else {
      lock.unlock();
      discard(*cell, message, mailbox_full());
    }
    return true;
  }
}

bool WorkerEngine::admits(const WorkerCell& cell, Path path) const {
  if (closing()) return false;
  if (cell.state == CellState::frozen) return false;
  if (path == Path::loop) return true;
  return cell.up && !cell.stopping.load(std::memory_order_relaxed) && !gate_.closed();
}

/// The last one may exceed the bytes; small ones have some room behind large ones.
bool WorkerEngine::full(const WorkerCell& cell, const protocol::PostedMessage& message) const {
  if (cell.inbox.messages() + cell.batch_messages() >= mailbox_limit_) return true;
  const auto waiting = (std::uint64_t{cell.inbox.weight()} + cell.batch_weight()) * 64;
  return waiting >= mailbox_bytes_ + (message.body.size() <= kSmallBody ? mailbox_bytes_ / 8 : 0);
}

bool WorkerEngine::may_wait(Path path) const {
  return path == Path::direct && turn_depth() == 0 &&
         loop_thread_.load(std::memory_order_relaxed) != std::this_thread::get_id();
}

std::unique_ptr<MailItem> WorkerEngine::drop_oldest(WorkerCell& cell) {
  if (auto item = cell.drop_oldest_of_batch()) return item;
  return cell.inbox.drop_oldest_message();
}

/// Ends with the lock released.
void WorkerEngine::admit(Lock& lock, Shard& shard, const CellPtr& cell, protocol::PostedMessage& message) {
  if (const auto* handler = inline_handler(*cell, message)) {
    cell->state = CellState::running;
    cell->runner = nullptr;
    WorkerTurn turn(*this, cell, nullptr);
    lock.unlock();
    return turn.run_inline(message, *handler);
  }
  cell->inbox.push_back(shard.stock.take(message));
  if (cell->state != CellState::idle) {
    const bool held_up = cell->state == CellState::queued && cell->inbox.size() == kHeldUp;
    lock.unlock();
    if (held_up) pool_.rescue_own();
    return;
  }
  cell->state = CellState::queued;
  CellPtr due = cell;
  lock.unlock();
  schedule(std::move(due));
}

/// The handler to run right here, if that is allowed now.
const HandlerEntry* WorkerEngine::inline_handler(const WorkerCell& cell,
                                                 const protocol::PostedMessage& message) const {
  if (!cell.has_inline_handlers() || cell.state != CellState::idle || !cell.up || cell.asleep())
    return nullptr;
  if (!cell.inlines.allowed()) return nullptr;
  const auto* handler = cell.worker_class()->find(message.message);
  if (!handler || !handler->run_inline || turn_depth() >= kMaxInlineDepth || !gate_.may_run()) return nullptr;
  return handler;
}

void WorkerEngine::enqueue(const CellPtr& cell, InnerWork work) {
  auto& shard = table_.shard(cell->serial());
  Lock lock(shard.mutex);
  if (cell->gone() || closing()) return;
  auto item = shard.stock.take();
  std::visit([&](auto& w) { item->work = std::move(w); }, work);
  cell->inbox.push_back(std::move(item));
  if (cell->state != CellState::idle) return;
  cell->state = CellState::queued;
  lock.unlock();
  schedule(cell);
}

void WorkerEngine::discard(const WorkerCell& cell, protocol::PostedMessage& message, Error why) {
  if (why.code == ErrorCode::overloaded) counters_.mailbox_full();
  if (wants_answer(message)) return answer_now(port_, message, std::move(why));
  counters_.dead_letter();
  port_.call([&](WorkerEvents& events) { events.on_dead_letter(cell.id(), message.message, why.message); });
}

void WorkerEngine::report(protocol::LogLevel level, std::string text) {
  port_.call([&](WorkerEvents& events) { events.on_report(level, std::move(text)); });
}

// -- schedule

void WorkerEngine::schedule(CellPtr cell) {
  if (cell->has_thread.load(std::memory_order_acquire)) return cell->signal->raise();
  pool_.push(std::move(cell));
}

void WorkerEngine::reschedule(TurnGate::Cells cells) {
  for (auto& cell : cells) schedule(std::move(cell));
}

bool WorkerEngine::claim(const CellPtr& cell, const Runner& runner) {
  auto& shard = table_.shard(cell->serial());
  Lock lock(shard.mutex);
  if (cell->state != CellState::queued || closing()) return false;
  // A worker may be stopped behind a closed gate (its on_stop is left out); past the deadline even that
  // waits.
  const bool ends_now = cell->stopping && gate_.closed();
  if (!ends_now && !gate_.may_run()) {
    lock.unlock();
    if (!gate_.park(cell)) schedule(cell);
    return false;
  }
  take_over(*cell, runner);
  return true;
}

bool WorkerEngine::claim_for_end(const CellPtr& cell, const Runner& runner) {
  std::lock_guard lock(table_.shard(cell->serial()).mutex);
  if (cell->state != CellState::queued) return false;
  take_over(*cell, runner);
  return true;
}

void WorkerEngine::take_over(WorkerCell& cell, const Runner& runner) {
  cell.state = CellState::running;
  cell.runner = &runner;
  cell.load_batch(std::exchange(cell.inbox, {}));
}

void WorkerEngine::release(const CellPtr& cell, MailQueue used) {
  auto& shard = table_.shard(cell->serial());
  Lock lock(shard.mutex);
  const Runner* runner = std::exchange(cell->runner, nullptr);
  cell->inbox.prepend(cell->unload_batch());
  shard.stock.put(used);
  shard.tell_waiting_senders();
  const bool freezes = cell->freeze != Freeze::no && cell->free_to_freeze();  // asked for since it was looked
  const bool waits = cell->hold ? cell->inbox.has_inner() : !cell->inbox.empty();
  const bool more = waits || cell->stopping || cell->ending() || freezes;
  cell->state = more ? CellState::queued : CellState::idle;
  if (cell->passivation) cell->passivation->last_used = std::chrono::steady_clock::now();
  lock.unlock();
  if (!more) return;
  if (runner && runner->lane) return pool_.push_last(*runner->lane, cell);
  schedule(cell);
}

void WorkerEngine::mark_up(WorkerCell& cell) {
  {
    std::lock_guard lock(table_.shard(cell.serial()).mutex);
    cell.up = true;
  }
  if (cell.passivation) mark_awake(cell);
}

bool WorkerEngine::judge_inline(WorkerCell& cell, std::chrono::steady_clock::duration took) {
  if (took <= inline_limit_) {
    cell.inlines.ran_in_time();
    return false;
  }
  counters_.slow_inline();
  return cell.inlines.overran(took > kFarBeyond * inline_limit_);
}

void WorkerEngine::announce_down(WorkerCell& cell, Ending ending) {
  protocol::event::WorkerDown down{cell.serial(), ending.exit, std::move(ending.why), remove(cell)};
  port_.call([&](WorkerEvents& events) { events.on_worker_down(std::move(down)); });
}

std::vector<protocol::PostedMessage> WorkerEngine::remove(WorkerCell& cell) {
  auto& shard = table_.shard(cell.serial());
  MailQueue left;
  CellPtr keep;
  {
    std::lock_guard lock(shard.mutex);
    cell.state = CellState::gone;
    cell.runner = nullptr;
    left = cell.unload_batch();
    left.append(std::exchange(cell.inbox, {}));
    if (auto it = shard.cells.find(cell.serial()); it != shard.cells.end()) {
      keep = std::move(it->second);
      shard.cells.erase(it);
    }
    shard.tell_waiting_senders();
  }
  return left.take_messages();
}

}  // namespace processhub::runtime
