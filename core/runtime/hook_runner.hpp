// Runs hook handlers and handlers of users' events, in order, on one thread of its own. Any thread registers
// and emits. A handler that throws, or takes longer than a second, is reported by its id and counted; the
// others run all the same.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/runtime/dead_letters.hpp"
#include "core/runtime/spec_alterer.hpp"
#include "processhub/hooks.hpp"
#include "processhub/hub.hpp"
#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::runtime {

class HookRunner {
 public:
  /// `report` gets one line per misbehaviour, on any thread. `deadline`: of the child_data handlers of a
  /// start.
  explicit HookRunner(std::function<void(std::string)> report, Duration deadline = std::chrono::seconds(1));
  ~HookRunner();  ///< stop()
  HookRunner(const HookRunner&) = delete;
  HookRunner& operator=(const HookRunner&) = delete;

  /// All or none. The error names the hook and what is wrong with it.
  Result<void> add(std::vector<Hook> hooks);
  std::size_t cancel(const std::vector<std::string>& ids);
  /// In the order in which they run, by event.
  std::vector<HookInfo> list() const;

  /// Queues the event for its handlers; free if there are none.
  void emit(HookEvent event);
  /// A message that no worker will get: told to its hooks and reported, a flood by samples. Any thread.
  void dead_letter(std::string_view id, std::string_view message, std::string_view why);
  /// Whether there are child_data handlers.
  bool alters() const { return alters_.load(); }
  /// Runs them over the specs of a start; see SpecAlterer.
  void alter(std::vector<ChildSpec> specs, SpecAlterer::Done done);

  void on_event(std::string name, Hub::EventHandler handler);
  void user_event(std::string name, NodeId from, Bytes body);

  // -- handlers of topics, in the same order as hooks and events
  using TopicHandler = std::function<void(const TopicMessage&)>;
  SubscriptionId subscribe(std::string pattern, TopicHandler handler);
  void unsubscribe(SubscriptionId id);
  std::vector<std::pair<SubscriptionId, std::string>> subscriptions() const;
  void published(SubscriptionId id, std::shared_ptr<const TopicMessage> message);

  /// Reports a handler that has been running for more than a second, and ends starts whose child_data
  /// handlers are over their deadline; called now and then by the loop.
  void report_slow(Time now);
  /// Runs what is queued, then ends the thread. Not from a handler.
  void stop();
  /// True on the thread of any HookRunner.
  static bool on_hook_thread();

  struct Counters {
    std::uint64_t threw = 0;
    std::uint64_t slow = 0;
    std::uint64_t dropped = 0;  ///< events refused because 100,000 waited
  };
  Counters counters() const;

 private:
  struct Registered {
    Hook hook{};
    std::uint64_t order = 0;
  };
  using Table = std::vector<std::shared_ptr<const Registered>>;  // sorted by priority, then order
  struct UserEvent {
    std::string name{};
    NodeId from{};
    Bytes body{};
  };
  struct Published {
    SubscriptionId id = 0;
    std::shared_ptr<const TopicMessage> message{};
  };
  struct Subscription {
    std::string pattern{};
    std::shared_ptr<const TopicHandler> handler{};
    std::uint64_t dropped = 0;  ///< before the next one, because too many waited
  };
  using Item = std::variant<HookEvent, UserEvent, Published>;
  struct Running {
    std::string id{};  // empty: nothing runs
    Time since{};
    bool reported = false;
  };

  std::shared_ptr<const Table> table_of(std::string_view event) const;
  void publish_wanted();
  bool wanted(std::size_t event) const { return (wanted_.load() >> event & 1U) != 0; }
  bool enqueue(Item item);  ///< false: too many wait
  void tell_dead_letters(Time now);
  void pass_on(std::optional<hook::DeadLetter> told, const std::optional<std::string>& line);
  void work();
  void run(const HookEvent& event);
  void run(const UserEvent& event);
  void run(const Published& published);
  void guarded(const std::string& id, const std::function<void()>& handler);
  void watch(const std::string& id);
  void threw(const std::string& id, const std::string& what);

  const std::function<void(std::string)> report_;
  mutable std::mutex table_mutex_{};
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables_{};  // by event name
  std::map<std::string, Hub::EventHandler, std::less<>> user_handlers_{};
  std::map<SubscriptionId, Subscription> subscriptions_{};
  SubscriptionId last_subscription_ = 0;
  std::uint64_t next_order_ = 0;
  std::atomic<std::uint64_t> wanted_{0};  // bit i: alternative i of HookEvent has handlers
  std::atomic<bool> alters_{false};

  std::mutex queue_mutex_{};
  std::condition_variable more_{};
  std::deque<Item> queue_{};
  bool stopping_ = false;

  std::mutex dead_mutex_{};
  DeadLetters dead_letters_{};

  std::mutex running_mutex_{};
  Running running_{};
  std::atomic<std::uint64_t> threw_{0};
  std::atomic<std::uint64_t> slow_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
  SpecAlterer alterer_;
};

}  // namespace processhub::runtime
