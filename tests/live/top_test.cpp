// The live view of zmq-monitor on a real terminal, over real nodes.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/terminal.hpp"

namespace top_test {

using live::eventually;
using live::Names;
using live::ProcessCluster;
using live::require_shows;
using live::Terminal;

namespace {

/// The line that begins with this row's name, perhaps behind the cursor.
std::string row(const Terminal& terminal, const std::string& name) {
  std::istringstream in(terminal.screen());
  for (std::string line; std::getline(in, line);)
    if (line.rfind(" " + name + " ", 0) == 0 || line.rfind(">" + name + " ", 0) == 0) return line;
  return {};
}

bool says(const Terminal& terminal, const std::string& name, const std::string& text) {
  return eventually([&] { return row(terminal, name).find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("top on a terminal: keys, a new size, and one node after the other lost until nobody answers") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  Terminal terminal({live::program_path("zmq-monitor"), cluster.endpoint("a"), "top", "--every", "300ms",
                     "--timeout", "1s"},
                    80, 24);
  require_shows(terminal, "3 of 3 nodes answer  12 children  via a");
  for (const auto* title :
       {"NODE+", "STATE", "LOCK", "CHILD", "LAGms", "MBOX", "IN/s", "OUT/s", "DROP", "GAP", "RTTms"})
    CHECK_MESSAGE(terminal.shows(title), terminal.screen());
  CHECK_FALSE(terminal.shows("INCARNATION"));
  terminal.resize(130, 30);
  require_shows(terminal, "INCARNATION");
  terminal.resize(80, 24);

  terminal.press({"j"});
  require_shows(terminal, ">b ");
  terminal.press({"Enter"});
  require_shows(terminal, "nodes > children of b");
  require_shows(terminal, "x-");
  terminal.press({"Enter"});
  require_shows(terminal, "belongs to b, says a");
  terminal.press({"Escape"});
  terminal.press({"q", "N"});
  require_shows(terminal, "NODE-");

  cluster.kill("a");  // through which it looked
  CHECK(says(terminal, "a", "down"));
  require_shows(terminal, "2 of 3 nodes answer");
  CHECK(says(terminal, "b", " up "));
  cluster.pause("c");
  CHECK(eventually([&] {
    const auto now = row(terminal, "c");
    return now.find("silent") != std::string::npos || now.find("down") != std::string::npos;
  }));
  terminal.press({":", "v", "i", "e", "w", "s", "Enter"});
  require_shows(terminal, "SEEN BY");
  terminal.press({"Escape"});
  cluster.kill("c");
  cluster.kill("b");
  require_shows(terminal, "nobody answers");
  CHECK(says(terminal, "b", "lost"));
  terminal.press({"q"});
  CHECK(eventually([&] { return terminal.exit_code() == 0; }));
}

}  // namespace top_test
