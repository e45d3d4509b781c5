#include "tests/live/support/relay_lab.hpp"

namespace live {

Place RelayLab::place(const std::string& node) {
  if (const auto known = places_.find(node); known != places_.end()) return known->second;
  const auto router = own_endpoint();
  const auto publisher = own_endpoint();
  Place place;
  place.flags = {"--listen",        router,
                 "--pub_listen",    publisher,
                 "--advertise",     relay_.open(node, router),
                 "--pub_advertise", relay_.open(this->publisher(node), publisher)};
  place.control = router;
  return places_[node] = place;
}

void RelayLab::deafen(const std::string& node, const Names& others) {
  for (const auto& other : others) relay_.shape(publisher(other), node, {.cut = true});
}

void RelayLab::let_hear(const std::string& node, const Names& others) {
  for (const auto& other : others) {
    relay_.reset(publisher(other), node);  // what it held goes with the connection
    relay_.shape(publisher(other), node, {});
  }
}

void RelayLab::shape_all(const Names& names, Shape shape) {
  for (const auto& from : names)
    for (const auto& to : names)
      if (from != to) relay_.shape(from, to, shape);
}

}  // namespace live
