// Runs the child_data handlers over the specs of a start, on one thread of its own: a slow handler holds up
// neither the caller nor the loop. A start whose handlers need longer than the deadline is refused.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "processhub/hooks.hpp"
#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::runtime {

class SpecAlterer {
 public:
  using Specs = std::vector<ChildSpec>;
  using Done = std::function<void(Result<Specs>)>;
  /// `threw` is told which handler threw what; on the thread of this object.
  SpecAlterer(Duration deadline, std::function<void(const std::string& id, const std::string& what)> threw);
  ~SpecAlterer();  ///< stop()
  SpecAlterer(const SpecAlterer&) = delete;
  SpecAlterer& operator=(const SpecAlterer&) = delete;

  /// Each spec goes through all handlers, in their order; one that throws changes nothing. `done` is called
  /// exactly once: with the specs on this object's thread, or with `timeout` or `stopped`, then by expire()
  /// or stop(). Any thread.
  void alter(std::vector<Hook> handlers, Specs specs, Done done);
  /// Ends what is over its deadline; called now and then. How many there were. Any thread.
  std::size_t expire(Time now);
  /// Ends the thread; what waits is refused. Waits for the handler that runs.
  void stop();

 private:
  struct Job {
    std::vector<Hook> handlers{};
    Specs specs{};
    Done done{};
    Time deadline{};
    std::atomic<bool> ended{false};
    /// Only the first answer counts.
    void end(Result<Specs> answer) {
      if (!ended.exchange(true)) done(std::move(answer));
    }
  };

  void work();
  void run(Job& job);
  void apply(const Hook& handler, ChildSpec& spec);
  std::deque<std::shared_ptr<Job>> take_expired(Time now);

  const Duration deadline_;
  const std::function<void(const std::string&, const std::string&)> threw_;
  std::mutex mutex_{};
  std::condition_variable more_{};
  std::deque<std::shared_ptr<Job>> jobs_{};  // in the order of their deadlines; the front one may be running
  std::string running_{};                    // id of the handler that runs, or ran last
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace processhub::runtime
