#include "transport/sim/next_version.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::sim {
namespace {

using namespace protocol;

constexpr std::uint16_t kUnknownKind = 60'000;
constexpr std::size_t kRoom = 512;  // what is added to a frame stays below this, for small messages
const Bytes kNewField("\x81\xa4next\x93\x01\xc0\xc3", 10);  // msgpack: {"next": [1, nil, true]}

/// One more element at the end of a msgpack array.
Bytes with_new_field(std::string_view body) {
  if (body.empty()) return {};
  const auto tag = static_cast<unsigned char>(body[0]);
  Bytes out;
  if (tag >= 0x90 && tag < 0x9F) {
    out.push_back(static_cast<char>(tag + 1));
    out += body.substr(1);
  } else if (tag == 0x9F) {
    out += Bytes("\xdc\x00\x10", 3);
    out += body.substr(1);
  } else {
    return Bytes(body);
  }
  return out + kNewField;
}

/// Calls have a flat header whose first byte is its length: three bytes more.
Bytes with_longer_header(std::string_view body) {
  if (body.empty()) return {};
  const auto size = static_cast<unsigned char>(body[0]);
  Bytes out(body.substr(0, size));
  out[0] = static_cast<char>(size + 3);
  out += "new";
  out += body.substr(size);
  return out;
}

void append_part(Bytes& out, std::uint16_t kind, std::string_view body) {
  put_part_header(out, kind, static_cast<std::uint32_t>(body.size()));
  out += body;
}

/// The parts of a frame whose header is in `out` already; false: it is none that can be changed.
bool append_parts(Bytes& out, std::string_view parts) {
  while (!parts.empty()) {
    const auto part = take_part(parts);
    if (!part) return false;
    const bool flat = part->kind == message_kind<CallRequest>() || part->kind == message_kind<CallReply>();
    append_part(out, part->kind, flat ? with_longer_header(part->body) : with_new_field(part->body));
  }
  append_part(out, kUnknownKind, "what version N cannot know");
  return true;
}

Bytes next_hello(const Bytes& frame) {
  auto body = with_new_field(std::string_view(frame).substr(kPreambleSize));
  constexpr std::size_t kVersionMax = 2;  // behind the tag of the array and the lowest version
  if (body.size() > kVersionMax) body[kVersionMax] = static_cast<char>(kProtocolVersion + 1);
  return frame.substr(0, kPreambleSize) + body;
}

class NextVersionPort : public CorePort {
 public:
  explicit NextVersionPort(std::unique_ptr<CorePort> core) : core_(std::move(core)) {}

  void start(Time now, Effects& fx) override {
    core_->start(now, fx);
    change(fx);
  }
  void step(Time now, Event event, Effects& fx) override {
    core_->step(now, std::move(event), fx);
    change(fx);
  }
  bool run(Time now, Effects& fx) override {
    const bool more = core_->run(now, fx);
    change(fx);
    return more;
  }
  void flush(Time now, Effects& fx) override {
    core_->flush(now, fx);
    change(fx);
  }
  Time next_deadline() const override { return core_->next_deadline(); }
  std::vector<RegistryChange> take_registry_changes() override { return core_->take_registry_changes(); }
  std::optional<ClusterSnapshot> take_cluster_change() override { return core_->take_cluster_change(); }
  Time turns_until() const override { return core_->turns_until(); }
  HubStats stats() const override { return core_->stats(); }
  CoreView view() const override { return core_->view(); }

 private:
  static void change(Effects& fx) {
    for (auto& effect : fx) {
      if (auto* link = std::get_if<effect::SendLink>(&effect)) link->frame = next_version_frame(link->frame);
      if (auto* route = std::get_if<effect::SendRoute>(&effect))
        route->frame = next_version_frame(route->frame);
      if (auto* news = std::get_if<effect::Publish>(&effect)) news->frame = next_version_frame(news->frame);
    }
  }

  std::unique_ptr<CorePort> core_;
};

}  // namespace

Bytes next_version_frame(const Bytes& frame) {
  std::string_view rest = frame;
  const auto type = take_preamble(rest);
  if (!type || frame.size() + kRoom > kFrameTarget) return frame;
  if (*type == FrameType::hello) return next_hello(frame);
  if (*type != FrameType::session && *type != FrameType::publish) return frame;
  std::size_t header = kPublishHeaderSize;
  if (*type == FrameType::session) {
    const auto session = take_session_header(rest);
    // A piece of a long message is as it is, and an acknowledgement carries nothing.
    if (!session || (session->flags & kFlagFragment) != 0 || session->seq == 0) return frame;
    header = kSessionHeaderSize;
  }
  auto out = frame.substr(0, header);
  return append_parts(out, std::string_view(frame).substr(header)) && out.size() < kFrameTarget ? out : frame;
}

CoreFactory next_version_cores(CoreFactory make_core) {
  return [make_core = std::move(make_core)](const Identity& identity, const HubConfig& config) {
    return std::make_unique<NextVersionPort>(make_core(identity, config));
  };
}

}  // namespace processhub::sim
