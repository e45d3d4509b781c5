#include "core/protocol/static_children.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace processhub::protocol {

namespace {

std::uint64_t spec_hash(const ChildSpec& spec) {
  Bytes bytes;
  Writer w(bytes);
  put(w, SharedSpec(spec));
  return hash64(bytes);
}

std::uint64_t value_hash(const StaticValue& v) {
  return (hash64(v.id) ^ v.spec_hash) * 0x9E3779B97F4A7C15ULL + (v.version << 1 | (v.stopped ? 1 : 0)) +
         v.writer.hash();
}

}  // namespace

StaticChildren::StaticChildren(Context& context, Registry& registry, Membership& membership,
                               Replication& replication, Requests& requests)
    : ctx_(context),
      registry_(registry),
      membership_(membership),
      replication_(replication),
      requests_(requests) {}

std::vector<std::uint64_t> StaticChildren::declared(const HubConfig& config) {
  std::vector<std::uint64_t> out;
  for (const auto& spec : config.static_children) out.push_back(hash64(spec.id));
  std::sort(out.begin(), out.end());
  return out;
}

void StaticChildren::merge(const StaticValue& value) {
  auto& mine = values_[value.id];
  if (std::pair(value.version, value.writer) <= std::pair(mine.version, mine.writer)) return;
  if (mine.version > 0) digest_ -= value_hash(mine);
  mine = value;
  digest_ += value_hash(mine);
}

std::vector<StaticValue> StaticChildren::values() const {
  std::vector<StaticValue> out;
  for (const auto& [id, value] : values_) out.push_back(value);
  return out;
}

void StaticChildren::set(const std::string& id, std::uint64_t hash, bool stopped) {
  StaticValue v{id, hash, stopped, 1, ctx_.self()};
  if (auto it = values_.find(id); it != values_.end()) v.version = it->second.version + 1;
  merge(v);
  replication_.set_static(v);
}

void StaticChildren::on_removed(std::string_view id) {
  auto it = values_.find(id);
  if (it != values_.end() && !it->second.stopped) set(it->first, it->second.spec_hash, true);
}

bool StaticChildren::ours_to_start(const std::string& id) const {
  auto hash = hash64(id);
  for (const auto& [node, member] : membership_.members()) {
    const auto& d = member.record.declares;
    if (membership_.is_up(node) && node.name() < ctx_.self().name() &&
        std::binary_search(d.begin(), d.end(), hash))
      return false;
  }
  return true;
}

void StaticChildren::start_missing() {
  for (const auto& spec : ctx_.config.static_children) {
    if (registry_.winner(spec.id) != nullptr || !ours_to_start(spec.id)) continue;
    auto hash = spec_hash(spec);
    auto it = values_.find(spec.id);
    bool same = it != values_.end() && it->second.spec_hash == hash;
    if (same && it->second.stopped) continue;
    if (requests_.create(ChildSpec(spec), 0) == nullptr) {
      if (unable_.insert(spec.id).second)
        ctx_.log(LogPart::children, LogLevel::error,
                 "no node can run the static child '" + spec.id + "' of type '" + spec.type + "'");
    } else if (!same) {
      set(spec.id, hash, false);
    }
  }
}

}  // namespace processhub::protocol
