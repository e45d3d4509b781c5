// Frames as text: what travels, message by message, with every field.
#include <optional>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"
#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {
namespace {

using namespace protocol;

constexpr std::size_t kLongestList = 6;
constexpr std::size_t kLongestText = 40;

template <class T>
void put(std::string& out, const T& value);

void put_text(std::string& out, const std::string& text) {
  out += '\'';
  for (const char c : text.substr(0, kLongestText)) out += c >= ' ' && c <= '~' ? c : '.';
  out += text.size() > kLongestText ? fmt::format("'+{}B", text.size() - kLongestText) : "'";
}

template <class List>
void put_list(std::string& out, const List& list) {
  out += '[';
  std::size_t shown = 0;
  for (const auto& item : list) {
    if (shown != 0) out += ' ';
    if (shown++ == kLongestList) {
      out += fmt::format("+{}", list.size() - kLongestList);
      break;
    }
    put(out, item);
  }
  out += ']';
}

/// Fields that have their initial value say nothing and are left out.
template <class T>
void put_fields(std::string& out, const T& value) {
  out += '(';
  std::size_t index = 0;
  bool first = true;
  value.ph_fields()([&](const auto&... field) {
    [[maybe_unused]] const auto one = [&](const auto& f) {
      const auto name = processhub::detail::field_name(T::ph_field_names(), index++);
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(f)>> ||
                    std::is_enum_v<std::decay_t<decltype(f)>>) {
        if (f == std::decay_t<decltype(f)>{}) return;
      } else if constexpr (requires { f.empty(); }) {
        if (f.empty()) return;
      }
      if (!first) out += ' ';
      first = false;
      out += name;
      out += '=';
      put(out, f);
    };
    (one(field), ...);
  });
  out += ')';
}

template <class T>
void put(std::string& out, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    out += std::to_string(static_cast<unsigned>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    out += fmt::format("{}", value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    put_text(out, value);
  } else if constexpr (std::is_same_v<T, protocol::SharedSpec>) {
    out += value.id;
  } else if constexpr (requires { value.str(); }) {
    out += value.str();
  } else if constexpr (processhub::detail::HasFields<T>) {
    put_fields(out, value);
  } else if constexpr (requires { value.count(); }) {
    out += fmt::format("{}us", value.count());
  } else if constexpr (requires {
                         value.first;
                         value.second;
                       }) {
    put(out, value.first);
    out += ':';
    put(out, value.second);
  } else if constexpr (requires {
                         *value;
                         static_cast<bool>(value);
                       }) {
    value ? put(out, *value) : put_text(out, {});
  } else {
    put_list(out, value);
  }
}

void put_parts(std::string& out, std::string_view rest) {
  while (!rest.empty()) {
    const auto part = take_part(rest);
    if (!part) {
      out += " (malformed)";
      return;
    }
    const auto message = decode_message(part->kind, part->body);
    out += fmt::format(" {}", message_kind_name(part->kind));
    if (message) std::visit([&out](const auto& m) { put(out, m); }, *message);
  }
}

template <class M>
std::string whole_text(std::string_view name, std::string_view rest) {
  Reader reader(rest);
  M message;
  get(reader, message);
  std::string out(name);
  put(out, message);
  return out;
}

std::string session_text(std::string_view rest) {
  const auto header = take_session_header(rest);
  if (!header) return "session (malformed)";
  auto out = fmt::format("session {:04x} {} #{} ack {}/{}", header->session & 0xFFFF,
                         header->lane == Lane::control ? "control" : "data", header->seq, header->ack[0],
                         header->ack[1]);
  if ((header->flags & kFlagGap) != 0) out += " gap";
  if ((header->flags & kFlagFragment) != 0) return out + fmt::format(" fragment {}B", rest.size());
  put_parts(out, rest);
  return out;
}

std::string publication_text(std::string_view rest) {
  const auto header = take_publish_header(rest);
  if (!header) return "publication (malformed)";
  auto out = fmt::format("#{} of {:04x}", header->seq, header->node & 0xFFFF);
  put_parts(out, rest);
  return out;
}

}  // namespace

std::string frame_text(const Bytes& frame) {
  std::string_view rest = frame;
  const auto type = take_preamble(rest);
  if (!type) return "foreign " + describe_frame(frame);
  switch (*type) {
    case FrameType::hello:
      return whole_text<Hello>("hello", rest);
    case FrameType::refusal:
      return whole_text<Refusal>("refusal", rest);
    case FrameType::reset:
      return fmt::format("reset {:04x}", take_u64(rest).value_or(0) & 0xFFFF);
    case FrameType::session:
      return session_text(rest);
    case FrameType::publish:
      return publication_text(rest);
  }
  return describe_frame(frame);
}

}  // namespace processhub::sim
