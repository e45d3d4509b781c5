// The worker under test: what one visitor has put into his basket. It goes by itself after half an hour
// without a visit.
#pragma once

#include <processhub/processhub.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// clang-format off
struct Put     { std::string item{};          PROCESSHUB_FIELDS(item) };
struct Look    {                              PROCESSHUB_FIELDS() };
struct Basket  { std::vector<std::string> items{}; PROCESSHUB_FIELDS(items) };
struct TakeFrom { std::string other{};        PROCESSHUB_FIELDS(other) };
// clang-format on

class Session : public processhub::Worker {
 public:
  static constexpr std::chrono::minutes kIdle{30};

  static void handlers(processhub::Handlers<Session>& h) {
    h.on<&Session::put>().on<&Session::look>().on<&Session::take_from>();
  }
  void on_start(processhub::StartReason) override { visited(); }
  const Basket& basket() const { return basket_; }

 private:
  Basket put(const Put& m) {
    visited();
    basket_.items.push_back(m.item);
    return basket_;
  }
  Basket look(const Look&) {
    visited();
    return basket_;
  }
  /// The visitor has logged in: what he chose before, in another session, is his.
  void take_from(const TakeFrom& m, processhub::Reply<Basket> reply) {
    visited();
    ctx().call<Basket>(
        m.other, Look{}, std::chrono::seconds(1), [this, reply](processhub::Result<Basket> theirs) {
          if (!theirs) return reply.fail(theirs.error());
          basket_.items.insert(basket_.items.end(), theirs->items.begin(), theirs->items.end());
          reply(basket_);
        });
  }
  void visited() {
    ctx().cancel(idle_);
    idle_ = ctx().after(kIdle, [this] { ctx().stop_self(); });
  }

  Basket basket_{};
  processhub::TimerId idle_ = 0;
};
