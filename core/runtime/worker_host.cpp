#include "core/runtime/worker_host.hpp"

#include <utility>

#include "core/runtime/worker_engine.hpp"

namespace processhub::runtime {

class WorkerHost::Impl {
 public:
  Impl(const HubConfig& config, NodeId self, std::shared_ptr<const WorkerTypes> types, WorkerEvents& events,
       Tap* tap)
      : engine_(std::make_shared<WorkerEngine>(config, self, std::move(types), events, tap)) {
    try {
      engine_->run();
    } catch (...) {  // the system has no thread left: take back those that run
      engine_->shut_down();
      throw;
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { engine_->shut_down(); }

  WorkerEngine& engine() const { return *engine_; }

 private:
  std::shared_ptr<WorkerEngine> engine_;  // shared with threads that may have to be left behind
};

WorkerHost::WorkerHost(const HubConfig& config, NodeId self, std::shared_ptr<const WorkerTypes> types,
                       WorkerEvents& events, Tap* tap)
    : impl_(std::make_unique<Impl>(config, self, std::move(types), events, tap)) {}

WorkerHost::~WorkerHost() = default;

void WorkerHost::start(const protocol::effect::StartWorker& start) { impl_->engine().start(start); }
void WorkerHost::stop(std::uint64_t serial, StopReason reason) { impl_->engine().stop(serial, reason); }
void WorkerHost::freeze(const protocol::effect::FreezeWorker& order) { impl_->engine().freeze(order); }

void WorkerHost::merge(const protocol::effect::MergeState& merge) { impl_->engine().merge(merge); }

void WorkerHost::cancel_freeze(std::uint64_t serial) { impl_->engine().cancel_freeze(serial); }

void WorkerHost::resume(const protocol::effect::ResumeWorker& resume) { impl_->engine().resume(resume); }

void WorkerHost::set_role(const protocol::effect::SetRole& change) { impl_->engine().set_role(change); }
bool WorkerHost::post(std::uint64_t serial, protocol::PostedMessage& message) {
  return impl_->engine().deliver(serial, message, Path::loop);
}
void WorkerHost::close_gates() { impl_->engine().close_gates(); }
void WorkerHost::open_gates() { impl_->engine().open_gates(); }
void WorkerHost::set_alive_until(Time deadline) { impl_->engine().set_alive_until(deadline); }
bool WorkerHost::deliver(std::uint64_t serial, protocol::PostedMessage&& message) {
  return impl_->engine().deliver(serial, message, Path::direct);
}
void WorkerHost::child_news(std::uint64_t serial, MonitorId monitor, ChildNews news) {
  auto& engine = impl_->engine();
  if (const auto cell = engine.find(serial))
    engine.enqueue(cell, MonitorNews{monitor, std::make_shared<const ChildNews>(std::move(news))});
}
WorkerHost::Load WorkerHost::load() const { return impl_->engine().load(); }
WorkerHost::Counters WorkerHost::counters() const { return impl_->engine().counters().read(); }

}  // namespace processhub::runtime
