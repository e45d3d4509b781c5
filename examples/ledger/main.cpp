// example_ledger NAME CHILDREN WINDOW ADDRESS...: writes numbered entries to CHILDREN ledgers of the cluster
// at ADDRESS without a pause, at most WINDOW calls at a time, while you restart its nodes. SIGUSR1: a line of
// what happened since the last one. SIGTERM or SIGINT: compares with the books, and ends with 0 if every
// entry was written once and in order.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "bookkeeper.hpp"

namespace ph = processhub;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "usage: example_ledger NAME CHILDREN WINDOW ADDRESS...\n"), 2;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGUSR1, SIGTERM, SIGINT}) sigaddset(&signals, s);
  sigprocmask(SIG_BLOCK, &signals, nullptr);  // before any thread

  ph::ClientConfig config;
  config.nodes.assign(argv + 4, argv + argc);
  auto client = ph::Client::connect(config);
  if (!client) return std::fprintf(stderr, "%s\n", client.error().c_str()), 2;
  ledger::Bookkeeper keeper(*client, argv[1], std::strtoul(argv[2], nullptr, 10),
                            std::strtoul(argv[3], nullptr, 10), 10s);
  if (!keeper.start_children()) return 2;
  std::puts("writing");
  std::fflush(stdout);
  for (int phases = 0;;) {
    keeper.write_one();
    const timespec now{};
    const int caught = sigtimedwait(&signals, nullptr, &now);
    if (caught == SIGTERM || caught == SIGINT) break;
    if (caught != SIGUSR1) continue;
    std::puts(keeper.report(std::to_string(++phases)).c_str());
    std::fflush(stdout);
  }
  keeper.wait_for_answers();
  std::puts(keeper.report("last").c_str());
  bool exact = false;
  std::puts(keeper.audit(exact).c_str());
  return exact ? 0 : 1;
}
