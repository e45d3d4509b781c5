// Carries out what the core asks for, in order: network and workers at once, what users see (answers, hooks,
// events) only after the registry they will look into has been published. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/runtime/command.hpp"
#include "core/runtime/hook_runner.hpp"
#include "core/runtime/logging.hpp"
#include "core/runtime/open_answers.hpp"
#include "core/runtime/worker_host.hpp"
#include "processhub/transport.hpp"

namespace processhub::runtime {

/// Serials of workers that have not ended: one bit each, because they are numbered without gaps and never
/// used again.
class SerialSet {
 public:
  void insert(std::uint64_t serial) {
    if (serial >= bits_.size()) bits_.resize(serial + 1);
    count_ += bits_[serial] ? 0 : 1;
    bits_[serial] = true;
  }
  void erase(std::uint64_t serial) {
    if (serial >= bits_.size() || !bits_[serial]) return;
    bits_[serial] = false;
    --count_;
  }
  bool empty() const { return count_ == 0; }
  template <class F>
  void for_each(F visit) const {
    for (std::size_t serial = 0; serial < bits_.size(); ++serial) {
      if (bits_[serial]) visit(serial);
    }
  }

 private:
  std::vector<bool> bits_{};
  std::size_t count_ = 0;
};

class EffectPerformer {
 public:
  using Admin = std::function<void(protocol::effect::AdminQuery)>;

  EffectPerformer(Transport& transport, WorkerHost& host, LoopTraffic& traffic, OpenAnswers& answers,
                  HookRunner& hooks, const Logger& log, Admin admin)
      : transport_(transport),
        host_(host),
        traffic_(traffic),
        answers_(answers),
        hooks_(hooks),
        log_(log),
        admin_(std::move(admin)) {}

  /// Leaves `effects` empty.
  void perform(protocol::Effects& effects);
  /// What users see, of all perform() calls since the last one.
  void settle();

  /// Messages whose worker has ended.
  std::vector<protocol::event::Undelivered> take_undelivered() { return std::exchange(undelivered_, {}); }

  /// MeasureLoad is to be answered.
  bool take_measure() { return std::exchange(measure_, false); }

  void worker_is_down(std::uint64_t serial) { running_.erase(serial); }
  const SerialSet& running() const { return running_; }
  bool terminated() const { return terminated_; }
  const std::string& why_terminated() const { return why_terminated_; }
  std::uint64_t send_refusals() const { return send_refusals_; }

 private:
  struct Now;
  struct Later;
  /// That nobody is connected is no news here: links say so, and sessions send again.
  void count(SendStatus status) { send_refusals_ += status == SendStatus::full ? 1 : 0; }

  Transport& transport_;
  WorkerHost& host_;
  LoopTraffic& traffic_;
  OpenAnswers& answers_;
  HookRunner& hooks_;
  const Logger& log_;
  const Admin admin_;
  protocol::Effects later_{};
  std::vector<protocol::event::Undelivered> undelivered_{};
  SerialSet running_{};  // serials whose WorkerDown has not come
  bool measure_ = false;
  bool terminated_ = false;
  std::string why_terminated_{};
  std::uint64_t send_refusals_ = 0;
};

}  // namespace processhub::runtime
