#include "core/runtime/open_calls.hpp"

#include <algorithm>
#include <utility>

namespace processhub::runtime {

namespace {

/// Threads spread over the shards, so that two callers rarely meet in one mutex.
std::uint32_t shard_of_this_thread(std::atomic<std::uint32_t>& next) {
  thread_local const std::uint32_t mine = next.fetch_add(1);
  return mine;
}

std::string text_of(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

}  // namespace

void OpenCall::finish(Result<Bytes> answer) {
  if (!claim()) return;
  const auto end = std::exchange(end_, nullptr);
  table_.forget(*this);
  end(std::move(answer));
}

void OpenCall::time_out() {
  finish({ErrorCode::timeout, "child '" + child_ + "' did not answer within " + text_of(timeout_)});
}

std::shared_ptr<OpenCall> OpenCalls::open(std::string_view child, Time now, Duration timeout, CallEnd end) {
  const Time deadline = timeout < kNever - now ? now + timeout : kNever;
  auto call = std::make_shared<OpenCall>(*this, child, deadline, timeout, std::move(end));
  call->shard_ = shard_of_this_thread(next_shard_) % shards_.size();
  auto& shard = shards_[call->shard_];
  {
    std::lock_guard lock(shard.mutex);
    if (shard.free.empty()) {
      shard.free.push_back(static_cast<std::uint32_t>(shard.calls.size()));
      shard.calls.emplace_back();
    }
    call->place_ = shard.free.back();
    shard.free.pop_back();
    shard.calls[call->place_] = call;
  }
  lower_earliest(deadline);
  return call;
}

void OpenCalls::lower_earliest(Time deadline) {
  auto seen = earliest_.load();
  while (deadline.count() < seen && !earliest_.compare_exchange_weak(seen, deadline.count())) {
  }
}

void OpenCalls::forget(const OpenCall& call) {
  auto& shard = shards_[call.shard_];
  std::shared_ptr<OpenCall> last;  // may be the last owner: destroyed outside the lock
  std::lock_guard lock(shard.mutex);
  last = std::exchange(shard.calls[call.place_], nullptr);
  shard.free.push_back(call.place_);
}

template <class Pick>
std::vector<std::shared_ptr<OpenCall>> OpenCalls::pick(Pick pick) const {
  std::vector<std::shared_ptr<OpenCall>> out;
  for (const auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (const auto& call : shard.calls) {
      if (call && pick(*call)) out.push_back(call);
    }
  }
  return out;
}

void OpenCalls::expire(Time now) {
  if (now < earliest()) return;
  // Reset before looking: a call opened meanwhile is either seen below or lowers the new value itself.
  earliest_.store(kNever.count());
  Time next = kNever;
  const auto overdue = pick([&](const OpenCall& call) {
    if (call.deadline() <= now) return true;
    next = std::min(next, call.deadline());
    return false;
  });
  lower_earliest(next);
  for (const auto& call : overdue) call->time_out();
}

void OpenCalls::end_all(const Error& error) {
  for (const auto& call : pick([](const OpenCall&) { return true; })) call->finish(error);
}

std::size_t OpenCalls::size() const {
  return pick([](const OpenCall&) { return true; }).size();
}

}  // namespace processhub::runtime
