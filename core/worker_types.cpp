#include <algorithm>
#include <utility>

#include "processhub/worker.hpp"

namespace processhub {
namespace {

bool by_name(const HandlerEntry& a, const HandlerEntry& b) { return a.name < b.name; }

/// What is wrong with a class, or nothing. Its handlers are sorted.
std::string mistake_in(const WorkerClass& c) {
  if (c.type.empty()) return "a worker type needs a name";
  if (!c.make) return "worker type '" + c.type + "' has no factory";
  const auto same = [](const HandlerEntry& a, const HandlerEntry& b) { return a.name == b.name; };
  const auto twice = std::adjacent_find(c.handlers.begin(), c.handlers.end(), same);
  if (twice != c.handlers.end())
    return "worker type '" + c.type + "' has two handlers for message '" + twice->name + "'";
  return {};
}

}  // namespace

const HandlerEntry* WorkerClass::find(std::string_view message) const {
  const auto before = [](const HandlerEntry& entry, std::string_view name) { return entry.name < name; };
  const auto it = std::lower_bound(handlers.begin(), handlers.end(), message, before);
  return it != handlers.end() && it->name == message ? &*it : nullptr;
}

WorkerTypes& WorkerTypes::add(WorkerClass worker_class) {
  std::stable_sort(worker_class.handlers.begin(), worker_class.handlers.end(), by_name);
  auto mistake = mistake_in(worker_class);
  if (mistake.empty() && classes_.contains(worker_class.type)) {
    mistake = "worker type '" + worker_class.type + "' is registered twice";
  }
  if (mistake.empty()) {
    auto type = worker_class.type;
    classes_.emplace(std::move(type), std::make_shared<const WorkerClass>(std::move(worker_class)));
  } else if (error_.empty()) {
    error_ = std::move(mistake);
  }
  return *this;
}

std::shared_ptr<const WorkerClass> WorkerTypes::find(std::string_view type) const {
  auto it = classes_.find(type);
  return it == classes_.end() ? nullptr : it->second;
}

std::vector<std::string> WorkerTypes::names() const {
  std::vector<std::string> names;
  names.reserve(classes_.size());
  for (const auto& [name, worker_class] : classes_) names.push_back(name);
  return names;
}

}  // namespace processhub
