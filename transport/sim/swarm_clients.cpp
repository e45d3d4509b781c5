#include "transport/sim/swarm_clients.hpp"

#include <fmt/format.h>

namespace processhub::sim {

SwarmClients::SwarmClients(Rng rng) : rng_(rng) { count_ = rng_.chance(0.4) ? 1 + rng_.below(3) : 0; }

std::vector<Words> SwarmClients::draw(SwarmUsers& users, const std::vector<std::string>& seeds) {
  if (count_ == 0 || users.children().empty() || seeds.empty() || !rng_.chance(0.5)) return {};
  if (here_ < count_) {
    Words words{"client", fmt::format("client{}", ++here_), "knows"};
    words.push_back(rng_.pick(seeds));
    words.push_back(rng_.pick(seeds));
    return {std::move(words)};
  }
  const auto name = fmt::format("client{}", 1 + rng_.below(count_));
  const auto id = rng_.pick(users.children());
  std::vector<Words> out;
  const auto messages = 1 + rng_.below(6);
  for (std::uint64_t i = 0; i < messages; ++i) {
    const auto number = fmt::format("#{}", users.next_message());
    if (rng_.chance(0.5)) {
      out.push_back({"cast", name, id, "1", number});
    } else {
      const auto timeout = rng_.between(Duration(50'000), Duration(5'000'000));
      out.push_back({"call", name, id, "add", "1", number, format_duration(timeout)});
    }
  }
  return out;
}

}  // namespace processhub::sim
