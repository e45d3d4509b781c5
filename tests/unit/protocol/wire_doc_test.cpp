// docs/wire.md lists every message with its number and its fields; the list is made from the definitions, and
// this fails when they differ. PH_REWRITE=1 writes it anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"

namespace wire_doc_test {

using namespace processhub;
using namespace processhub::protocol;

namespace {

constexpr std::string_view kBegin = "<!-- made from core/protocol/messages.hpp: begin -->\n";
constexpr std::string_view kEnd = "<!-- end -->\n";

/// Types that are met on the way, with their fields.
using Structs = std::map<std::string, std::string>;

template <class T>
struct TypeText {
  static std::string of(Structs& structs);
};
template <>
struct TypeText<NodeId> {
  static std::string of(Structs&) { return "node"; }
};
template <>
struct TypeText<Uid> {
  static std::string of(Structs&) { return "uid"; }
};
template <>
struct TypeText<std::string> {
  static std::string of(Structs&) { return "str"; }
};
template <>
struct TypeText<SharedSpec> {
  static std::string of(Structs&) { return "spec"; }
};
template <class T>
struct TypeText<std::vector<T>> {
  static std::string of(Structs& s) { return "[" + TypeText<T>::of(s) + "]"; }
};
template <class T, std::size_t N>
struct TypeText<SmallVector<T, N>> {
  static std::string of(Structs& s) { return "[" + TypeText<T>::of(s) + "]"; }
};
template <class T>
struct TypeText<std::optional<T>> {
  static std::string of(Structs& s) { return TypeText<T>::of(s) + " or nil"; }
};
template <class T>
struct TypeText<std::shared_ptr<const T>> {
  static std::string of(Structs& s) { return TypeText<T>::of(s); }
};
template <class A, class B>
struct TypeText<std::map<A, B>> {
  static std::string of(Structs& s) { return "{" + TypeText<A>::of(s) + ": " + TypeText<B>::of(s) + "}"; }
};
template <class Rep, class Period>
struct TypeText<std::chrono::duration<Rep, Period>> {
  static std::string of(Structs&) { return Period::den == 1'000'000 ? "uint µs" : "uint ms"; }
};

template <class T>
std::string fields_of(Structs& structs) {
  std::string out;
  T value{};
  value.ph_fields()([&](auto&... field) {
    std::size_t i = 0;
    [[maybe_unused]] const auto add = [&](const auto& f) {
      out +=
          (out.empty() ? "" : ", ") + std::string(processhub::detail::field_name(T::ph_field_names(), i++));
      out += " " + TypeText<std::decay_t<decltype(f)>>::of(structs);
    };
    (add(field), ...);
  });
  return out;
}

template <class T>
std::string TypeText<T>::of(Structs& structs) {
  if constexpr (processhub::detail::HasFields<T>) {
    const std::string name(processhub::detail::SnakeName<T>::chars.data(),
                           processhub::detail::SnakeName<T>::chars.size());
    if (!structs.contains(name)) {
      structs[name] = {};
      structs[name] = fields_of<T>(structs);
    }
    return name;
  } else if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "float";
  } else if constexpr (std::is_unsigned_v<T> || std::is_enum_v<T>) {
    return "uint";
  } else {
    return std::string(processhub::detail::raw_type_name<T>());
  }
}

template <std::size_t... I>
std::string message_rows(Structs& structs, std::index_sequence<I...>) {
  std::string out;
  ((out += "| " + std::to_string(I) + " | `" + std::string(message_kind_name(I)) + "` | " +
           fields_of<std::variant_alternative_t<I, Message>>(structs) + " |\n"),
   ...);
  return out;
}

std::string generated() {
  Structs structs;
  std::string out = "| kind | message | fields, in order |\n|---|---|---|\n";
  out += "| - | `hello` | " + fields_of<Hello>(structs) + " |\n";
  out += "| - | `refusal` | " + fields_of<Refusal>(structs) + " |\n";
  out += message_rows(structs, std::make_index_sequence<kMessageKinds>());
  out += "\n| value | fields, in order |\n|---|---|\n";
  for (const auto& [name, fields] : structs) out += "| `" + name + "` | " + fields + " |\n";
  out += "\n| error code | name |\n|---|---|\n";
  for (int code = 1; to_string(static_cast<ErrorCode>(code)) != "?"; ++code)
    out +=
        "| " + std::to_string(code) + " | `" + std::string(to_string(static_cast<ErrorCode>(code))) + "` |\n";
  return out;
}

}  // namespace

TEST_CASE("docs/wire.md says what the definitions of the messages say") {
  const std::string path = PH_SOURCE_DIR "/docs/wire.md";
  std::stringstream in;
  in << std::ifstream(path).rdbuf();
  const auto text = in.str();
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = begin + kBegin.size();
  if (std::getenv("PH_REWRITE") != nullptr)
    std::ofstream(path) << text.substr(0, from) << generated() << text.substr(end);
  else
    CHECK(text.substr(from, end - from) == generated());
}

TEST_CASE("docs/wire.md names the sizes and flags of the frames") {
  std::stringstream in;
  in << std::ifstream(PH_SOURCE_DIR "/docs/wire.md").rdbuf();
  const auto text = in.str();
  for (const std::string& line :
       {"protocol version " + std::to_string(kProtocolVersion),
        "frame target " + std::to_string(kFrameTarget),
        "session header " + std::to_string(kSessionHeaderSize) + " bytes",
        "part header " + std::to_string(kPartHeaderSize) + " bytes",
        "fragment " + std::to_string(kFlagFragment) + ", last fragment " + std::to_string(kFlagLastFragment) +
            ", gap " + std::to_string(kFlagGap)}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  }
}

}  // namespace wire_doc_test
