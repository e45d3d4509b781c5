#include "transport/zmq/route_table.hpp"

#include <iterator>

namespace processhub::zmq_detail {

RouteId RouteTable::number_of(std::string_view identity) {
  // Frames of one connection often follow each other.
  if (!by_age_.empty() && by_age_.front().identity == identity) return by_age_.front().id;
  if (const auto known = by_identity_.find(identity); known != by_identity_.end()) {
    by_age_.splice(by_age_.begin(), by_age_, known->second);
    return known->second->id;
  }
  if (by_age_.size() >= limit_) erase(std::prev(by_age_.end()));
  by_age_.push_front(Route{++last_id_, std::string(identity)});
  by_identity_.emplace(by_age_.front().identity, by_age_.begin());
  by_id_.emplace(last_id_, by_age_.begin());
  return last_id_;
}

std::string_view RouteTable::identity_of(RouteId route) const {
  const auto known = by_id_.find(route);
  return known == by_id_.end() ? std::string_view() : std::string_view(known->second->identity);
}

void RouteTable::forget(RouteId route) {
  if (const auto known = by_id_.find(route); known != by_id_.end()) erase(known->second);
}

void RouteTable::erase(Position position) {
  by_identity_.erase(position->identity);
  by_id_.erase(position->id);
  by_age_.erase(position);
}

}  // namespace processhub::zmq_detail
