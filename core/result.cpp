#include "processhub/result.hpp"

namespace processhub {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::no_such_child:
      return "no_such_child";
    case ErrorCode::already_started:
      return "already_started";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::node_down:
      return "node_down";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::partitioned:
      return "partitioned";
    case ErrorCode::moved:
      return "moved";
    case ErrorCode::stopped:
      return "stopped";
    case ErrorCode::unknown:
      return "unknown";
    case ErrorCode::worker_crashed:
      return "worker_crashed";
    case ErrorCode::no_reply:
      return "no_reply";
    case ErrorCode::no_such_message:
      return "no_such_message";
    case ErrorCode::would_block:
      return "would_block";
    case ErrorCode::start_failed:
      return "start_failed";
    case ErrorCode::rolled_back:
      return "rolled_back";
    case ErrorCode::refused:
      return "refused";
    case ErrorCode::system:
      return "system";
    case ErrorCode::discarded:
      return "discarded";
  }
  return "?";  // a newer peer's code
}

Delivered delivered(ErrorCode code) {
  switch (code) {
    case ErrorCode::worker_crashed:
    case ErrorCode::no_reply:
      return Delivered::yes;
    case ErrorCode::timeout:
    case ErrorCode::node_down:
    case ErrorCode::unknown:
    case ErrorCode::system:
      return Delivered::unknown;
    case ErrorCode::invalid:
    case ErrorCode::no_such_child:
    case ErrorCode::already_started:
    case ErrorCode::overloaded:
    case ErrorCode::partitioned:
    case ErrorCode::moved:
    case ErrorCode::stopped:
    case ErrorCode::no_such_message:
    case ErrorCode::would_block:
    case ErrorCode::start_failed:
    case ErrorCode::rolled_back:
    case ErrorCode::refused:
    case ErrorCode::discarded:
      return Delivered::no;
  }
  return Delivered::unknown;  // a newer peer's code
}

}  // namespace processhub
