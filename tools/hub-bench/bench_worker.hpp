// The workers that are measured: idle ones that note where they live, and ones that answer, count and play
// ping-pong.
#pragma once

#include <cstdint>
#include <string>

#include "processhub/processhub.hpp"
#include "tools/hub-bench/board.hpp"

namespace processhub::hub_bench {

/// A 64-byte message: this text and a few bytes of msgpack around it.
inline constexpr std::size_t kTextSize = 60;

struct EchoInline {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
struct EchoPool {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
struct Echoed {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
struct Note {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
/// Send `count` notes to `to` on the same node, of which `sent` are sent; never more than `window` of them
/// unhandled.
struct Flood {
  std::string to{};
  std::uint64_t count = 0;
  std::uint64_t window = 0;
  std::uint64_t sent = 0;
  PROCESSHUB_FIELDS(to, count, window, sent)
};
/// Play with `partner`.
struct Meet {
  std::string partner{};
  PROCESSHUB_FIELDS(partner)
};
struct Ball {
  std::uint64_t left = 0;
  std::string text{};
  PROCESSHUB_FIELDS(left, text)
};

/// The board of this process and the slot of its node; set once, before any hub starts.
void use_board(Board& board, std::uint32_t slot);

/// A child that does nothing, as small as one can be. Its life is written on the board.
class IdleWorker : public Worker {
 public:
  ~IdleWorker() override { gone(); }
  void on_start(StartReason) override;
  void on_stop(StopReason) override { gone(); }

 private:
  void gone();
  std::uint32_t number_ = kMaxChildren;  // none: not alive
};

class BusyWorker : public Worker {
 public:
  static void handlers(Handlers<BusyWorker>& h) {
    h.on<&BusyWorker::echo_inline>(run_inline).on<&BusyWorker::echo_pool>().on<&BusyWorker::note>();
    h.on<&BusyWorker::flood>().on<&BusyWorker::meet>().on<&BusyWorker::ball>();
  }

 private:
  Echoed echo_inline(const EchoInline& m) { return {m.text}; }
  Echoed echo_pool(const EchoPool& m) { return {m.text}; }
  void note(const Note& m);
  void flood(const Flood& m);
  void meet(const Meet& m) { partner_ = m.partner; }
  void ball(const Ball& m);
  std::string partner_{};
};

WorkerTypes bench_types();

}  // namespace processhub::hub_bench
