// A look at every node of a cluster at one moment, from one address. One thread of the caller; each node is
// asked on a thread of its own, so that one that does not answer holds up nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/hubctl/admin_client.hpp"
#include "tools/hubctl/json_payload.hpp"

namespace processhub::hubctl {

/// Where to begin, and how. More addresses than one: the first that answers tells who is there, the others
/// lead to members that are not reached at the address that their peers use, or to nodes that are no members.
struct LookOptions {
  std::vector<std::string> endpoints{};
  std::chrono::milliseconds patience{2'000};  ///< with one node
  ClientOptions client{};
};

/// A question to a node.
struct Question {
  std::string verb{};
  Json args = Json::object();
};

struct NodeLook {
  std::string name{};
  std::string endpoint{};
  std::uint64_t incarnation = 0;
  std::string state{};          ///< as the first node that answered sees it
  std::string error{};          ///< why it has not answered; empty: it has
  std::vector<Json> answers{};  ///< one for each question; null where the node refused it
  std::chrono::microseconds round_trip{};
  std::int64_t clock_us = 0;  ///< of this program, in the middle of the first question

  bool answered() const { return error.empty(); }
  /// The answer to the question of this index, an empty object if there is none.
  const Json& answer(std::size_t index) const;
};

struct ClusterLook {
  std::vector<NodeLook> nodes{};   ///< by name
  std::vector<NodeLook> others{};  ///< given addresses that are no member of the first one's cluster
};

/// Microseconds since 1970, by the clock of this machine.
std::int64_t wall_us();

/// Asks all members that are not known to be gone. Takes a few times the patience at most, however many are
/// silent. Error: nobody answered at all.
Result<ClusterLook> look_at(const LookOptions& options, const std::vector<Question>& questions);

/// The members in the answer to "nodes", by name; those that are gone have an error that says so.
std::vector<NodeLook> members_of(const Json& nodes);

/// One question over a connection that stands.
Result<Json> ask(AdminClient& client, const Question& question, std::chrono::milliseconds patience);

/// Asks a node over a connection that stands; if it does not answer, its error says so.
void ask_node(AdminClient& client, NodeLook& node, const LookOptions& options,
              const std::vector<Question>& questions);

/// One question to one address.
Result<Json> ask_one(const std::vector<std::string>& endpoints, const Question& question,
                     std::chrono::milliseconds patience, const ClientOptions& client);

/// The address of the member of this name.
Result<std::string> endpoint_of(const LookOptions& options, const std::string& node);

}  // namespace processhub::hubctl
