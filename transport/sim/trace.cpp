#include "transport/sim/trace.hpp"

#include <fmt/format.h>

#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {

Trace::Trace(SimCluster& cluster, Sink sink) : cluster_(cluster), sink_(std::move(sink)) {
  cluster.observe(*this);
}

void Trace::line(const std::string& who, char direction, const std::string& text) {
  const auto us = cluster_.now().count();
  sink_(fmt::format("{:>4}.{:06} {:<6} {} {}", us / 1'000'000, us % 1'000'000, who, direction, text));
}

void Trace::on_event(const SimNode& node, const protocol::Event& event) {
  line(node.id().str(), '<', describe(event));
}
void Trace::on_effect(const SimNode& node, const protocol::Effect& effect) {
  line(node.id().str(), '>', describe(effect));
}
void Trace::on_life(const SimNode& node) { line(node.id().str(), '=', std::string(to_string(node.life()))); }
void Trace::on_note(const std::string& text) { line("*", '*', text); }

void TraceTail::add(const std::string& line) {
  for (const char c : line) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  ++count_;
  if (keep_ == 0) return;
  lines_.push_back(line);
  if (lines_.size() > keep_) lines_.pop_front();
}

std::string TraceTail::text() const {
  std::string out;
  for (const auto& line : lines_) out += line + "\n";
  return out;
}

}  // namespace processhub::sim
