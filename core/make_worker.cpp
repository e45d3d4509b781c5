#include "core/make_worker.hpp"

#include <stdexcept>
#include <string>

namespace processhub {

std::unique_ptr<Worker> make_worker(const ChildSpec& spec, const WorkerClass* worker_class, NodeId node) {
  if (worker_class == nullptr) {
    throw std::runtime_error("worker type '" + spec.type + "' is not registered on node " +
                             std::string(node.name()));
  }
  if (spec.passivate_after && !worker_class->save) {
    throw std::runtime_error("passivate_after needs a state, and worker type '" + spec.type +
                             "' has neither state() nor save_state() and load_state()");
  }
  auto worker = worker_class->make(spec.args.bytes());
  if (!worker) throw std::runtime_error("the factory of worker type '" + spec.type + "' made nothing");
  return worker;
}

}  // namespace processhub
