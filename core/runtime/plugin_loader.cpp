#include "core/runtime/plugin_loader.hpp"

#include <dlfcn.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <string_view>

namespace processhub::runtime {
namespace {

constexpr std::string_view kElf = "\177ELF";  // the first bytes of every shared library
constexpr const char* kSymbol = "processhub_plugin";

Error broken(const std::string& path, const std::string& what) {
  return {ErrorCode::invalid, "plugin '" + path + "': " + what};
}

/// dlopen's own texts for these cases differ between systems and name no remedy.
Result<void> check_file(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {ErrorCode::invalid, std::strerror(errno)};
  if (!S_ISREG(info.st_mode)) return {ErrorCode::invalid, "not a file"};
  std::array<char, kElf.size()> head{};
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {ErrorCode::invalid, std::strerror(errno)};
  stream.read(head.data(), head.size());
  if (!stream || std::string_view(head.data(), head.size()) != kElf)
    return {ErrorCode::invalid, "not a shared library"};
  return {};
}

/// The text of the last dl error, without the path that dlopen puts in front.
std::string last_dl_error(const std::string& path) {
  const char* text = ::dlerror();
  std::string_view rest = text ? text : "unknown reason";
  if (rest.substr(0, path.size() + 2) == path + ": ") rest.remove_prefix(path.size() + 2);
  return std::string(rest);
}

/// "0.1.0" -> "0.1": what must agree.
std::string_view interface_version(std::string_view version) {
  const auto minor = version.find('.');
  return version.substr(0, minor == std::string_view::npos ? minor : version.find('.', minor + 1));
}

Result<void> run_registration(const PluginInfo& info, PluginRegistry& registry) {
  const std::string before = registry.types.error();
  try {
    info.register_plugin(registry);
  } catch (const std::exception& e) {
    return {ErrorCode::invalid, std::string("its register function threw: ") + e.what()};
  } catch (...) {
    return {ErrorCode::invalid, "its register function threw"};
  }
  if (registry.types.error() != before) return {ErrorCode::invalid, registry.types.error()};
  return {};
}

}  // namespace

Result<void> check_plugin(const PluginInfo& info) {
  const PluginInfo mine;
  if (info.magic != mine.magic) return {ErrorCode::invalid, "it exports no valid processhub_plugin"};
  if (info.abi != mine.abi || info.size != mine.size) {
    return {ErrorCode::invalid, "built for plugin ABI " + std::to_string(info.abi) + ", this program has " +
                                    std::to_string(mine.abi) + ": build it again"};
  }
  if (std::string_view(info.compiler) != mine.compiler) {
    return {ErrorCode::invalid,
            std::string("built with ") + info.compiler + ", this program with " + mine.compiler};
  }
  if (interface_version(info.version) != interface_version(mine.version)) {
    return {ErrorCode::invalid, std::string("built against version ") + info.version + ", this program is " +
                                    mine.version + ": build it again"};
  }
  if (info.layout != mine.layout) {
    return {ErrorCode::invalid,
            "its classes are laid out differently: build it with this program's headers and flags"};
  }
  if (!info.register_plugin) return {ErrorCode::invalid, "it has no register function"};
  return {};
}

Result<void> load_plugin(const std::string& path, PluginRegistry& registry) {
  // A bare name would make dlopen search the system's folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  if (auto ok = check_file(file); !ok) return broken(path, ok.error().message);

  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays open for the life of the program
  if (!library) return broken(path, "cannot be loaded: " + last_dl_error(file));
  const void* symbol = ::dlsym(library, kSymbol);
  if (!symbol) return broken(path, "no plugin: it does not use PROCESSHUB_PLUGIN");
  const auto& info = *static_cast<const PluginInfo*>(symbol);
  if (auto ok = check_plugin(info); !ok) return broken(path, ok.error().message);
  if (auto ok = run_registration(info, registry); !ok) return broken(path, ok.error().message);
  return {};
}

}  // namespace processhub::runtime
