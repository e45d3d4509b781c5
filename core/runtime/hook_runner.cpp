#include "core/runtime/hook_runner.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/runtime/clock.hpp"

namespace processhub::runtime {

namespace {

constexpr std::size_t kMaxQueued = 100'000;
constexpr Duration kSlow = std::chrono::seconds(1);

thread_local bool this_is_a_hook_thread = false;

Result<void> check(const Hook& hook, const std::vector<std::string>& events) {
  if (hook.id.empty()) return {ErrorCode::invalid, "a hook has no id"};
  const std::string what = "hook '" + hook.id + "'";
  if (hook.event == kAlterHook) {
    if (!hook.alter || hook.handler)
      return {ErrorCode::invalid, what + ": child_data takes `alter` and no `handler`"};
    return {};
  }
  if (std::find(events.begin(), events.end(), hook.event) == events.end()) {
    return {ErrorCode::invalid, what + ": there is no event '" + hook.event + "'"};
  }
  if (!hook.handler || hook.alter) {
    return {ErrorCode::invalid, what + ": " + hook.event + " takes `handler` and no `alter`"};
  }
  return {};
}

}  // namespace

HookRunner::HookRunner(std::function<void(std::string)> report, Duration deadline)
    : report_(std::move(report)),
      thread_([this] { work(); }),
      alterer_(deadline, [this](const std::string& id, const std::string& what) { threw(id, what); }) {}

HookRunner::~HookRunner() { stop(); }

Result<void> HookRunner::add(std::vector<Hook> hooks) {
  const auto events = hook_names();
  for (const auto& hook : hooks) {
    if (auto checked = check(hook, events); !checked) return checked;
  }
  std::vector<std::string> ids;
  for (const auto& hook : hooks) ids.push_back(hook.id);
  cancel(ids);
  std::lock_guard lock(table_mutex_);
  for (auto& hook : hooks) {
    auto& table = tables_[hook.event];
    auto next = table ? std::make_shared<Table>(*table) : std::make_shared<Table>();
    std::erase_if(*next, [&](const auto& other) { return other->hook.id == hook.id; });
    next->push_back(std::make_shared<const Registered>(Registered{std::move(hook), next_order_++}));
    std::sort(next->begin(), next->end(), [](const auto& a, const auto& b) {
      return std::pair(a->hook.priority, a->order) < std::pair(b->hook.priority, b->order);
    });
    table = std::move(next);
  }
  publish_wanted();
  return {};
}

std::size_t HookRunner::cancel(const std::vector<std::string>& ids) {
  std::lock_guard lock(table_mutex_);
  std::size_t cancelled = 0;
  for (auto& [event, table] : tables_) {
    auto next = std::make_shared<Table>(*table);
    cancelled += std::erase_if(*next, [&](const auto& registered) {
      return std::find(ids.begin(), ids.end(), registered->hook.id) != ids.end();
    });
    table = std::move(next);
  }
  publish_wanted();
  return cancelled;
}

std::vector<HookInfo> HookRunner::list() const {
  std::lock_guard lock(table_mutex_);
  std::vector<HookInfo> out;
  for (const auto& [event, table] : tables_) {
    for (const auto& registered : *table) {
      out.push_back({registered->hook.id, registered->hook.event, registered->hook.priority});
    }
  }
  return out;
}

void HookRunner::publish_wanted() {
  const auto names = hook_names();
  static_assert(std::variant_size_v<HookEvent> <= 64);
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto table = tables_.find(names[i]);
    if (table != tables_.end() && !table->second->empty()) wanted |= std::uint64_t{1} << i;
  }
  wanted_.store(wanted);
  const auto alter = tables_.find(kAlterHook);
  alters_.store(alter != tables_.end() && !alter->second->empty());
}

void HookRunner::emit(HookEvent event) {
  if (const auto* dead = std::get_if<hook::DeadLetter>(&event))
    return dead_letter(dead->id, dead->message, dead->why);
  if (wanted(event.index())) enqueue(std::move(event));
}

void HookRunner::dead_letter(std::string_view id, std::string_view message, std::string_view why) {
  const auto now = boot_now();
  std::optional<hook::DeadLetter> told;
  std::optional<std::string> line;
  {
    std::lock_guard lock(dead_mutex_);
    told = dead_letters_.note(now, id, message, why);
    line = dead_letters_.line(now);
  }
  pass_on(std::move(told), line);
}

/// The end of a flood, which no later letter tells of.
void HookRunner::tell_dead_letters(Time now) {
  std::optional<hook::DeadLetter> told;
  std::optional<std::string> line;
  {
    std::lock_guard lock(dead_mutex_);
    told = dead_letters_.due(now);
    line = dead_letters_.line(now);
  }
  pass_on(std::move(told), line);
}

void HookRunner::pass_on(std::optional<hook::DeadLetter> told, const std::optional<std::string>& line) {
  if (line) report_(*line);
  if (!told) return;
  HookEvent event(std::move(*told));
  if (wanted(event.index())) enqueue(std::move(event));
}

void HookRunner::alter(std::vector<ChildSpec> specs, SpecAlterer::Done done) {
  std::vector<Hook> handlers;
  if (const auto table = table_of(kAlterHook)) {
    for (const auto& registered : *table) handlers.push_back(registered->hook);
  }
  alterer_.alter(std::move(handlers), std::move(specs), std::move(done));
}

void HookRunner::on_event(std::string name, Hub::EventHandler handler) {
  std::lock_guard lock(table_mutex_);
  if (handler) {
    user_handlers_[std::move(name)] = std::move(handler);
  } else {
    user_handlers_.erase(name);
  }
}

void HookRunner::user_event(std::string name, NodeId from, Bytes body) {
  enqueue(UserEvent{std::move(name), from, std::move(body)});
}

SubscriptionId HookRunner::subscribe(std::string pattern, TopicHandler handler) {
  std::lock_guard lock(table_mutex_);
  const auto id = ++last_subscription_;
  subscriptions_[id] = {std::move(pattern), std::make_shared<const TopicHandler>(std::move(handler)), 0};
  return id;
}

void HookRunner::unsubscribe(SubscriptionId id) {
  std::lock_guard lock(table_mutex_);
  subscriptions_.erase(id);
}

std::vector<std::pair<SubscriptionId, std::string>> HookRunner::subscriptions() const {
  std::lock_guard lock(table_mutex_);
  std::vector<std::pair<SubscriptionId, std::string>> out;
  for (const auto& [id, subscription] : subscriptions_) out.emplace_back(id, subscription.pattern);
  return out;
}

void HookRunner::published(SubscriptionId id, std::shared_ptr<const TopicMessage> message) {
  if (enqueue(Published{id, std::move(message)})) return;
  std::lock_guard lock(table_mutex_);
  if (const auto found = subscriptions_.find(id); found != subscriptions_.end()) ++found->second.dropped;
}

void HookRunner::report_slow(Time now) {
  tell_dead_letters(now);
  slow_ += alterer_.expire(now);
  std::string id;
  {
    std::lock_guard lock(running_mutex_);
    if (running_.id.empty() || running_.reported || now - running_.since <= kSlow) return;
    running_.reported = true;
    id = running_.id;
  }
  ++slow_;
  report_("hook '" + id + "' has been running for more than a second; other hooks wait for it");
}

void HookRunner::stop() {
  alterer_.stop();
  {
    std::lock_guard lock(queue_mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool HookRunner::on_hook_thread() { return this_is_a_hook_thread; }

HookRunner::Counters HookRunner::counters() const { return {threw_.load(), slow_.load(), dropped_.load()}; }

std::shared_ptr<const HookRunner::Table> HookRunner::table_of(std::string_view event) const {
  std::lock_guard lock(table_mutex_);
  auto found = tables_.find(event);
  return found != tables_.end() ? found->second : nullptr;
}

bool HookRunner::enqueue(Item item) {
  {
    std::lock_guard lock(queue_mutex_);
    if (stopping_) return true;
    if (queue_.size() >= kMaxQueued) {
      if (dropped_++ == 0) report_("hook events are dropped: 100,000 wait for slow handlers");
      return false;
    }
    queue_.push_back(std::move(item));
  }
  more_.notify_one();
  return true;
}

void HookRunner::work() {
  this_is_a_hook_thread = true;
  std::unique_lock lock(queue_mutex_);
  for (;;) {
    more_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    std::visit([&](const auto& event) { run(event); }, item);
    lock.lock();
  }
}

void HookRunner::run(const HookEvent& event) {
  const auto table = table_of(hook_name(event));
  if (!table) return;
  for (const auto& registered : *table)
    guarded(registered->hook.id, [&] { registered->hook.handler(event); });
}

void HookRunner::run(const UserEvent& event) {
  Hub::EventHandler handler;
  {
    std::lock_guard lock(table_mutex_);
    if (auto found = user_handlers_.find(event.name); found != user_handlers_.end()) handler = found->second;
  }
  if (handler) guarded("event " + event.name, [&] { handler(event.from, event.body); });
}

void HookRunner::run(const Published& published) {
  std::shared_ptr<const TopicHandler> handler;
  std::uint64_t dropped = 0;
  {
    std::lock_guard lock(table_mutex_);
    const auto found = subscriptions_.find(published.id);
    if (found == subscriptions_.end()) return;
    handler = found->second.handler;
    dropped = std::exchange(found->second.dropped, 0);
  }
  const auto call = [&](const TopicMessage& m) { guarded("topic " + m.topic, [&] { (*handler)(m); }); };
  if (dropped == 0) return call(*published.message);
  auto with_gap = *published.message;
  with_gap.missed += dropped;
  call(with_gap);
}

void HookRunner::guarded(const std::string& id, const std::function<void()>& handler) {
  watch(id);
  try {
    handler();
  } catch (const std::exception& e) {
    threw(id, e.what());
  } catch (...) {
    threw(id, "something that is no std::exception");
  }
  report_slow(boot_now());  // the loop may not have looked while it ran
  watch({});
}

void HookRunner::watch(const std::string& id) {
  std::lock_guard lock(running_mutex_);
  running_ = {id, boot_now(), false};
}

void HookRunner::threw(const std::string& id, const std::string& what) {
  ++threw_;
  report_("hook '" + id + "' threw: " + what);
}

}  // namespace processhub::runtime
