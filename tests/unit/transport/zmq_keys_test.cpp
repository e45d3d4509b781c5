#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/unit/transport/zmq_test_support.hpp"
#include "transport/zmq/allow_list.hpp"
#include "transport/zmq/curve_keys.hpp"

namespace processhub::zmq_test::zmq_keys_test {
namespace {

KeyPair new_keys() {
  auto keys = generate_key_pair();
  REQUIRE(keys);
  return *keys;
}

std::string write_file(const std::string& path, const std::string& text, mode_t mode = 0600) {
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777U;
}

std::string error_of(const std::string& path) {
  const auto keys = read_key_file(path);
  return keys ? "" : keys.error().message;
}

}  // namespace

TEST_CASE("a generated key pair is written and read back, the secret for its owner only") {
  TemporaryDirectory directory;
  const KeyPair keys = new_keys();
  CHECK(keys.public_key.size() == 40);
  CHECK(keys.secret_key.size() == 40);
  CHECK(new_keys() != keys);
  REQUIRE(write_key_pair(directory / "node-a", keys));
  CHECK(mode_of(directory / "node-a.key") == 0600);
  CHECK(*read_key_file(directory / "node-a.key") == keys);
  CHECK(*read_public_key(directory / "node-a.key") == keys.public_key);
  CHECK(*read_public_key(directory / "node-a.pub") == keys.public_key);
  CHECK(read_file(directory / "node-a.pub") == "public = " + keys.public_key + "\n");
}

TEST_CASE("keygen never overwrites a key") {
  TemporaryDirectory directory;
  const KeyPair keys = new_keys();
  REQUIRE(write_key_pair(directory / "a", keys));
  const auto again = write_key_pair(directory / "a", new_keys());
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::system);
  CHECK(*read_key_file(directory / "a.key") == keys);
  write_file(directory / "b.pub", "mine");
  CHECK_FALSE(write_key_pair(directory / "b", new_keys()));
  CHECK_FALSE(std::filesystem::exists(directory / "b.key"));
  CHECK(read_file(directory / "b.pub") == "mine");
}

TEST_CASE("keys with every character that Z85 has survive the file") {
  TemporaryDirectory directory;
  // '#' and '=' are the ones that a careless reader takes for something else.
  for (int i = 0; i < 300; ++i) {
    const KeyPair keys = new_keys();
    const auto path = write_file(directory / "k",
                                 "public=" + keys.public_key + "\n secret =\t" + keys.secret_key + " \r\n");
    REQUIRE(error_of(path).empty());
    REQUIRE(*read_key_file(path) == keys);
  }
}

TEST_CASE("comments and blank lines in a key file are skipped") {
  TemporaryDirectory directory;
  const KeyPair keys = new_keys();
  const auto path = write_file(directory / "k",
                               "# node a\n\npublic = " + keys.public_key + "\n\nsecret = " + keys.secret_key);
  CHECK(*read_key_file(path) == keys);
}

TEST_CASE("a secret that others may read is refused, and the error says what to do") {
  TemporaryDirectory directory;
  const KeyPair keys = new_keys();
  REQUIRE(write_key_pair(directory / "a", keys));
  for (const mode_t mode : {0640, 0604, 0660, 0666}) {
    REQUIRE(::chmod((directory / "a.key").c_str(), mode) == 0);
    const auto read = read_key_file(directory / "a.key");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid);
    CHECK(read.error().message.find("chmod 600") != std::string::npos);
  }
}

TEST_CASE("malformed key files are named, with the reason") {
  TemporaryDirectory directory;
  const KeyPair keys = new_keys();
  const std::string good_public = "public = " + keys.public_key + "\n";
  const std::string good_secret = "secret = " + keys.secret_key + "\n";
  const auto reason = [&](const std::string& text) {
    return error_of(write_file(directory / "bad.key", text));
  };
  CHECK(reason("").find("no `secret`") != std::string::npos);
  CHECK(reason(good_public).find("no `secret`") != std::string::npos);
  CHECK(reason(good_secret).find("does not belong") != std::string::npos);
  CHECK(reason("public = " + new_keys().public_key + "\n" + good_secret).find("does not belong") !=
        std::string::npos);
  CHECK(reason(good_public + good_public + good_secret).find("twice") != std::string::npos);
  CHECK(reason(good_public + "secret = short\n").find("40 Z85") != std::string::npos);
  CHECK(reason("public = " + std::string(40, '~') + "\n").find("40 Z85") != std::string::npos);
  CHECK(reason("hello\n").find("name = value") != std::string::npos);
  CHECK(reason("key = " + keys.public_key).find("`public` and `secret`") != std::string::npos);
  CHECK(reason(std::string(100'000, 'x')).find("too large") != std::string::npos);
  CHECK(reason(std::string("\0\0\0", 3)).find("bad.key") != std::string::npos);
  CHECK(error_of(directory / "missing.key").find("missing.key") != std::string::npos);
  CHECK(error_of(directory.str()).find("regular file") != std::string::npos);
}

TEST_CASE("the allow-list is read again when its directory changes") {
  TemporaryDirectory directory;
  const KeyPair fixed = new_keys();
  const KeyPair early = new_keys();
  const KeyPair late = new_keys();
  write_file(directory / "early.pub", "public = " + early.public_key);
  write_file(directory / "readme.txt", "not a key");
  auto list = zmq_detail::AllowList::open(directory.str(), {fixed.public_key});
  REQUIRE(list);
  CHECK(list->allows(fixed.public_key));
  CHECK(list->allows(early.public_key));
  CHECK_FALSE(list->allows(late.public_key));
  write_file(directory / "late.pub", "public = " + late.public_key);
  CHECK(list->allows(late.public_key));
  std::filesystem::remove(directory / "early.pub");
  CHECK_FALSE(list->allows(early.public_key));
  CHECK(list->allows(late.public_key));
  // A broken file that is added later locks out nobody else.
  write_file(directory / "broken.pub", "nonsense");
  CHECK(list->allows(late.public_key));
  std::filesystem::remove_all(directory.str());
  CHECK_FALSE(list->allows(late.public_key));
  CHECK(list->allows(fixed.public_key));
}

TEST_CASE("an allow-list that cannot be read is an error at the start") {
  TemporaryDirectory directory;
  CHECK_FALSE(zmq_detail::AllowList::open(directory / "missing", {}));
  write_file(directory / "broken.pub", "nonsense");
  const auto list = zmq_detail::AllowList::open(directory.str(), {});
  REQUIRE_FALSE(list);
  CHECK(list.error().message.find("broken.pub") != std::string::npos);
}

}  // namespace processhub::zmq_test::zmq_keys_test
