// Node files that are wrong: one clear error each, with file, line and key.
#include <doctest/doctest.h>

#include <string>

#include "processhub/config.hpp"
#include "tests/unit/config/temporary_file.hpp"

namespace mistakes_test {

using namespace processhub;
using config_test::TemporaryFile;

namespace {

/// The error, with the path of the file replaced by FILE.
std::string error_of(std::string_view text) {
  const TemporaryFile file(text);
  const auto node = NodeConfig::from_file(file.path());
  if (node.ok()) return "no error";
  std::string message = node.error().message;
  CHECK(message.find('\n') == std::string::npos);
  if (const auto at = message.find(file.path()); at != std::string::npos)
    message.replace(at, file.path().size(), "FILE");
  return message;
}

struct Mistake {
  std::string_view text;
  std::string_view error;
};

void check_all(std::initializer_list<Mistake> mistakes) {
  for (const auto& m : mistakes) {
    CAPTURE(m.text);
    CHECK(error_of(m.text) == m.error);
  }
}

}  // namespace

TEST_CASE("files that are no INI files are refused at the line where they go wrong") {
  check_all({
      {"\xEF\xBB\xBFname = a\n", "FILE:1: the file starts with a byte order mark: save it without one"},
      {"name = a\n[hub\nid = x\n", "FILE:2: expected [section] on a line of its own, not '[hub'"},
      {"name = a\n[hub.ord", "FILE:2: expected [section] on a line of its own, not '[hub.ord'"},
      {"[hub] # main\nid = x\n", "FILE:1: expected [section] on a line of its own, not '[hub] # main'"},
      {"[]\n", "FILE:1: expected the name of a section between the brackets, not ''"},
      {"name = a\nlisten", "FILE:2: expected key = value, not 'listen'"},
      {"; comment\n", "FILE:1: expected key = value, not '; comment'"},
      {"; a = b\n", "FILE:1: expected a key before the =, not '; a' (a comment starts with #)"},
      {"= 5\n", "FILE:1: expected a key before the =, not '' (a comment starts with #)"},
      {"name =\n", "FILE:1: name: expected a value, not nothing; leave the line out for the default"},
      {"name = a\n\nweight = 2 # more\n",
       "FILE:3: weight: no # in a value; a comment stands on a line of its own, JSON can say \\u0023"},
      {"secret_key_file = a#b\n",
       "FILE:1: secret_key_file: no # in a value; a comment stands on a line of its own, JSON can say "
       "\\u0023"},
      {std::string_view("name = a\0b\n", 11), "FILE:1: a control character; is this a text file?"},
      {"\x7f"
       "ELF\x02\x01",
       "FILE:1: a control character; is this a text file?"},
  });
}

TEST_CASE("unknown keys and sections are refused, with the nearest known one") {
  check_all({
      {"name = a\nlisen = tcp://127.0.0.1:1\n", "FILE:2: lisen: unknown option; did you mean 'listen'?"},
      {"heartbeat = 5s\n", "FILE:1: heartbeat: unknown option"},
      {"list = 5s\n", "FILE:1: list: unknown option; did you mean 'listen'?"},
      {"hub.id = x\n", "FILE:1: hub.id: unknown option"},
      {"[hub]\nname = x\n", "FILE:2: name: unknown option"},
      {"[hub]\nid = x\nlisten = tcp://127.0.0.1:1\n",
       "FILE:3: listen: belongs to the top of the file, before the first section"},
      {"[child.a]\ntype = t\narg = 1\n", "FILE:3: arg: unknown option; did you mean 'args'?"},
      {"[child.a]\ntype = t\ncount = 1\n", "FILE:3: count: unknown option"},
      {"[hub.a]\nid = x\n", "FILE:2: id: unknown option"},
  });
  for (const char* section :
       {"[hubs]", "[distributions]", "[hub.]", "[hub.a.b]\n[hub.a]", "[hub.a.rendezvous]\n[hub.a]"}) {
    CAPTURE(section);
    CHECK(
        error_of(section).find("FILE:1: " + std::string(section).substr(0, std::string(section).find('\n')) +
                               ": unknown section; expected hub, hub.ID,") == 0);
  }
}

TEST_CASE("what stands twice is refused") {
  check_all({
      {"name = a\nname = b\n", "FILE:2: name: this option comes twice"},
      {"weight = 1\nweight = 1\n", "FILE:2: weight: this option comes twice"},
      {"[redundancy]\nfactor = 1\nfactor = 2\n", "FILE:3: factor: this option comes twice"},
      {"[hub]\nid = a\n[hub]\nid = b\n", "FILE:3: [hub]: this section is already on line 1"},
      {"[child.a-0]\ntype = t\n[children.a]\ntype = t\ncount = 2\n",
       "FILE:3: [children.a]: there are two children with the id 'a-0'"},
      {"[child.a]\ntype = t\nmetadata.x = 1\nmetadata.x = 2\n",
       "FILE:4: metadata.x: this option comes twice"},
  });
}

TEST_CASE("values of the wrong kind or range are refused with what was expected") {
  check_all({
      {"weight = heavy\n", "FILE:1: weight: expected a number such as 1 or 0.5, not 'heavy'"},
      {"weight = -1\n", "FILE:1: weight: expected a number of 0 or more, not '-1'"},
      {"sync_interval = 5\n",
       "FILE:1: sync_interval: expected a duration such as 250ms, 2s or 1m, not '5': the unit (ms, s, m or "
       "h) is missing"},
      {"pool_threads = 100000\n", "FILE:1: pool_threads: expected at most 1024, not '100000'"},
      {"sync_interval = 0s\n", "FILE:1: sync_interval: expected at least 1ms, not '0ms'"},
      {"drain_timeout = 9000h\n", "FILE:1: drain_timeout: expected at most 8760h, not '9000h'"},
      {"mailbox_limit = 0\n", "FILE:1: mailbox_limit: expected at least 1, not '0'"},
      {"probe_peers = 4294967296\n",
       "FILE:1: probe_peers: expected a whole number from 0 to 4294967295, not '4294967296'"},
      {"max_message_size = 12\n", "FILE:1: max_message_size: expected at least 1KiB, not '12'"},
      {"mailbox_policy = wait\n",
       "FILE:1: mailbox_policy: expected one of reject drop_oldest block, not 'wait'"},
      {"insecure = yes\n", "FILE:1: insecure: expected true or false, not 'yes'"},
      {"name = \"node a\"\n", "FILE:1: name: write the value without quotes"},
      {"zone = 'a'\n", "FILE:1: zone: write the value without quotes"},
      {"name = node a\n", "FILE:1: name: expected a name of 1 to 255 bytes without spaces, not 'node a'"},
      {"listen = 127.0.0.1:7001\n",
       "FILE:1: listen: expected an address such as tcp://127.0.0.1:7001, not '127.0.0.1:7001'"},
      {"seed = tcp://a:1\nseed = tcp://b\n",
       "FILE:2: seed: expected an address such as tcp://127.0.0.1:7001, not 'tcp://b'"},
      {"seed = tcp://127.0.0.1:0\n", "FILE:1: seed: expected a port from 1 to 65535, not 0"},
      {"seed = tcp://*:7001\n",
       "FILE:1: seed: expected an address that others can reach, not 'tcp://*:7001'"},
      {"heartbeat_interval = 1s\n",
       "FILE:1: heartbeat_interval: expected at most half of suspect_after (1300ms), not '1s'"},
      {"suspect_after = 300ms\n",
       "FILE: heartbeat_interval: expected at most half of suspect_after (300ms), not '200ms'"},
  });
}

TEST_CASE("children are checked where they stand") {
  check_all({
      {"[child.]\n", "FILE:1: [child.]: expected an id after 'child.'"},
      {"[children]\n", "FILE:1: [children]: expected an id after 'children.'"},
      {"\n[children.x]\ntype = t\n", "FILE:2: [children.x]: count is missing: how many children?"},
      {"[children.x]\ntype = t\ncount = many\n",
       "FILE:3: count: expected a whole number from 0 to 1000000, not 'many'"},
      {"[child.x]\ntype = t\nargs = {\"a\": \n",
       "FILE:3: args: expected JSON; what is written breaks off or goes wrong at byte 6"},
      {"[child.x]\ntype = t\nrestart = never\n",
       "FILE:3: restart: expected one of permanent transient temporary, not 'never'"},
      {"[child.x]\ntype = t\nmetadata. = 1\n", "FILE:3: metadata.: unknown option"},
  });
  CHECK(error_of("name = a\n[child.x]\ntag = t\n").find("FILE:2: [child.x]: ") == 0);
  CHECK(error_of("[child.a b]\ntype = t\n").find("FILE:1: [child.a b]: ") == 0);
}

TEST_CASE("hooks are checked where they stand") {
  check_all({
      {"[hook.]\n", "FILE:1: [hook.]: expected an id after 'hook.'"},
      {"[hook.a]\nevent = child_failed\n",
       "FILE:1: [hook.a]: hook 'a': function is missing: which one is called?"},
      {"[hook.a]\nfunction = f\n", "FILE:1: [hook.a]: hook 'a': event is missing: what is it told of?"},
      {"[hook.a]\nfunction = f\nevent = child_faild\n",
       "FILE:3: event: expected the name of a hook, not 'child_faild'; did you mean 'child_failed'?"},
      {"[hook.a]\nfunction = f\nevent = child_data\nevent = child_failed\n",
       "FILE:1: [hook.a]: hook 'a': child_data takes a function of its own kind, so it stands alone"},
      {"[hook.a]\nfunction = f\nevent = child_failed\nevent = child_failed\n",
       "FILE:1: [hook.a]: hook 'a': event 'child_failed' is named twice"},
      {"[hook.a]\nfunction = f\npriority = first\n",
       "FILE:3: priority: expected a whole number from 0 to 1000000, not 'first'"},
      {"[hook.a]\nfunctions = f\n", "FILE:2: functions: unknown option; did you mean 'function'?"},
  });
}

TEST_CASE("one nameless hub and named hubs do not mix") {
  check_all({
      {"listen = tcp://127.0.0.1:1\n[hub.a]\nweight = 1\n[hub.b]\nweight = 1\n",
       "FILE:1: listen: this file has [hub.a], so an option of a hub belongs into its section"},
      {"[hub.a]\nweight = 1\n[hub]\nid = b\n",
       "FILE:3: [hub]: this file has [hub.a], so this belongs into a section [hub.ID…]"},
      {"[hub.a]\nweight = 1\n[redundancy]\nfactor = 2\n",
       "FILE:3: [redundancy]: this file has [hub.a], so this belongs into a section [hub.ID…]"},
      {"[hub.a]\nweight = 1\n[child.x]\ntype = t\n",
       "FILE:3: [child.x]: this file has [hub.a], so this belongs into a section [hub.ID…]"},
      {"[hub.a]\nweight = 1\n[hub.b.child.x]\ntype = t\n",
       "FILE:3: [hub.b.child.x]: there is no section [hub.b]"},
      {"[hub.a.child.x]\ntype = t\n", "FILE:1: [hub.a.child.x]: there is no section [hub.a]"},
  });
}

TEST_CASE("a hub that others could reach by accident is refused") {
  check_all({
      {"listen = tcp://10.0.0.1:7001\n",
       "FILE:1: listen: 'tcp://10.0.0.1:7001' can be reached from other machines: set secret_key_file, or "
       "insecure = true if "
       "the network is trusted"},
      {"insecure = true\nlisten = tcp://*:7001\n",
       "FILE:2: listen: 'tcp://*:7001' listens on every address, so advertise must say which one peers shall "
       "use"},
      {"insecure = true\nlisten = tcp://127.0.0.1:1\npub_listen = tcp://0.0.0.0:0\n",
       "FILE:3: pub_listen: 'tcp://0.0.0.0:0' listens on every address, so pub_advertise must say which one "
       "peers shall use"},
      {"advertise = tcp://*:1\n",
       "FILE:1: advertise: expected an address that others can reach, not 'tcp://*:1'"},
      {"allow_dir = keys\n", "FILE:1: allow_dir: means nothing without secret_key_file"},
      {"secret_key_file = k\nserver_key_file = s\n",
       "FILE:2: server_key_file: needs allow_dir: with a key pair per node it says who may connect"},
      {"secret_key_file = k\nallow_dir = d\ninsecure = true\n",
       "FILE:3: insecure: must be false when secret_key_file is set"},
  });
  CHECK(
      error_of("listen = tcp://127.0.0.1:1\npub_listen = tcp://10.0.0.1:0\n").find("FILE:2: pub_listen: ") ==
      0);
}

TEST_CASE("a file that cannot be read is a system error that names it") {
  const auto missing = NodeConfig::from_file("/no/such/node.ini");
  CHECK(missing.error().code == ErrorCode::system);
  CHECK(missing.error().message ==
        "/no/such/node.ini: the configuration cannot be read: No such file or directory");
  CHECK(NodeConfig::from_file("/tmp").error().message ==
        "/tmp: the configuration cannot be read: it is a folder");
}

TEST_CASE("a file cut off at any byte reads or fails with one line that names it, and never otherwise") {
  const std::string text =
      "name = node-a\nseed = tcp://127.0.0.1:7101\n[hub]\nid = x\n[redundancy]\nfactor = "
      "3\n[child.a.b]\ntype = audit\n"
      "args = {\"channel\": [1, 2, {\"x\": null}]}\nmetadata.k = v\n[children.s]\ntype = t\ncount = 12\n";
  int failures = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const TemporaryFile file(text.substr(0, size));
    const auto node = NodeConfig::from_file(file.path());
    if (node.ok()) continue;
    ++failures;
    CHECK(node.error().message.find(file.path() + ":") == 0);
    CHECK(node.error().message.find('\n') == std::string::npos);
  }
  CHECK(failures > 50);
}

}  // namespace mistakes_test
