// Result<T>: a value or one Error. Nothing in the public API throws for a condition a caller can meet at
// run time; misuse of a Result (reading the value of a failure) is a logic error and throws.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "processhub/export.hpp"

namespace processhub {

/// Why something failed. A code exists only where a caller can act on it. Values are part of the wire
/// protocol.
enum class ErrorCode : std::uint8_t {
  invalid = 1,           ///< an argument, option or spec is wrong; nothing was changed
  no_such_child = 2,     ///< no live child has this id (not delivered)
  already_started = 3,   ///< a child with this id lives already
  timeout = 4,           ///< the deadline passed; the message may have been handled
  node_down = 5,         ///< the node that held the request went down; it may have been handled
  overloaded = 6,        ///< a bounded queue was full; not delivered
  partitioned = 7,       ///< this side of the cluster has no quorum; nothing was done
  moved = 8,             ///< the child was moving and the request could not follow; not delivered
  stopped = 9,           ///< the child or the hub stopped before the request was handled
  unknown = 10,          ///< the link broke with the request in flight; it may have been handled
  worker_crashed = 11,   ///< the handler threw
  no_reply = 12,         ///< the handler dropped its Reply
  no_such_message = 13,  ///< the worker has no handler of this name, or the payload does not fit it
  would_block = 14,      ///< a blocking wait inside a worker
  start_failed = 15,     ///< the worker's constructor or on_start threw, or its type is unknown on the owner
  rolled_back = 16,      ///< undone because another child of the same call failed
  refused = 17,    ///< the peer refused us (duplicate name, other hub, other options, no key), or a client
                   ///< found no node
  system = 18,     ///< the operating system or a file failed
  discarded = 19,  ///< the event was dropped because the queue is locked with discarding
};

PROCESSHUB_API std::string_view to_string(ErrorCode code);

/// What a failed call, cast or request says of the message.
enum class Delivered : std::uint8_t {
  no,       ///< no worker got it: it may be sent again
  yes,      ///< a worker got it and did not answer
  unknown,  ///< it may have been handled
};
PROCESSHUB_API Delivered delivered(ErrorCode code);

/// One failure: a code for programs and one line for people.
struct Error {
  ErrorCode code = ErrorCode::unknown;
  std::string message{};

  const char* c_str() const { return message.c_str(); }
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
class Result {
 public:
  using value_type = T;

  // NOLINTNEXTLINE(google-explicit-constructor): returning a value is the common case
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  Result(ErrorCode code, std::string message)
      : state_(std::in_place_index<1>, Error{code, std::move(message)}) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() { return checked(); }
  const T& value() const { return const_cast<Result*>(this)->checked(); }
  T& operator*() { return checked(); }
  const T& operator*() const { return const_cast<Result*>(this)->checked(); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->checked(); }

  const Error& error() const {
    if (ok()) throw std::logic_error("processhub::Result: error() of a success");
    return *std::get_if<1>(&state_);
  }

 private:
  T& checked() {
    if (!ok())
      throw std::logic_error("processhub::Result: value() of a failure: " + std::get_if<1>(&state_)->message);
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class Result<void> {
 public:
  using value_type = void;

  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}
  Result(ErrorCode code, std::string message) : error_(Error{code, std::move(message)}) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    if (ok()) throw std::logic_error("processhub::Result: error() of a success");
    return *error_;
  }

 private:
  std::optional<Error> error_{};
};

}  // namespace processhub
