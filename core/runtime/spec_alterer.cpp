#include "core/runtime/spec_alterer.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "core/runtime/clock.hpp"

namespace processhub::runtime {

SpecAlterer::SpecAlterer(Duration deadline,
                         std::function<void(const std::string& id, const std::string& what)> threw)
    : deadline_(deadline), threw_(std::move(threw)), thread_([this] { work(); }) {}

SpecAlterer::~SpecAlterer() { stop(); }

void SpecAlterer::alter(std::vector<Hook> handlers, Specs specs, Done done) {
  auto job = std::make_shared<Job>();
  job->handlers = std::move(handlers);
  job->specs = std::move(specs);
  job->done = std::move(done);
  bool refused = false;
  {
    std::lock_guard lock(mutex_);
    job->deadline = boot_now() + deadline_;
    refused = stopping_;
    if (!refused) jobs_.push_back(job);
  }
  more_.notify_one();
  if (refused) job->end({ErrorCode::stopped, "the hub has stopped"});
}

std::size_t SpecAlterer::expire(Time now) {
  const auto expired = take_expired(now);
  if (expired.empty()) return 0;
  std::string slow;
  {
    std::lock_guard lock(mutex_);
    slow = running_;
  }
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_).count();
  for (const auto& job : expired) {
    job->end({ErrorCode::timeout, "hook '" + slow + "' (child_data) was not done within hook_timeout (" +
                                      std::to_string(limit) + " ms): nothing was started"});
  }
  return expired.size();
}

std::deque<std::shared_ptr<SpecAlterer::Job>> SpecAlterer::take_expired(Time now) {
  std::deque<std::shared_ptr<Job>> expired;
  std::lock_guard lock(mutex_);
  while (!jobs_.empty() && jobs_.front()->deadline < now) {
    expired.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  return expired;
}

void SpecAlterer::stop() {
  std::deque<std::shared_ptr<Job>> refused;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    refused.swap(jobs_);
  }
  more_.notify_all();
  for (const auto& job : refused) job->end({ErrorCode::stopped, "the hub has stopped"});
  if (thread_.joinable()) thread_.join();
}

void SpecAlterer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const auto job = jobs_.front();  // stays there, so that expire() finds it
    lock.unlock();
    run(*job);
    lock.lock();
    if (!jobs_.empty() && jobs_.front() == job) jobs_.pop_front();
  }
}

void SpecAlterer::run(Job& job) {
  for (auto& spec : job.specs) {
    for (const auto& handler : job.handlers) {
      if (job.ended) return;
      apply(handler, spec);
    }
  }
  job.end(std::move(job.specs));
}

void SpecAlterer::apply(const Hook& handler, ChildSpec& spec) {
  {
    std::lock_guard lock(mutex_);
    running_ = handler.id;
  }
  auto changed = spec;
  try {
    handler.alter(changed);
    spec = std::move(changed);
  } catch (const std::exception& e) {
    threw_(handler.id, e.what());
  } catch (...) {
    threw_(handler.id, "something that is no std::exception");
  }
}

}  // namespace processhub::runtime
