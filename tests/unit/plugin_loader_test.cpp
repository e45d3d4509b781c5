#include "core/runtime/plugin_loader.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace plugin_loader_test {

using namespace processhub;

namespace {

void register_nothing(PluginRegistry&) {}

PluginInfo good_info() { return {.register_plugin = &register_nothing}; }

std::string why(const PluginInfo& info) {
  const auto checked = runtime::check_plugin(info);
  return checked ? "" : checked.error().message;
}

std::string load_error(const std::string& path) {
  WorkerTypes types;
  StrategyCatalog strategies;
  HookFunctions hooks;
  PluginRegistry registry{types, strategies, hooks};
  const auto loaded = runtime::load_plugin(path, registry);
  return loaded ? "" : loaded.error().message;
}

/// A file that goes away with the test.
struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const std::string& content)
      : path(std::filesystem::temp_directory_path() / ("ph_plugin_test_" + std::to_string(::getpid()))) {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

/// The file of a shared library this test itself runs on.
std::string path_of_libc() {
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<const void*>(&::getpid), &info) != 0);
  return info.dli_fname;
}

}  // namespace

TEST_CASE("plugin: a plugin of this very build is accepted") { CHECK(why(good_info()).empty()); }

TEST_CASE("plugin: wrong magic, ABI, size, compiler, version, layout or no function are each named") {
  auto info = good_info();
  info.magic ^= 1;
  CHECK(why(info).find("no valid processhub_plugin") != std::string::npos);
  info = good_info();
  info.abi += 1;
  info.compiler = nullptr;  // must not be read: another ABI may mean something else by it
  info.version = nullptr;
  const auto abi = fmt::format("plugin ABI {}, this program has {}", kPluginAbi + 1, kPluginAbi);
  CHECK(why(info).find(abi) != std::string::npos);
  info = good_info();
  info.size += 8;
  CHECK(why(info).find("plugin ABI") != std::string::npos);
  info = good_info();
  info.compiler = "gcc 4";
  CHECK(why(info).find("built with gcc 4, this program with ") != std::string::npos);
  info = good_info();
  info.version = "99.0.0";
  CHECK(why(info).find("built against version 99.0.0") != std::string::npos);
  info = good_info();
  info.layout.child_spec += 8;
  CHECK(why(info).find("laid out differently") != std::string::npos);
  info = good_info();
  info.register_plugin = nullptr;
  CHECK(why(info).find("no register function") != std::string::npos);
}

TEST_CASE("plugin: patch versions of the library mix") {
  auto info = good_info();
  const std::string version(kPluginVersion);
  const std::string patched = version.substr(0, version.rfind('.')) + ".99";
  info.version = patched.c_str();
  CHECK(why(info).empty());
}

TEST_CASE("plugin: the version in the header is the version of the project") {
  CHECK(std::string(kPluginVersion) == PROCESSHUB_VERSION);
}

TEST_CASE("plugin: a missing file, a folder, a text and an empty file fail in one line that names the file") {
  CHECK(load_error("/no/such/plugin.so") == "plugin '/no/such/plugin.so': No such file or directory");
  CHECK(load_error("no_such_plugin.so") == "plugin 'no_such_plugin.so': No such file or directory");
  CHECK(load_error("/tmp") == "plugin '/tmp': not a file");
  const TemporaryFile text("int main() { return 0; }\n");
  CHECK(load_error(text.path.string()) == "plugin '" + text.path.string() + "': not a shared library");
  const TemporaryFile empty("");
  CHECK(load_error(empty.path.string()) == "plugin '" + empty.path.string() + "': not a shared library");
}

TEST_CASE("plugin: a damaged shared library is refused with the loader's reason, once") {
  const TemporaryFile damaged(
      "\x7f"
      "ELF and then nothing that makes sense");
  const auto error = load_error(damaged.path.string());
  CHECK(error.find("plugin '" + damaged.path.string() + "': cannot be loaded: ") == 0);
  CHECK(error.find(damaged.path.string()) == error.rfind(damaged.path.string()));
}

TEST_CASE("plugin: a shared library that is no plugin is refused") {
  const auto path = path_of_libc();
  CHECK(load_error(path) == "plugin '" + path + "': no plugin: it does not use PROCESSHUB_PLUGIN");
}

}  // namespace plugin_loader_test
