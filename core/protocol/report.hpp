// Report: what the core tells tools about its inside, as plain values. Made only when a client asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "processhub/ids.hpp"
#include "processhub/time.hpp"
#include "processhub/transport.hpp"

namespace processhub::protocol {

/// A child on its way to this node or from it.
struct MoveInfo {
  std::string id{};
  NodeId from{};
  NodeId to{};
  std::string phase{};
  Duration age{};
};

/// Somebody who holds the event queue.
struct LockInfo {
  std::string holder{};
  std::string reason{};
  int level = 0;
  bool discard = false;
  Duration age{};
  std::uint64_t token = 0;
};

/// Events of one priority that wait.
struct WaitInfo {
  int priority = 0;
  std::uint64_t count = 0;
  Duration oldest{};
};

/// How this node sees another one.
struct PeerInfo {
  NodeId id{};
  std::string state{};
  bool agrees = false;   ///< it announces the view that this node has
  Duration silent{};     ///< since anything was heard of it
  bool current = false;  ///< all that it announced of its children is here
  std::uint64_t table_digest = 0;
  std::uint64_t spec_digest = 0;
  std::string publisher{};  ///< where it publishes
};

struct LinkInfo {
  NodeId peer{};
  LinkId link = 0;
  std::string endpoint{};
  bool session = false;
  bool refused = false;  ///< nobody listens at its address
  bool relayed = false;  ///< frames go through a third node
  Duration without_session{};
  std::uint64_t queued_control = 0;  ///< bytes sent or to be sent, and not confirmed
  std::uint64_t queued_data = 0;
  std::uint64_t resends = 0;
  // The last sequence of each lane.
  std::uint64_t sent_control = 0;
  std::uint64_t sent_data = 0;
  std::uint64_t received_control = 0;
  std::uint64_t received_data = 0;
};

/// A node as one that a child could run on. Those that can come first, as the distribution ranks them.
struct CandidateInfo {
  std::string node{};
  std::optional<double> score{};  ///< of the distribution's own scale, higher is better
  std::string why{};              ///< what the score is made of
  std::string unable{};           ///< why it cannot; empty: it can
};

/// Why a child is where it is.
struct ChildReport {
  bool known = false;
  std::string uid{};
  std::string origin{};               ///< the node that was asked to start it
  std::vector<std::string> first{};   ///< chosen then
  std::vector<std::string> owners{};  ///< where it belongs now
  std::string distribution{};         ///< that ranks the nodes
  std::vector<CandidateInfo> candidates{};
  std::string wish{};  ///< the node somebody asked for
  std::uint64_t epoch = 0;
  std::string failure{};
  std::string waits{};  ///< why it is not where it belongs; empty: it is, or this node does not decide it
};

struct Report {
  std::vector<MoveInfo> moves{};
  std::vector<LockInfo> locks{};
  std::vector<WaitInfo> waiting{};
  int level = 0;
  std::vector<PeerInfo> peers{};
  std::vector<LinkInfo> links{};
  std::uint64_t view_digest = 0;
  std::uint64_t spec_digest = 0;
  std::uint64_t table_digest = 0;
  bool agreed = false;
  bool settled = false;
  std::vector<std::string> counted{};  ///< for a quorum: names, or lives as "name/incarnation"
  bool votes = false;                  ///< that is to change, by a vote
  bool frozen = false;                 ///< redistribution is held
  bool drained = false;                ///< this node gives its children away and stays
  std::string options{};               ///< that all members must have alike
  ChildReport child{};
};

}  // namespace processhub::protocol
