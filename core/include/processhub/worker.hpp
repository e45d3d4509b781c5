// The user's side of a child: derive from Worker, declare handlers once per class, register the class in
// WorkerTypes.
#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "processhub/handlers.hpp"
#include "processhub/worker_context.hpp"

namespace processhub {

/// What the runtime knows of a worker class. Immutable after registration.
struct WorkerClass {
  std::string type{};
  std::vector<HandlerEntry> handlers{};  ///< sorted by name
  HandlerFn raw = nullptr;
  std::function<std::unique_ptr<Worker>(const Bytes& args)> make{};  ///< throws when the args do not fit
  std::function<Bytes(Worker&)> save{};                              ///< empty function: no handover state
  std::function<void(Worker&, std::string_view)> load{};
  std::function<void(Worker&, std::string_view)> merge{};  ///< empty function: another instance's is dropped

  PROCESSHUB_API const HandlerEntry* find(std::string_view message) const;
};

namespace detail {
struct NamesHandlers {
  static void handlers();
};
/// In both bases the name is ambiguous, also where the class keeps it private: a slip that would otherwise
/// leave it without any handler.
template <class W>
struct HandlersProbe : W, NamesHandlers {};

template <class W>
constexpr bool names_handlers() {
  if constexpr (std::is_final_v<W>) {
    return false;
  } else {
    return !requires { &HandlersProbe<W>::handlers; };
  }
}
}  // namespace detail

/// The worker classes of a program, by the name used in ChildSpec::type. Build it, then hand it to
/// Hub::start.
class PROCESSHUB_API WorkerTypes {
 public:
  template <class W>
  WorkerTypes& add(std::string type) {
    static_assert(std::derived_from<W, Worker>, "a worker class derives from processhub::Worker");
    Handlers<W> handlers;
    constexpr bool callable = requires { W::handlers(handlers); };
    static_assert(
        callable || !detail::names_handlers<W>(),
        "handlers() of a worker class must be public: static void handlers(processhub::Handlers<Class>&)");
    if constexpr (callable) W::handlers(handlers);
    WorkerClass c;
    c.type = std::move(type);
    c.handlers = std::move(handlers.entries);
    c.raw = handlers.raw();
    c.make = [](const Bytes& args) { return make<W>(args); };
    if constexpr (requires(W & w, std::string_view s) {
                    Bytes(w.save_state());
                    w.load_state(s);
                  }) {
      c.save = [](Worker& w) { return Bytes(static_cast<W&>(w).save_state()); };
      c.load = [](Worker& w, std::string_view s) { static_cast<W&>(w).load_state(s); };
      if constexpr (requires(W & w, std::string_view s) { w.merge_state(s); })
        c.merge = [](Worker& w, std::string_view s) { static_cast<W&>(w).merge_state(s); };
    } else if constexpr (requires(W & w) { w.state(); }) {
      using State = std::decay_t<decltype(std::declval<W&>().state())>;
      c.save = [](Worker& w) { return encode(static_cast<W&>(w).state()); };
      c.load = [](Worker& w, std::string_view s) { static_cast<W&>(w).state() = decode<State>(s).value(); };
      if constexpr (requires(W & w, const State& other) { w.merge_state(other); })
        c.merge = [](Worker& w, std::string_view s) {
          static_cast<W&>(w).merge_state(decode<State>(s).value());
        };
    }
    return add(std::move(c));
  }
  /// Registers a class built by hand. A repeated type name or two handlers of one name make `error()`
  /// non-empty.
  WorkerTypes& add(WorkerClass worker_class);

  std::shared_ptr<const WorkerClass> find(std::string_view type) const;
  std::vector<std::string> names() const;
  /// The first registration mistake; Hub::start refuses with it.
  const std::string& error() const { return error_; }

 private:
  template <class W>
  static std::unique_ptr<Worker> make(const Bytes& args) {
    if constexpr (requires { typename W::Args; }) {
      using Args = typename W::Args;
      if (args.empty()) return std::make_unique<W>(Args{});
      auto decoded = decode<Args>(args);
      if (!decoded) throw std::invalid_argument("args: " + decoded.error().message);
      return std::make_unique<W>(std::move(*decoded));
    } else {
      return std::make_unique<W>();
    }
  }
  std::map<std::string, std::shared_ptr<const WorkerClass>, std::less<>> classes_{};
  std::string error_{};
};

}  // namespace processhub
