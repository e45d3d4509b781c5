// Calls that went straight to a worker of this process: each ends exactly once, with its answer, its timeout,
// or the end of the hub. Any thread opens and finishes; the loop looks after the deadlines.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/time.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

using CallEnd = std::function<void(Result<Bytes>)>;

class OpenCalls;

/// One open call; as its ReplySink it travels with the message.
class OpenCall final : public ReplySink {
 public:
  OpenCall(OpenCalls& table, std::string_view child, Time deadline, Duration timeout, CallEnd end)
      : table_(table), child_(child), deadline_(deadline), timeout_(timeout), end_(std::move(end)) {}

  void finish(Result<Bytes> answer) override;
  void time_out();
  const std::string& child() const { return child_; }
  Time deadline() const { return deadline_; }

 private:
  friend class OpenCalls;
  bool claim() { return !ended_.exchange(true); }

  OpenCalls& table_;
  const std::string child_;
  const Time deadline_;
  const Duration timeout_;
  CallEnd end_;
  std::atomic<bool> ended_{false};
  std::uint32_t shard_ = 0;
  std::uint32_t place_ = 0;
};

class OpenCalls {
 public:
  OpenCalls() = default;
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  std::shared_ptr<OpenCall> open(std::string_view child, Time now, Duration timeout, CallEnd end);
  /// Not later than the first deadline of an open call; kNever if there is none.
  Time earliest() const { return Time(earliest_.load()); }
  /// Ends what is overdue. One thread at a time.
  void expire(Time now);
  /// Ends everything; later calls must not be opened.
  void end_all(const Error& error);
  std::size_t size() const;

 private:
  friend class OpenCall;
  struct alignas(64) Shard {
    mutable std::mutex mutex{};
    std::vector<std::shared_ptr<OpenCall>> calls{};  // null: free
    std::vector<std::uint32_t> free{};
  };
  void lower_earliest(Time deadline);
  void forget(const OpenCall& call);
  template <class Pick>
  std::vector<std::shared_ptr<OpenCall>> pick(Pick pick) const;

  std::array<Shard, 16> shards_{};
  std::atomic<std::uint32_t> next_shard_{0};
  std::atomic<Time::rep> earliest_{kNever.count()};
};

}  // namespace processhub::runtime
