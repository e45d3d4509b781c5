// WorkerAnswer: the way back to whoever called a worker, at most once, whatever happens to the worker or its
// handler.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "core/protocol/event.hpp"
#include "core/runtime/event_port.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

/// Answers `to` or `sink`. The first answer counts. A handler that throws while it holds the reply ends the
/// call `worker_crashed`.
class WorkerAnswer final : public ReplySink {
 public:
  WorkerAnswer(std::shared_ptr<EventPort> port, protocol::ReplyRef to, std::shared_ptr<ReplySink> sink)
      : port_(std::move(port)), to_(to), sink_(std::move(sink)) {}

  void finish(Result<Bytes> answer) override;
  bool done() const { return done_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<EventPort> port_;
  protocol::ReplyRef to_;
  std::shared_ptr<ReplySink> sink_;
  std::atomic<bool> done_{false};
};

inline bool wants_answer(const protocol::PostedMessage& message) { return message.sink || message.reply; }

/// Answers a message that no handler will see.
void answer_now(EventPort& port, protocol::PostedMessage& message, Result<Bytes> answer);

}  // namespace processhub::runtime
