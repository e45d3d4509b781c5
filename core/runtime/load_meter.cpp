#include "core/runtime/load_meter.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace processhub::runtime {

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

/// The number behind `key` at the begin of a line.
double number_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  double value = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key)) std::istringstream(line.substr(key.size())) >> value;
  return value;
}

/// "cpu0", "cpu1" …
std::size_t processors(const std::string& stat) {
  std::istringstream lines(stat);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);)
    count += line.size() > 3 && line.starts_with("cpu") && line[3] != ' ' ? 1 : 0;
  return count;
}

}  // namespace

LoadMeter::LoadMeter(std::string proc) : proc_(std::move(proc)) {}

/// "cpu user nice system idle iowait irq softirq steal …", in ticks since the start.
double LoadMeter::cpu(std::string_view stat) {
  std::istringstream line{std::string(stat.substr(0, stat.find('\n')))};
  std::string name;
  line >> name;
  std::uint64_t all = 0;
  std::uint64_t idle = 0;
  std::uint64_t ticks = 0;
  for (int i = 0; i < 8 && line >> ticks; ++i) {
    all += ticks;
    if (i == 3 || i == 4) idle += ticks;
  }
  const auto busy = all - idle;
  const auto busy_before = std::exchange(busy_, busy);
  const auto all_before = std::exchange(all_, all);
  // The kernel's counters may step back a little.
  if (all <= all_before || busy < busy_before) return 0;
  return std::min(1.0, static_cast<double>(busy - busy_before) / static_cast<double>(all - all_before));
}

LoadSample LoadMeter::measure() {
  LoadSample out;
  const auto stat = content(proc_ + "/stat");
  out.cpu = cpu(stat);
  // Who measures runs, too.
  const auto waiting = number_of(stat, "procs_running ") - static_cast<double>(processors(stat));
  out.run_queue = std::max(0.0, waiting);
  const auto memory = content(proc_ + "/meminfo");
  const auto total = number_of(memory, "MemTotal:");
  if (total > 0) out.memory = std::clamp(1 - number_of(memory, "MemAvailable:") / total, 0.0, 1.0);
  return out;
}

}  // namespace processhub::runtime
