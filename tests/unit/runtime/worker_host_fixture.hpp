// A WorkerHost with everything around it that its tests look at: recorded events, routes between workers,
// messages by hand.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/runtime/worker_host.hpp"
#include "processhub/future.hpp"
#include "processhub/message.hpp"

namespace worker_host_test {

using namespace processhub;           // NOLINT(google-build-using-namespace): a test's own header
using namespace processhub::runtime;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using protocol::PostedMessage;
using protocol::WorkerExit;
using protocol::event::WorkerDown;

constexpr auto kPatience = 20s;

/// What worker and test tell each other; any thread.
class Log {
 public:
  void add(std::string line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  bool has(const std::string& line) const { return count(line) > 0; }
  std::size_t count(const std::string& line) const {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(lines_.begin(), lines_.end(), line));
  }
  bool wait_for(const std::string& line, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] {
      return static_cast<std::size_t>(std::count(lines_.begin(), lines_.end(), line)) >= times;
    });
  }

 private:
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  std::vector<std::string> lines_{};
};

/// A door that handlers wait at.
class Door {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  bool open_ = false;
};

template <class F>
bool eventually(F condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// The answer to a call made straight from this process; a second answer is a failure.
class CaughtAnswer : public ReplySink {
 public:
  void finish(Result<Bytes> answer) override {
    std::lock_guard lock(mutex_);
    ++times_;
    if (!answer_) answer_ = std::move(answer);
    changed_.notify_all();
  }
  /// "ok:…" or the error code's name.
  std::string wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return answer_.has_value(); })) return "nothing";
    return *answer_ ? "ok" : std::string(to_string(answer_->error().code));
  }
  int times() const {
    std::lock_guard lock(mutex_);
    return times_;
  }
  Result<Bytes> answer() const {
    std::lock_guard lock(mutex_);
    return answer_.value();
  }

 private:
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  std::optional<Result<Bytes>> answer_{};
  int times_ = 0;
};

class Recorder : public WorkerEvents {
 public:
  void on_worker_up(std::uint64_t serial) override {
    std::lock_guard lock(mutex_);
    ups_.push_back(serial);
    changed_.notify_all();
  }
  void on_role_taken(std::uint64_t serial, Role role) override {
    std::lock_guard lock(mutex_);
    roles_.emplace_back(serial, role);
    changed_.notify_all();
  }
  void on_worker_frozen(protocol::event::WorkerFrozen frozen) override {
    std::lock_guard lock(mutex_);
    frozen_.push_back(std::move(frozen));
    changed_.notify_all();
  }
  void on_worker_prepared(std::uint64_t serial) override {
    std::lock_guard lock(mutex_);
    prepared_.push_back(serial);
    changed_.notify_all();
  }
  void on_worker_down(WorkerDown down) override {
    std::lock_guard lock(mutex_);
    downs_.push_back(std::move(down));
    changed_.notify_all();
  }
  void on_answer(protocol::ReplyRef to, Result<Bytes> answer) override {
    std::lock_guard lock(mutex_);
    answers_[to.token].push_back(answer ? "ok" : std::string(to_string(answer.error().code)));
    changed_.notify_all();
  }
  void topic_from_worker(protocol::Event) override {}
  void cast_from_worker(std::string_view to, std::string_view message, Bytes body) override {
    PostedMessage m{std::string(message), std::move(body), false, {}, {}};
    host->deliver(routes.at(std::string(to)), std::move(m));
  }
  void call_from_worker(std::string_view to, std::string_view message, Bytes body, const CallOptions&,
                        std::function<void(Result<Bytes>)> done) override {
    struct Back : ReplySink {
      explicit Back(std::function<void(Result<Bytes>)> d) : done(std::move(d)) {}
      void finish(Result<Bytes> answer) override { done(std::move(answer)); }
      std::function<void(Result<Bytes>)> done;
    };
    PostedMessage m{
        std::string(message), std::move(body), false, {}, std::make_shared<Back>(std::move(done))};
    auto sink = m.sink;
    if (!host->deliver(routes.at(std::string(to)), std::move(m)))
      sink->finish({ErrorCode::no_such_child, "not here"});
  }
  void monitor_from_worker(std::uint64_t, MonitorId, std::string_view) override {}
  void unmonitor_from_worker(std::uint64_t, MonitorId) override {}
  void on_dead_letter(std::string_view child, std::string_view message, std::string_view why) override {
    on_report({},
              "dead letter " + std::string(message) + " for " + std::string(child) + ": " + std::string(why));
  }
  void on_report(protocol::LogLevel, std::string text) override {
    std::lock_guard lock(mutex_);
    reports_.push_back(std::move(text));
    changed_.notify_all();
  }

  bool wait_up(std::uint64_t serial) {
    return wait([&] { return std::count(ups_.begin(), ups_.end(), serial) > 0; });
  }
  /// The end of a worker; its serial is 0 if it did not end in time.
  WorkerDown wait_down(std::uint64_t serial) {
    WorkerDown found{};
    wait([&] {
      for (auto& down : downs_) {
        if (down.serial == serial) found = down;
      }
      return found.serial != 0;
    });
    return found;
  }
  /// The answer to a freeze; its serial is 0 if none came in time.
  protocol::event::WorkerFrozen wait_frozen(std::uint64_t serial) {
    protocol::event::WorkerFrozen found{};
    wait([&] {
      for (auto& frozen : frozen_)
        if (frozen.serial == serial) found = std::exchange(frozen, {});
      return found.serial != 0;
    });
    return found;
  }
  bool wait_prepared(std::uint64_t serial) {
    return wait([&] { return std::count(prepared_.begin(), prepared_.end(), serial) > 0; });
  }
  std::string wait_answer(protocol::Token token) {
    std::string all;
    wait([&] { return answers_.contains(token); });
    std::lock_guard lock(mutex_);
    for (const auto& a : answers_[token]) all += (all.empty() ? "" : ",") + a;
    return all;
  }
  bool wait_report(const std::string& part) {
    return wait([&] {
      return std::any_of(reports_.begin(), reports_.end(),
                         [&](const auto& r) { return r.find(part) != std::string::npos; });
    });
  }
  /// Those that a worker has taken, in order.
  std::vector<Role> roles(std::uint64_t serial) const {
    std::lock_guard lock(mutex_);
    std::vector<Role> out;
    for (const auto& [who, role] : roles_)
      if (who == serial) out.push_back(role);
    return out;
  }
  std::size_t ups() const {
    std::lock_guard lock(mutex_);
    return ups_.size();
  }
  std::size_t downs() const {
    std::lock_guard lock(mutex_);
    return downs_.size();
  }
  std::size_t downs_of(std::uint64_t serial) const {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(downs_.begin(), downs_.end(), [&](const WorkerDown& d) { return d.serial == serial; }));
  }
  std::size_t reports_with(const std::string& part) const {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        reports_.begin(), reports_.end(), [&](const auto& r) { return r.find(part) != std::string::npos; }));
  }

  WorkerHost* host = nullptr;
  std::map<std::string, std::uint64_t> routes{};  ///< set before workers talk

 private:
  template <class F>
  bool wait(F condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  std::vector<std::uint64_t> ups_{};
  std::vector<std::pair<std::uint64_t, Role>> roles_{};
  std::vector<protocol::event::WorkerFrozen> frozen_{};
  std::vector<std::uint64_t> prepared_{};
  std::vector<WorkerDown> downs_{};
  std::map<protocol::Token, std::vector<std::string>> answers_{};
  std::vector<std::string> reports_{};
};

/// The host comes last so that it goes first.
struct Hosted {
  HubConfig config{};
  std::shared_ptr<WorkerTypes> types = std::make_shared<WorkerTypes>();
  std::shared_ptr<Log> log = std::make_shared<Log>();
  std::shared_ptr<Door> door = std::make_shared<Door>();
  Recorder events{};
  std::unique_ptr<WorkerHost> host{};

  Hosted() {
    config.pool_threads = 2;
    config.hub_id = "test-hub";
  }
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;
  ~Hosted() { door->open(); }

  static NodeId node() { return NodeId::of("node-a", 7); }

  /// A worker class whose constructor takes what `args` are.
  template <class W, class... Args>
  void add(const std::string& type, Args... args) {
    Handlers<W> handlers;
    W::handlers(handlers);
    WorkerClass c;
    c.type = type;
    c.handlers = handlers.entries;
    c.raw = handlers.raw();
    c.make = [args...](const Bytes&) { return std::make_unique<W>(args...); };
    types->add(std::move(c));
  }
  void run() {
    host = std::make_unique<WorkerHost>(config, node(), types, events);
    events.host = host.get();
  }
  void start(std::uint64_t serial, const std::string& type, Executor executor = Executor::pooled,
             Duration shutdown_timeout = 10s) {
    ChildSpec spec{.id = type + "-" + std::to_string(serial), .type = type, .executor = executor};
    protocol::effect::StartWorker s;
    s.serial = serial;
    s.spec = std::make_shared<protocol::SharedSpec>(std::move(spec));
    s.generation = {3, 1, node()};
    s.shutdown_timeout = shutdown_timeout;
    host->start(s);
  }
  void start_up(std::uint64_t serial, const std::string& type, Executor executor = Executor::pooled,
                Duration shutdown_timeout = 10s) {
    start(serial, type, executor, shutdown_timeout);
    REQUIRE(events.wait_up(serial));
  }
  template <class M>
  bool cast(std::uint64_t serial, const M& message) {
    return host->deliver(serial, {std::string(message_name<M>()), encode(message), false, {}, {}});
  }
  template <class M>
  std::shared_ptr<CaughtAnswer> call(std::uint64_t serial, const M& message) {
    auto caught = std::make_shared<CaughtAnswer>();
    PostedMessage m{std::string(message_name<M>()), encode(message), false, {}, caught};
    if (!host->deliver(serial, std::move(m))) caught->finish({ErrorCode::no_such_child, "not delivered"});
    return caught;
  }
  template <class M>
  bool post(std::uint64_t serial, const M& message, protocol::Token token = 0) {
    PostedMessage posted{std::string(message_name<M>()), encode(message), false, {node(), token}, {}};
    return host->post(serial, posted);
  }
};

struct Say {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
struct Wait {
  PROCESSHUB_FIELDS()
};
struct Throw {
  PROCESSHUB_FIELDS()
};
struct Unknown {
  PROCESSHUB_FIELDS()
};
struct Text {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};

/// Writes down what it is told; waits at the door when asked to.
class Scribe : public Worker {
 public:
  static void handlers(Handlers<Scribe>& h) { h.on<&Scribe::say>().on<&Scribe::wait>().on<&Scribe::fail>(); }
  Scribe(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  ~Scribe() override { log_->add("destroyed"); }
  void on_start(StartReason reason) override { log_->add("start:" + std::string(to_string(reason))); }
  void on_stop(StopReason reason) override { log_->add("stop:" + std::string(to_string(reason))); }

 private:
  Text say(const Say& m) {
    log_->add(m.text);
    return Text{m.text};
  }
  Text wait(const Wait&) {
    log_->add("waiting");
    door_->pass();
    log_->add("waited");
    return Text{"waited"};
  }
  void fail(const Throw&) { throw std::runtime_error("asked to throw"); }

  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
};

}  // namespace worker_host_test
