// CallRetry: a call that may be handled more than once, between two attempts. It is sent again while there is
// hope of another end before its deadline, and tells no lie about the attempts before the last one.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

class CallRetry {
 public:
  /// Ended with `error` at `now`: is it to be sent again, at due()?
  bool again(const Error& error, Time now, Time deadline) {
    const auto said = delivered(error.code);
    perhaps_handled_ = perhaps_handled_ || said != Delivered::no;
    const bool hope = said == Delivered::no
                          ? passes(error.code)
                          : error.code == ErrorCode::node_down || error.code == ErrorCode::unknown;
    if (over_ || !hope || now + pause_ >= deadline) return false;
    due_ = now + std::exchange(pause_, std::min(2 * pause_, kLongestPause));
    return true;
  }
  Time due() const { return due_; }
  /// The next end is the last one.
  void give_up() { over_ = true; }
  /// The last error, for all attempts.
  Error truth(Error last) const {
    if (!perhaps_handled_ || delivered(last.code) != Delivered::no) return last;
    return {ErrorCode::unknown, std::move(last.message) + "; an earlier attempt may have been handled"};
  }

 private:
  static constexpr Duration kLongestPause = std::chrono::milliseconds(500);
  static bool passes(ErrorCode code) {
    return code == ErrorCode::overloaded || code == ErrorCode::partitioned || code == ErrorCode::moved ||
           code == ErrorCode::stopped;
  }

  Duration pause_ = std::chrono::milliseconds(10);
  Time due_{};
  bool perhaps_handled_ = false;
  bool over_ = false;
};

}  // namespace processhub::protocol
