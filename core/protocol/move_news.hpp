// What hooks tell of children that change their node, collected so that many are told together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/protocol/context.hpp"

namespace processhub::protocol {

class MoveNews {
 public:
  /// Told at once, before the act.
  static void before(Context& ctx, NodeId from, NodeId to, std::vector<std::string> ids) {
    if (!ids.empty()) ctx.hook(hook::PreChildrenRedistribution{from, to, std::move(ids)});
  }

  /// This node lets it go to `to`; whether it did, ended() will tell.
  void leaving(const Uid& uid, NodeId to) { leaving_[uid] = to; }
  /// Its worker here has ended. `migrated`: it lives on.
  void ended(const Uid& uid, const std::string& id, bool migrated) {
    auto it = leaving_.find(uid);
    if (it == leaving_.end()) return;
    if (migrated) migrated_[it->second].push_back(id);
    leaving_.erase(uid);
  }
  /// It did not go after all.
  void stays(const Uid& uid) { leaving_.erase(uid); }
  /// It came here, but belongs to `to`.
  void forwarded(const std::string& id, NodeId to) { forwarded_[to].push_back(id); }

  void flush(Context& ctx) {
    for (auto& [to, ids] : migrated_) ctx.hook(hook::ChildrenMigrated{to, std::move(ids)});
    for (auto& [to, ids] : forwarded_) ctx.hook(hook::ForwardedMigration{to, std::move(ids)});
    migrated_.clear();
    forwarded_.clear();
  }

 private:
  using ByNode = std::map<NodeId, std::vector<std::string>>;
  std::map<Uid, NodeId> leaving_{};
  ByNode migrated_{};
  ByNode forwarded_{};
};

}  // namespace processhub::protocol
