// The object behind a child, as the executor and the simulator make it.
#pragma once

#include <memory>

#include "processhub/child.hpp"
#include "processhub/ids.hpp"
#include "processhub/worker.hpp"

namespace processhub {

/// `worker_class`: null if the type is unknown on `node`. Throws what the user's code throws, and when the
/// class is missing or does not fit the spec.
std::unique_ptr<Worker> make_worker(const ChildSpec& spec, const WorkerClass* worker_class, NodeId node);

}  // namespace processhub
