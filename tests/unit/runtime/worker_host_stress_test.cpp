#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_stress_test {

using namespace worker_host_test;

namespace {

struct Numbered {
  std::uint32_t sender = 0;
  std::uint32_t number = 0;
  PROCESSHUB_FIELDS(sender, number)
};
struct Fast {
  PROCESSHUB_FIELDS()
};
struct Question {
  PROCESSHUB_FIELDS()
};
struct Crash {
  PROCESSHUB_FIELDS()
};
struct Relay {
  std::uint32_t hops = 0;
  PROCESSHUB_FIELDS(hops)
};

struct Findings {
  std::atomic<int> overlaps{0};
  std::atomic<int> disorders{0};
  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::uint64_t> relayed{0};
  std::atomic<std::uint64_t> answered{0};
};

/// Notices when it is on two threads at once or a sender's numbers do not rise.
class Checker : public Worker {
 public:
  static void handlers(Handlers<Checker>& h) {
    h.on<&Checker::numbered>().on<&Checker::crash>().on<&Checker::relay>().on<&Checker::fast>(run_inline);
    h.on<&Checker::question>();
  }
  Checker(std::shared_ptr<Findings> findings, std::uint32_t workers)
      : findings_(std::move(findings)), workers_(workers) {}
  void on_start(StartReason) override {
    const Claim claim(*this);
    ctx().every(1ms, [this] { const Claim c(*this); });
  }
  void on_stop(StopReason) override { const Claim claim(*this); }

 private:
  struct Claim {
    explicit Claim(Checker& c) : checker(c) {
      if (checker.busy_.exchange(true)) ++checker.findings_->overlaps;
    }
    ~Claim() { checker.busy_ = false; }
    Checker& checker;
  };
  Text numbered(const Numbered& m) {
    const Claim claim(*this);
    check_order(m);
    return Text{};
  }
  void check_order(const Numbered& m) {
    auto& last = last_[m.sender];
    if (m.number <= last) ++findings_->disorders;
    last = m.number;
    ++findings_->handled;
  }
  void fast(const Fast&) { const Claim claim(*this); }
  Text question(const Question&) {
    const Claim claim(*this);
    return Text{};
  }
  void crash(const Crash&) { throw std::runtime_error("crash"); }
  void relay(const Relay& m) {
    const Claim claim(*this);
    ++findings_->relayed;
    if (m.hops == 0) return;
    const auto to = "w" + std::to_string((m.hops * 7 + 3) % workers_);
    ctx().cast(to, Relay{m.hops - 1});
    ctx().call<Text>(to, Question{}, 1s, [this](Result<Text>) {
      const Claim c(*this);
      ++findings_->answered;
    });
  }

  std::shared_ptr<Findings> findings_;
  std::uint32_t workers_;
  std::atomic<bool> busy_{false};
  std::map<std::uint32_t, std::uint32_t> last_{};
};

struct Stress : Hosted {
  static constexpr std::uint32_t kWorkers = 16;
  std::shared_ptr<Findings> findings = std::make_shared<Findings>();

  Stress() {
    config.pool_threads = 4;
    add<Checker>("checker", findings, kWorkers);
    for (std::uint32_t w = 0; w < kWorkers; ++w) events.routes["w" + std::to_string(w)] = w + 1;
  }
  void start_all() {
    for (std::uint32_t w = 0; w < kWorkers; ++w) {
      start_up(w + 1, "checker", w % 4 == 0 ? Executor::dedicated : Executor::pooled);
    }
  }
};

}  // namespace

TEST_CASE("workers are never on two threads at once and every sender's messages stay in order") {
  Stress t;
  t.run();
  t.start_all();
  constexpr std::uint32_t kSenders = 3;
  constexpr std::uint32_t kEach = 1'500;
  std::vector<std::thread> senders;
  for (std::uint32_t s = 1; s <= kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (std::uint32_t n = 1; n <= kEach; ++n) {
        for (std::uint32_t w = 1; w <= Stress::kWorkers; ++w) t.cast(w, Numbered{s, n});
        if (n % 16 == 0) t.cast(n % Stress::kWorkers + 1, Fast{});
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    t.host->set_alive_until(kNever);
    t.post(static_cast<std::uint64_t>(i) % Stress::kWorkers + 1, Relay{20});
  }
  for (auto& sender : senders) sender.join();
  const std::uint64_t expected = kSenders * kEach * Stress::kWorkers;
  CHECK(eventually([&] { return t.findings->handled >= expected; }));
  CHECK(eventually([&] { return t.findings->relayed >= 20 * 21 && t.findings->answered >= 20 * 20; }));
  CHECK(t.findings->overlaps == 0);
  CHECK(t.findings->disorders == 0);
}

TEST_CASE(
    "every call is answered exactly once while workers crash, stop and start and gates close and open") {
  Stress t;
  t.config.mailbox_limit = 64;
  t.run();
  t.start_all();
  std::atomic<std::uint64_t> newest{Stress::kWorkers};
  std::atomic<bool> over{false};
  std::vector<std::shared_ptr<CaughtAnswer>> calls[2];
  std::vector<std::thread> senders;
  for (std::uint32_t s = 0; s < 2; ++s) {
    senders.emplace_back([&, s] {
      for (std::uint32_t n = 1; n <= 4'000; ++n) {
        const auto serial = newest.load() - n % Stress::kWorkers;
        calls[s].push_back(t.call(serial, Numbered{s, n}));
        if (n % 50 == 0) t.cast(serial, Crash{});
        if (n % 5 == 0) t.cast(serial, Relay{3});
      }
      over = true;
    });
  }
  for (int i = 0; !over; ++i) {
    const auto serial = newest.load() + 1;
    t.start(serial, "checker", serial % 5 == 0 ? Executor::dedicated : Executor::pooled);
    if (i % 2 == 0) t.host->stop(serial - Stress::kWorkers, StopReason::user);
    if (i % 8 == 0) t.host->close_gates();
    if (i % 8 == 4) t.host->open_gates();
    t.post(serial, Numbered{9, 1}, serial);
    newest = serial;
    if (i % 16 == 0) std::this_thread::yield();
  }
  t.host->open_gates();
  for (auto& sender : senders) sender.join();
  for (std::uint64_t serial = 1; serial <= newest; ++serial) t.host->stop(serial, StopReason::shutdown);
  CHECK(eventually([&] { return t.events.downs() == newest; }));
  for (std::uint64_t serial = 1; serial <= newest; ++serial) {
    for (auto& m : t.events.wait_down(serial).leftovers) {
      if (m.sink) m.sink->finish({ErrorCode::stopped, "handed back"});
    }
  }
  std::size_t wrong = 0;
  for (auto& sent : calls) {
    for (auto& call : sent) wrong += call->wait() == "nothing" || call->times() != 1 ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(t.findings->overlaps == 0);
}

}  // namespace worker_host_stress_test
