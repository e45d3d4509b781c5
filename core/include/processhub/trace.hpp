// Trace: which request of the outside world a call belongs to, in the form of W3C Trace Context
// (https://www.w3.org/TR/trace-context/). A call or cast that carries one is shown with it by
// `zmq-monitor tail --messages` and in debug logs, on every node that it passes; what its handler calls in
// turn carries the same trace.
//
// Threads: values; the present trace belongs to a thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "processhub/export.hpp"
#include "processhub/result.hpp"

namespace processhub {

struct PROCESSHUB_API Trace {
  std::array<std::uint8_t, 16> id{};   ///< of the whole request; all zero: no trace
  std::array<std::uint8_t, 8> span{};  ///< of the caller, within it
  std::uint8_t flags = 1;              ///< 1: sampled

  explicit operator bool() const { return id != std::array<std::uint8_t, 16>{}; }
  bool operator==(const Trace&) const = default;

  /// A new one, with random numbers.
  static Trace start();
  /// The same request, another caller.
  Trace next() const;
  /// From the header `traceparent`, "00-<32 hex digits>-<16>-<2>"; later versions may be longer. Errors:
  /// invalid.
  static Result<Trace> parse(std::string_view traceparent);
  /// As such a header; empty without a trace.
  std::string str() const;
};

using TracePtr = std::shared_ptr<const Trace>;  ///< null: none

/// What a call may be given beside its message.
struct CallOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  Trace trace{};  ///< none: that of the handler that calls, if it has one
  /// The message may be handled more than once: the call is sent again, with growing pauses and within the
  /// timeout, if it ends node_down, unknown, overloaded, partitioned, moved or stopped. An error then speaks
  /// of all attempts.
  bool retry = false;
};

/// The trace of what this thread does now: in a handler, and in the continuation of a call made there, that
/// of the message; elsewhere none, or that of the innermost TraceScope.
PROCESSHUB_API const Trace& present_trace();

/// What this thread calls and casts while the scope lives carries this trace; with none, none.
class PROCESSHUB_API TraceScope {
 public:
  explicit TraceScope(const Trace& trace);
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  ~TraceScope();

 private:
  Trace before_;
};

}  // namespace processhub
