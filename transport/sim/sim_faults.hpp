// What can go wrong on the simulated network and inside simulated nodes, each as a named option.
// Probabilities are per frame (or per start), durations are virtual µs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::sim {

struct Faults {
  // -- every frame
  Duration delay_min{50};
  Duration delay_max{400};
  double delay_tail = 0;  ///< chance of a frame that takes up to delay_tail_max
  Duration delay_tail_max{100'000};
  // -- links (DEALER to ROUTER and back)
  double loss = 0;                     ///< a frame vanishes though its connection lives
  double duplicate = 0;                ///< a frame arrives twice
  double reorder = 0;                  ///< a frame is overtaken by later ones of its connection
  double reset = 0;                    ///< the connection breaks with this frame: what is in flight is lost
  bool keep_unsent = true;             ///< frames for a link that is not connected wait for the connection
  std::uint64_t link_queue = 100'000;  ///< frames that wait on one link; more are refused (EAGAIN)
  std::uint64_t bandwidth = 0;         ///< bytes a second of each connection and direction; 0: no limit
  // -- publications
  double pub_loss = 0;               ///< a subscriber misses a publication
  std::uint64_t pub_queue = 10'000;  ///< publications that wait for one subscriber; more are dropped
  Duration subscribe_delay{2'000};   ///< until a connected subscription takes effect, at most
  // -- connections
  Duration reconnect_min{5'000};
  Duration reconnect_max{300'000};
  Duration reset_after_min{
      2'000'000};  ///< a cut connection is given up after this; until then its frames wait for the heal
  Duration reset_after_max{10'000'000};
  // -- inside a node
  Duration turn_delay_max{50};      ///< from traffic to the loop's turn
  Duration worker_start_max{500};   ///< from StartWorker to WorkerUp
  Duration worker_stop_max{500};    ///< from StopWorker to WorkerDown
  Duration worker_turn_max{200};    ///< one message
  double worker_start_failure = 0;  ///< a worker's constructor throws
  double worker_crash = 0;          ///< a handled message ends in an exception
  double worker_hang = 0;           ///< a handled message takes up to worker_hang_max
  Duration worker_hang_max{3'000'000};
  double clock_drift = 0;  ///< clocks run faster or slower by up to this share

  /// Sets one option from text: "loss", "0.02"; durations take us, ms, s.
  Result<void> set(std::string_view name, std::string_view value);
  /// As text; empty if there is no such option.
  std::string value(std::string_view name) const;
  /// What may come to an end does: slowness of connections and workers stays, and so do drifting clocks.
  void end();
  /// "loss=0.02 …": what differs from the defaults.
  std::string str() const;
  static std::vector<std::string> names();
};

/// "250us", "20ms", "1.5s"; a bare number is µs.
Result<Duration> parse_duration(std::string_view text);
/// The shortest exact text: "1.5s", "20ms", "250us".
std::string format_duration(Duration duration);

}  // namespace processhub::sim
