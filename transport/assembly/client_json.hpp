// Requests of a Client and their answers, as admin verbs want them (core/runtime/admin.hpp).
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/runtime/admin_json.hpp"
#include "processhub/child.hpp"
#include "processhub/future.hpp"
#include "processhub/hub.hpp"

namespace processhub::assembly {

using runtime::Json;

/// Error: a child's arguments are no msgpack.
Result<Json> json_of_specs(const std::vector<ChildSpec>& specs);

// Each reads an answer that carries its code as first byte.
Result<StartResult> read_start(std::string_view answer);
Result<StopResult> read_stop(std::string_view answer);
Result<void> read_nothing(std::string_view answer);
Result<ChildInfo> read_child(std::string_view answer);
Result<std::vector<ChildInfo>> read_children(std::string_view answer);
Result<std::vector<NodeInfo>> read_nodes(std::string_view answer);
Result<Bytes> read_bytes(std::string_view answer);

/// The future of a request, and how its answer is read.
template <class T>
class AdminCall final : public detail::FutureState<T>, public detail::CallSink {
 public:
  explicit AdminCall(Result<T> (*read)(std::string_view)) : read_(read) {}
  bool finish(Result<Bytes>& answer, bool may_run_callbacks) override {
    auto result = answer ? read_(*answer) : Result<T>(answer.error());
    if (!may_run_callbacks) return this->complete_quietly(result);
    this->complete(std::move(result));
    return true;
  }

 private:
  Result<T> (*read_)(std::string_view);
};

}  // namespace processhub::assembly
