// A plugin for tests of overload: workers that take large messages, that send floods, and that stop reading
// until somebody opens a FIFO.
#include <fcntl.h>
#include <unistd.h>
#include <chrono>
#include <memory>
#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>
#include <utility>

#include "tests/support/sink_messages.hpp"

namespace ph = processhub;
using namespace sink_messages;
using namespace std::chrono_literals;

namespace {

class Sink : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Sink>& h) {
    h.on<&Sink::blob>()
        .on<&Sink::echo>()
        .on<&Sink::taken>()
        .on<&Sink::hold>()
        .on<&Sink::flood>()
        .on<&Sink::fetch>()
        .on<&Sink::pour>()
        .on<&Sink::drive>();
  }

 private:
  void blob(const Blob&) { ++taken_.count; }
  Echo echo(const Echo& e) { return e; }
  Taken taken(const GetTaken&) { return taken_; }
  /// Until somebody opens the FIFO for writing.
  void hold(const Hold& h) { ::close(::open(h.fifo.c_str(), O_RDONLY | O_CLOEXEC)); }
  Taken flood(const Flood& f) {
    const Blob blob{std::string(f.bytes, 'b')};
    for (std::uint64_t i = 0; i < f.count; ++i) ctx().cast(f.to, blob);
    return {f.count};
  }
  void fetch(const Fetch& f, ph::Reply<Fetched> reply) {
    auto sent = pattern(f.bytes);
    const Echo echo{sent};
    ctx().call<Echo>(f.to, echo, 60s, [reply, sent = std::move(sent)](const ph::Result<Echo>& answer) {
      if (!answer) return reply({false, std::string(ph::to_string(answer.error().code))});
      reply({answer->text == sent, {}});
    });
  }

  Taken pour(const Pour& p) {
    ctx().cancel(pouring_);
    if (p.each_ms != 0) pour_on(p, Blob{std::string(p.bytes, 'b')});
    return std::exchange(poured_, {});
  }
  /// One timer after the other: a machine that cannot keep up must not have more and more of them waiting.
  void pour_on(const Pour& p, const Blob& blob) {
    for (std::uint64_t i = 0; i < p.each_ms; ++i) ctx().cast(p.to, blob);
    poured_.count += p.each_ms;
    pouring_ = ctx().after(1ms, [this, p, blob] { pour_on(p, blob); });
  }
  void drive(const Drive& d, ph::Reply<Drove> reply) {
    if (d.each_ms == 0) return drive_on(d, {}, std::move(reply));
    const auto offered = std::make_shared<Offered>();
    offered->timer =
        ctx().every(1ms, [this, d, reply = std::move(reply), offered] { offer(d, *offered, reply); });
  }
  struct Offered {
    std::uint64_t sent = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    ph::TimerId timer = 0;
  };
  /// What a late timer has missed is made up for.
  void offer(const Drive& d, Offered& o, const ph::Reply<Drove>& reply) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - o.begin);
    const auto due = std::min(d.count, static_cast<std::uint64_t>(ms.count()) * d.each_ms);
    for (; o.sent < due && o.sent - o.done < 1'000; ++o.sent)
      ctx().call<Taken>(d.to, GetTaken{}, 20s, [&o](const auto& answer) {
        ++o.done;
        o.failed += answer ? 0 : 1;
      });
    if (o.done < d.count) return;
    reply({o.failed});
    ctx().cancel(o.timer);
  }
  void drive_on(Drive left, Drove so_far, ph::Reply<Drove> reply) {
    if (left.count-- == 0) return reply(so_far);
    ctx().call<Taken>(left.to, GetTaken{}, 20s, [this, left, so_far, reply](const auto& answer) {
      drive_on(left, {so_far.failed + (answer ? 0 : 1)}, reply);
    });
  }

  Taken taken_{};
  Taken poured_{};
  ph::TimerId pouring_ = 0;
};

void register_plugin(ph::PluginRegistry& registry) { registry.types.add<Sink>("sink"); }

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
