// ClusterWatch: follows a cluster for as long as somebody reads the feed, over one connection to each node
// that stays. While nobody reads, it asks nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/zmq-monitor/doctor.hpp"
#include "tools/zmq-monitor/node_lines.hpp"
#include "tools/zmq-monitor/web_feed.hpp"

namespace processhub::monitor {

class ClusterWatch {
 public:
  /// Both outlive it; it ends once the feed is closed.
  ClusterWatch(const hubctl::LookOptions& options, WebFeed& feed);
  ~ClusterWatch();
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

 private:
  /// What is known of the events of a node's life.
  struct Story {
    std::optional<std::uint64_t> last{};
    Json recent = Json::array();  ///< of the last minute
  };

  void run();
  std::optional<ClusterLook> look();
  void ask(NodeLook& node, hubctl::AdminClient& client, Story& story);
  static void read_events(const NodeLook& node, Story& story, std::vector<Json>& out);
  void publish(ClusterLook&& look);
  void forget();

  const hubctl::LookOptions& options_;
  WebFeed& feed_;
  NodeLines lines_;
  std::map<std::string, Story> stories_{};  ///< by life
  std::optional<ClusterLook> before_{};
  std::chrono::steady_clock::time_point looked_{};
  std::thread thread_{};
};

}  // namespace processhub::monitor
