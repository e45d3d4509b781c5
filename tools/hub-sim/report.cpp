#include "tools/hub-sim/report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace processhub::hub_sim {

void Summary::put(const char* name, bool time, double value) {
  auto found =
      std::find_if(measures_.begin(), measures_.end(), [&](const Measure& m) { return m.name == name; });
  if (found == measures_.end()) found = measures_.insert(found, {name, time, {}});
  found->values.push_back(value);
}

void Summary::add(const sim::SwarmResult& result) {
  const auto micro = [](Duration d) { return static_cast<double>(d.count()); };
  const auto& m = result.measures;
  put("at rest after the last fault", true, micro(result.settled_after));
  for (const auto after : m.first_noticed) put("end of a node noticed by the first", true, micro(after));
  for (const auto after : m.all_noticed) put("end of a node noticed by all", true, micro(after));
  put("messages a node and second", false, static_cast<double>(m.messages) / m.node_seconds);
  put("bytes a node and second", false, static_cast<double>(m.bytes) / m.node_seconds);
  put("moves", false, static_cast<double>(m.moves));
  put("moves needed", false, static_cast<double>(m.moves_needed));
}

std::string Summary::text() const {
  std::string out;
  for (auto measure : measures_) {
    auto& values = measure.values;
    std::sort(values.begin(), values.end());
    const auto show = [&](double value) {
      return measure.time ? fmt::format("{:.0f} ms", value / 1e3) : fmt::format("{:.1f}", value);
    };
    out += fmt::format("  {:<34} min {:>10}  median {:>10}  max {:>10}\n", measure.name, show(values.front()),
                       show(values[(values.size() - 1) / 2]), show(values.back()));
  }
  return out;
}

}  // namespace processhub::hub_sim
