// Admin requests: what hubctl and other clients may ask of a node. A request is a verb with a msgpack map of
// arguments; the answer is a code (0, or the value of an ErrorCode) and a msgpack value. Unknown verbs,
// unknown or mistyped arguments are `invalid` and named. Runs on the callback pool; never blocks it: requests
// that take time answer when they are done.
//
//   verb      arguments (defaults)            answer
//   nodes     all=false (also down and left)  [{"name","incarnation","endpoint","state"}]
//   list      local=false, contains="",       [child], those whose id contains the text, at most
//             limit=0                         so many (0: all)
//   tag       tag                             [child]
//   lookup    id                              child with "spec" and "metadata"; no_such_child
//   dump      -                               text, one line per instance
//   status    - {"node","hub","version","uptime_ms","members","joined","locked",
//                                             "partitioned","children_local","children_total","digest",
//                                             "incarnation","time_us","stats":{counter: n}}
//   digest    -                               {"digest": 16 hex digits}
//   moves     -                               [{"id","from","to","phase","age_ms"}], of the asked node
//   inspect   -                               the inside of the asked node: locks and what waits behind
//                                             them, peers, links, sockets, moves, digests, options
//   explain/ID  -                             the child as lookup has it, with "origin","first","owners",
//                                             "distribution","candidates" (the nodes as it ranks them, each
//                                             with "score"?,"why","unable"), "wish","waits" (why it is not
//                                             where it belongs)
//   metrics   -                               {"node","hub","metrics":{name:{"kind","series"}}}
//   events    after=0, limit=500              {"events":[{"number","time_us","part","level","text",
//                                             "children"}],"missed","last"}: the node's journal behind a
//                                             number
//   tap       watcher (any number), most=400, {"messages":[[time µs, hop, kind, peer, child, message, topic,
//             child, kind, topic (filters)    token, trace, size, body]],"dropped"}: since the last time; the
//                                             first opens the tap, which ends 2 s after the last
//   freeze, unfreeze  -                       nil; no child moves or is taken over, on any node
//   drain, undrain  -                         nil; the asked node gives its children away, and stays
//   lock      reason="an operator", level=10  {"token"}: the asked node's queue is locked
//   unlock    token                           nil
//   start     specs, timeout_ms=10000,        {"status","rolled_back",
//             rollback=false,                 "children":[{"id","instances","error"?}]}
//             check_existing=true
//   stop      ids | prefix | tag, timeout_ms  {"status","children":[{"id","nodes","error"?}]}
//   call      id, message, body=nil,          the handler's answer, with field names
//             timeout_ms=5000
//   cast      id, message, body=nil           nil; no_such_child if this node has joined and knows of none
//   metadata  id, set? {key: value}           {key: value}, as it is afterwards; set replaces all
//   migrate   id, node (its name),            nil when the child runs there
//             timeout_ms=10000
//   reset-cluster-size  -                     nil; every node that is up has been told, no other one counts
//   restart   ids: clears `failed`, and what   {"children":[{"id","restarted","code"?,"error"?}]}; when all
//   run
//             runs on the asked node starts   again. Code `moved`: it is not failed and runs elsewhere
//             again in place
//
//   child     {"id","type","tag","instances":[instance]}; lookup adds "spec" and "metadata"
//   instance  {"node" (its name),"ref","role","state","generation"}
//   spec      {"id","type","args"?,"tag"?,"restart"?,"executor"?,"metadata"?,"max_restarts"?,
//             "max_seconds"? (ms),"shutdown_timeout"? (ms),"passivate_after"? (ms),"requires_role"?,"nodes"?
//             [name]}; args is any value, the worker gets it as msgpack
//   error     {"code": name, "error": text}; the whole answer when the code is not 0. But a start, stop or
//             restart that fails in part answers its usual map, with "code" and "error" of the first failure
//             that is a cause (not a roll-back) added
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"
#include "core/runtime/journal.hpp"
#include "core/runtime/tap.hpp"
#include "processhub/child.hpp"
#include "processhub/future.hpp"
#include "processhub/hub.hpp"
#include "processhub/metrics.hpp"

namespace processhub::runtime {

/// What admin requests need of a hub; the hub itself in a program, a double in tests.
class AdminHub {
 public:
  virtual ~AdminHub() = default;
  virtual Future<StartResult> start_children(std::vector<ChildSpec> specs, StartOptions options) = 0;
  virtual Future<StopResult> stop_children(protocol::event::Select select, std::vector<std::string> values,
                                           StopOptions options) = 0;
  virtual Future<Bytes> call_raw(std::string_view id, std::string_view message, Bytes body,
                                 std::chrono::milliseconds timeout, bool named) = 0;
  virtual Result<void> cast_raw(std::string_view id, std::string_view message, Bytes body) = 0;
  virtual Future<void> migrate(std::string id, std::string node, std::chrono::milliseconds timeout) = 0;
  virtual Future<void> update_metadata(std::string id, Metadata metadata) = 0;
  virtual Future<void> restart_child(std::string id) = 0;
  virtual Future<void> reset_cluster_size() = 0;
  virtual std::optional<ChildInfo> lookup(std::string_view id) const = 0;
  virtual std::vector<ChildInfo> list(Scope scope) const = 0;
  virtual std::vector<ChildInfo> by_tag(std::string_view tag) const = 0;
  virtual std::string dump() const = 0;
  virtual std::vector<NodeInfo> nodes(bool include_local, bool include_down) const = 0;
  virtual HubStatus status() const = 0;
  virtual Metrics metrics() const = 0;
  virtual const Journal& journal() const = 0;
  virtual Tap& tap() = 0;
  virtual Future<void> operate(protocol::event::Operation what) = 0;
  virtual Future<std::uint64_t> lock(std::string reason, int level) = 0;
  virtual Future<void> unlock(std::uint64_t token) = 0;
};

struct AdminReply {
  std::uint8_t code = 0;
  Bytes body{};  ///< msgpack
};

/// What is answered in place of an answer that the session cannot carry.
AdminReply too_long_answer();

/// Calls `answer` exactly once, on this thread or, when the request is done, on the callback pool.
void handle_admin(AdminHub& hub, const protocol::effect::AdminQuery& query,
                  std::function<void(AdminReply)> answer);

}  // namespace processhub::runtime
