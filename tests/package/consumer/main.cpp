// The smallest program: a hub that has no network and no worker types starts and ends.
#include <processhub/processhub.hpp>

#include <cstdio>

namespace ph = processhub;

int main() {
  auto hub = ph::Hub::start(ph::HubConfig{}, ph::WorkerTypes{});
  if (!hub) return 1;
  std::puts("processhub runs outside its tree");
}
