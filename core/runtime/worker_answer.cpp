#include "core/runtime/worker_answer.hpp"

#include <exception>

namespace processhub::runtime {
namespace {

void pass_on(EventPort& port, protocol::ReplyRef to, const std::shared_ptr<ReplySink>& sink,
             Result<Bytes> answer) {
  if (sink) {
    sink->finish(std::move(answer));
  } else if (to) {
    port.call([&](WorkerEvents& events) { events.on_answer(to, std::move(answer)); });
  }
}

}  // namespace

void WorkerAnswer::finish(Result<Bytes> answer) {
  if (done_.exchange(true, std::memory_order_acq_rel)) return;
  // An exception on its way out of the handler destroys its Reply before anyone can say that this is a crash.
  if (!answer && answer.error().code == ErrorCode::no_reply && std::uncaught_exceptions() > 0) {
    answer = Error{ErrorCode::worker_crashed, "the handler threw"};
  }
  pass_on(*port_, to_, std::exchange(sink_, nullptr), std::move(answer));
}

void answer_now(EventPort& port, protocol::PostedMessage& message, Result<Bytes> answer) {
  pass_on(port, std::exchange(message.reply, {}), std::exchange(message.sink, nullptr), std::move(answer));
}

}  // namespace processhub::runtime
