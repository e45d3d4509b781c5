// The readable history of a simulation: one line per event, effect and fault.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

class Trace : public ClusterObserver {
 public:
  using Sink = std::function<void(const std::string& line)>;

  Trace(SimCluster& cluster, Sink sink);

  void on_event(const SimNode& node, const protocol::Event& event) override;
  void on_effect(const SimNode& node, const protocol::Effect& effect) override;
  void on_life(const SimNode& node) override;
  void on_note(const std::string& text) override;

 private:
  void line(const std::string& who, char direction, const std::string& text);

  SimCluster& cluster_;
  Sink sink_;
};

/// Keeps the last lines, and a hash of all of them.
class TraceTail {
 public:
  explicit TraceTail(std::size_t keep) : keep_(keep) {}
  void add(const std::string& line);
  std::uint64_t hash() const { return hash_; }
  std::uint64_t count() const { return count_; }
  std::string text() const;

 private:
  std::size_t keep_;
  std::deque<std::string> lines_{};
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  std::uint64_t count_ = 0;
};

}  // namespace processhub::sim
