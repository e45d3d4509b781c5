// Every option of a hub, each with its default, unit and reason. Plain values: build one in code, or read a
// file. `HubConfig` is one hub; `NodeConfig` is a whole file (several hubs, plugins), which is what hubd
// reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/export.hpp"
#include "processhub/result.hpp"

namespace processhub {

/// A strategy by name, with the options of its own section. The strategy's factory rejects what it does not
/// know.
struct StrategyChoice {
  std::string name{};
  std::map<std::string, std::string> options{};
  friend bool operator==(const StrategyChoice&, const StrategyChoice&) = default;
};

/// The alter hook, beside the events of <processhub/hooks.hpp>.
inline constexpr std::string_view kAlterHook = "child_data";

/// A hook that a file asks for: `function` is the name of one of the HookFunctions that the program has.
struct HookChoice {
  std::string id{};
  std::string function{};
  std::vector<std::string> events{};  ///< hook names, at least one; or only kAlterHook
  int priority = 100;                 ///< lower numbers run first
  friend bool operator==(const HookChoice&, const HookChoice&) = default;
};

struct SecurityConfig {
  bool insecure = false;  ///< allow other than loopback addresses without keys
  std::string
      secret_key_file{};  ///< this node's CURVE key pair as `hubctl keygen` writes it; empty: no encryption
  std::string server_key_file{};  ///< public key that peers present, when all nodes share one; empty:
                                  ///< allow-list keys are tried by name
  std::string allow_dir{};        ///< directory of public key files that may connect; re-read when it changes
};

struct HubConfig {
  using ms = std::chrono::milliseconds;

  std::string hub_id = "default";  ///< nodes with the same hub_id form the cluster
  std::string name{};              ///< this node's name, unique in the cluster; empty: host name and pid
  std::string listen{};  ///< ROUTER bind address, tcp://HOST:PORT, port 0 picks one; empty: no network until
                         ///< promote()
  std::string pub_listen{};     ///< PUB bind address; empty: the host of `listen`, a free port
  std::string advertise{};      ///< address told to peers; needed when `listen` is a wildcard
  std::string pub_advertise{};  ///< same for `pub_listen`
  std::vector<std::string>
      seeds{};          ///< addresses tried to find the cluster; this node's own may be among them
  double weight = 1.0;  ///< share of children relative to other nodes; 0: none unless it is the only choice
  std::string zone{};   ///< failure zone, for spreading replicas
  std::vector<std::string> roles{};  ///< what children may require

  StrategyChoice distribution{"rendezvous", {}};         ///< cluster-wide
  StrategyChoice redundancy{"singularity", {}};          ///< cluster-wide
  StrategyChoice migration{"cold_swap", {}};             ///< cluster-wide
  StrategyChoice synchronization{"pubsub", {}};          ///< cluster-wide
  StrategyChoice partition_tolerance{"divergence", {}};  ///< cluster-wide

  ms discover_interval{2'000};    ///< seeds and lost members are tried this often
  ms sync_interval{500};          ///< registries whose digests differ for this long are compared and repaired
  ms heartbeat_interval{200};     ///< one small PUB message each; a fifth of suspect_after or less
  ms suspect_after{1'300};        ///< silence before probes start; longer than a tolerable pause (1 s)
  ms probe_timeout{500};          ///< an answer to a direct or relayed probe
  std::uint32_t probe_peers = 3;  ///< peers asked to probe a suspect
  ms stall_limit{1'000};          ///< a longer gap in our own loop means we trust nothing we believed
  ms join_timeout{2'000};         ///< a silent seed does not hold up the boot longer
  ms drain_timeout{10'000};       ///< graceful leave gives up waiting for moves after this
  ms deadlock_recovery_timeout{60'000};  ///< a lock held longer is freed and reported
  ms purge_interval{15'000};    ///< members that left or died are forgotten when nothing refers to them
  ms migration_timeout{5'000};  ///< one move; after it the next pass tries again
  std::uint32_t max_concurrent_moves = 2'000;  ///< moves under way to one target
  std::uint32_t spec_copies = 2;               ///< other nodes that confirm a start or stop (all, if fewer)

  std::uint32_t max_restarts = 5;  ///< crashes of a child within max_seconds before it is `failed`
  ms max_seconds{10'000};          ///< window of max_restarts
  ms restart_backoff{20};          ///< wait before the second restart in the window; doubles
  ms restart_backoff_max{2'000};   ///< its limit
  ms shutdown_timeout{5'000};      ///< time for a worker's on_stop

  std::uint32_t pool_threads = 0;                ///< 0: one per core, at least 2
  std::uint32_t mailbox_limit = 100'000;         ///< messages waiting at one child
  std::uint64_t mailbox_bytes = 64ULL << 20;     ///< the same in bytes; an empty one takes any message
  std::string mailbox_policy = "reject";         ///< reject | drop_oldest | block (local senders only)
  std::uint32_t turn_batch = 64;                 ///< messages per turn of a pooled worker
  ms inline_limit{1};                            ///< an inline handler that takes longer is counted and named
  std::uint64_t max_message_size = 64ULL << 20;  ///< bytes; larger ones are refused on both ends
  std::uint64_t link_ring_bytes = 64ULL << 20;   ///< unacknowledged bytes kept per peer and lane
  std::uint32_t command_queue =
      1U << 20;  ///< commands waiting for the loop before callers are told overloaded

  SecurityConfig security{};
  std::vector<ChildSpec>
      static_children{};   ///< started once in the cluster by the lowest-named node that declares them
  ms hook_timeout{1'000};  ///< child_data hooks of one start that take longer refuse it
  std::vector<HookChoice> hooks{};  ///< registered before the node joins
  std::string log_level = "info";   ///< trace | debug | info | warn | error | off; others for components
                                    ///< behind it: "info,links=debug"

  /// Reads a file that describes one hub. The error names file, line and key.
  PROCESSHUB_API static Result<HubConfig> from_file(const std::string& path);
  /// The same from the text of such a file.
  PROCESSHUB_API static Result<HubConfig> from_text(std::string_view text);
  /// Checks ranges and what options demand of each other; the error names the option.
  PROCESSHUB_API Result<void> validate() const;
};

/// A whole node file: plugins and one or more hubs.
struct NodeConfig {
  std::string name{};
  std::vector<std::string> plugins{};
  std::string metrics{};  ///< HOST:PORT where hubd answers Prometheus; empty: nowhere
  bool log_json = false;  ///< of hubd: a log line is a JSON object
  std::vector<HubConfig> hubs{};

  PROCESSHUB_API static Result<NodeConfig> from_file(const std::string& path);
  /// A file (may be empty) and command-line flags, which win. Flags have the form --key=value or --key value.
  PROCESSHUB_API static Result<NodeConfig> from_command_line(int argc, const char* const* argv);
  /// Every option: name, default, unit, meaning.
  PROCESSHUB_API static std::string describe_options();
};

}  // namespace processhub
