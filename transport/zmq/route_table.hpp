// Numbers the identities that ROUTER gives to its connections. ROUTER does not say when a connection ends, so
// the table is bounded and forgets the one that was idle longest.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "processhub/transport.hpp"

namespace processhub::zmq_detail {

class RouteTable {
 public:
  explicit RouteTable(std::size_t limit) : limit_(limit) {}

  /// The number of the connection a frame came from; a new number if it is not known (any more).
  RouteId number_of(std::string_view identity);
  /// Empty if the route is not known (any more). Valid until the next call that is not const.
  std::string_view identity_of(RouteId route) const;
  void forget(RouteId route);
  std::size_t size() const { return by_age_.size(); }

 private:
  struct Route {
    RouteId id = 0;
    std::string identity{};
  };
  using Position = std::list<Route>::iterator;

  void erase(Position position);

  std::size_t limit_;
  RouteId last_id_ = 0;
  std::list<Route> by_age_{};  ///< the one used last in front
  std::unordered_map<std::string_view, Position> by_identity_{};
  std::unordered_map<RouteId, Position> by_id_{};
};

}  // namespace processhub::zmq_detail
