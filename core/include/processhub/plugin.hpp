// Plugins: a shared library that brings worker types, strategies and hook functions to a running program such
// as hubd.
//
//   void register_counter(processhub::PluginRegistry& registry) { registry.types.add<Counter>("counter"); }
//   PROCESSHUB_PLUGIN(register_counter)
//
// A plugin links libprocesshub.so and is built with the compiler and the library version of the program that
// loads it; the loader checks that before it calls anything, and never unloads. Loading a file runs the
// constructors of its static objects before any check can happen: load only files that you trust like the
// program itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/hooks.hpp"
#include "processhub/message.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/worker.hpp"

namespace processhub {

/// What a plugin adds to. Valid during the register function only.
struct PluginRegistry {
  WorkerTypes& types;
  StrategyCatalog& strategies;
  HookFunctions& hooks;
};

using RegisterPlugin = void (*)(PluginRegistry& registry);

/// Sizes of what both sides touch: builds that lay these out differently must not meet.
struct PluginLayout {
  std::uint32_t worker_types = sizeof(WorkerTypes);
  std::uint32_t worker_class = sizeof(WorkerClass);
  std::uint32_t delivery = sizeof(Delivery);
  std::uint32_t child_spec = sizeof(ChildSpec);
  std::uint32_t hub_config = sizeof(HubConfig);
  std::uint32_t strategy_catalog = sizeof(StrategyCatalog);
  std::uint32_t hub_view = sizeof(HubView);
  std::uint32_t hook_functions = sizeof(HookFunctions);
  std::uint32_t hook_event = sizeof(HookEvent);
  friend bool operator==(const PluginLayout&, const PluginLayout&) = default;
};

inline constexpr std::uint64_t kPluginMagic = 0x50485F504C554731;  ///< "PH_PLUG1"
inline constexpr std::uint32_t kPluginAbi = 6;  ///< grows when PluginInfo or the meaning of a call changes
inline constexpr char kPluginVersion[] =
    "0.1.0";  ///< of this library; before 1.0 a minor version may change the interface

#define PROCESSHUB_DETAIL_TEXT_OF(x) #x
#define PROCESSHUB_DETAIL_TEXT(x) PROCESSHUB_DETAIL_TEXT_OF(x)
#if defined(__clang__)
#define PROCESSHUB_DETAIL_COMPILER "clang " PROCESSHUB_DETAIL_TEXT(__clang_major__)
#else
#define PROCESSHUB_DETAIL_COMPILER "gcc " PROCESSHUB_DETAIL_TEXT(__GNUC__)
#endif
#if defined(_GLIBCXX_RELEASE)
#define PROCESSHUB_DETAIL_LIBRARY                                                                \
  ", libstdc++ " PROCESSHUB_DETAIL_TEXT(_GLIBCXX_RELEASE) ", cxx11 abi " PROCESSHUB_DETAIL_TEXT( \
      _GLIBCXX_USE_CXX11_ABI)
#else
#define PROCESSHUB_DETAIL_LIBRARY ", libc++"
#endif
#if defined(_GLIBCXX_DEBUG)
#define PROCESSHUB_DETAIL_MODE ", debug containers"
#else
#define PROCESSHUB_DETAIL_MODE ""
#endif

/// Compiler and standard library, as far as they decide the layout of classes.
inline constexpr char kPluginCompiler[] =
    PROCESSHUB_DETAIL_COMPILER PROCESSHUB_DETAIL_LIBRARY PROCESSHUB_DETAIL_MODE;

/// What a plugin exports under the name `processhub_plugin`. The first three fields never move: they are read
/// first.
struct PluginInfo {
  std::uint64_t magic = kPluginMagic;
  std::uint32_t abi = kPluginAbi;
  std::uint32_t size = sizeof(PluginInfo);
  const char* compiler = kPluginCompiler;
  const char* version = kPluginVersion;
  PluginLayout layout{};
  RegisterPlugin register_plugin = nullptr;
};

}  // namespace processhub

/// Once per plugin, at namespace scope: `register_function` is a `void(processhub::PluginRegistry&)`.
#define PROCESSHUB_PLUGIN(register_function)                                                         \
  extern "C" {                                                                                       \
  extern PROCESSHUB_API const ::processhub::PluginInfo processhub_plugin;                            \
  constinit const ::processhub::PluginInfo processhub_plugin{.register_plugin = &register_function}; \
  }
