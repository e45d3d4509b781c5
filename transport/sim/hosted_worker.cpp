#include "transport/sim/hosted_worker.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "core/make_worker.hpp"
#include "transport/sim/hosted_workers.hpp"

namespace processhub::sim {

void HostedReply::finish(Result<Bytes> answer) {
  if (std::exchange(done_, true)) return;
  // An exception on its way out of the handler destroys its Reply before anyone can say that this is a crash.
  if (!answer && answer.error().code == ErrorCode::no_reply && std::uncaught_exceptions() > 0) {
    answer = Error{ErrorCode::worker_crashed, "the handler threw"};
  }
  port_->answer(to_, std::move(answer));
}

HostedWorker::HostedWorker(HostedWorkers& host, const protocol::effect::StartWorker& start,
                           std::shared_ptr<const WorkerClass> worker_class)
    : host_(host),
      serial_(start.serial),
      generation_(start.generation),
      role_(start.role),
      spec_(start.spec),
      class_(std::move(worker_class)) {}

HostedWorker::~HostedWorker() = default;

NodeId HostedWorker::node() const { return host_.self(); }
const std::string& HostedWorker::hub_id() const { return host_.hub_id(); }

std::string HostedWorker::describe() const {
  return "child '" + spec_->id + "' (type " + spec_->kind->type + ", serial " + std::to_string(serial_) + ")";
}

std::size_t HostedWorker::waiting_messages() const {
  return static_cast<std::size_t>(std::count_if(mailbox.begin(), mailbox.end(), [](const Item& item) {
    return std::holds_alternative<protocol::PostedMessage>(item);
  }));
}

protocol::PostedMessage HostedWorker::drop_oldest() {
  const auto oldest = std::find_if(mailbox.begin(), mailbox.end(), [](const Item& item) {
    return std::holds_alternative<protocol::PostedMessage>(item);
  });
  auto message = std::get<protocol::PostedMessage>(std::move(*oldest));
  mailbox.erase(oldest);
  return message;
}

// -- what the user's code asks for

TimerId HostedWorker::add_timer(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                                std::function<void()> action) {
  const TimerId id = ++last_timer_;
  timers_.emplace(id, Timer{std::move(action), period, host_.now() + delay});
  host_.timer_in(delay, serial_, id);
  return id;
}

TimerId HostedWorker::after(std::chrono::milliseconds delay, std::function<void()> action) {
  return add_timer(std::max(delay, std::chrono::milliseconds(0)), std::chrono::milliseconds(0),
                   std::move(action));
}

TimerId HostedWorker::every(std::chrono::milliseconds period, std::function<void()> action) {
  period = std::max(period, std::chrono::milliseconds(1));
  return add_timer(period, period, std::move(action));
}

void HostedWorker::finish() {
  if (!ending) ending = protocol::WorkerExit::finished;
}

void HostedWorker::cast_raw(std::string_view to, std::string_view message, Bytes body) {
  host_.cast(to, message, std::move(body));
}

void HostedWorker::publish_raw(std::string_view topic, std::string_view message, Bytes body,
                               PublishOptions options) {
  if (const auto good = check_publication(topic, body); !good)
    throw std::invalid_argument(good.error().message);
  host_.tell(protocol::event::PublishTopic{std::string(topic), std::string(message), std::move(body),
                                           options.reliable});
}

void HostedWorker::subscribe(std::string_view pattern) {
  if (const auto good = check_topic_pattern(pattern); !good)
    throw std::invalid_argument(good.error().message);
  host_.tell(
      protocol::event::SubscribeTopic{protocol::SubscriberKind::worker, serial_, std::string(pattern)});
}

void HostedWorker::unsubscribe(std::string_view pattern) {
  if (pattern.empty()) return;
  host_.tell(
      protocol::event::UnsubscribeTopic{protocol::SubscriberKind::worker, serial_, std::string(pattern)});
}

void HostedWorker::call_raw(std::string_view to, std::string_view message, Bytes body,
                            const CallOptions& options, std::function<void(Result<Bytes>)> then) {
  const auto token = host_.call(serial_, to, message, std::move(body), options);
  if (token != 0) calls_.emplace(token, std::move(then));
}

MonitorId HostedWorker::monitor(std::string_view id, std::function<void(const ChildNews&)> then) {
  const MonitorId number = ++last_timer_;
  auto news = host_.news(std::string(id));
  monitors_.emplace(number, Monitor{news, std::move(then)});
  mailbox.emplace_back(MonitorNews{number, std::move(news)});  // it is in a turn: another one follows
  return number;
}

bool HostedWorker::tell_monitors(const ChildNews& news) {
  bool told = false;
  for (auto& [number, monitor] : monitors_) {
    if (monitor.told.id != news.id || monitor.told == news) continue;
    monitor.told = news;
    mailbox.emplace_back(MonitorNews{number, news});
    told = true;
  }
  return told;
}

// -- the user's code

void HostedWorker::construct() {
  worker_ = make_worker(*spec_->kind, class_.get(), host_.self());
  attach(*worker_, this);
  if (const auto state = std::exchange(loads, nullptr); state && class_->load) class_->load(*worker_, *state);
}

bool HostedWorker::free_to_freeze() {
  std::erase_if(open_answers, [](const auto& open) { return open->done(); });
  const bool merges = std::any_of(mailbox.begin(), mailbox.end(), [](const Item& item) {
    return std::holds_alternative<protocol::effect::MergeState>(item);
  });
  return !merges && open_answers.empty() && calls_.empty() && (!worker_ || !has_tasks(*worker_));
}

void HostedWorker::run_timer(TimerId timer) {
  auto it = timers_.find(timer);
  if (it == timers_.end()) return;             // cancelled after it came due
  auto action = std::move(it->second.action);  // it may cancel its own timer
  const bool once = it->second.period == Duration::zero();
  if (once) timers_.erase(it);
  action();
  if (once) return;
  it = timers_.find(timer);
  if (it == timers_.end()) return;
  auto& again = it->second;
  again.action = std::move(action);
  // Missed periods are skipped; the rhythm stays.
  again.due += again.period * std::max<std::int64_t>(1, (host_.now() - again.due) / again.period + 1);
  host_.timer_in(again.due - host_.now(), serial_, timer);
}

void HostedWorker::run_continuation(CallAnswered& answered) {
  auto found = calls_.extract(answered.token);
  if (found) found.mapped()(std::move(answered.answer));
}

void HostedWorker::run_monitor(const MonitorNews& news) {
  const auto found = monitors_.find(news.monitor);
  if (found == monitors_.end()) return;
  const auto then = found->second.then;  // it may end its own monitor
  then(news.news);
}

void HostedWorker::take_role(const protocol::effect::SetRole& change) {
  generation_ = change.generation;
  role_ = change.role;
  if (change.tell) worker_->on_role(change.role);
}

void HostedWorker::merge(const Bytes& state) {
  if (class_->merge) class_->merge(*worker_, state);
}

void HostedWorker::destroy() {
  if (worker_) end_tasks(*worker_);
  worker_.reset();
  timers_.clear();
  calls_.clear();
  monitors_.clear();
}

}  // namespace processhub::sim
