// WorkerTurn: one stretch of user code of one worker on the calling thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "core/runtime/worker_cell.hpp"
#include "core/runtime/worker_engine.hpp"

namespace processhub::runtime {

enum class TurnEnd : std::uint8_t {
  again,     ///< the worker lives on (or it was not its turn)
  over,      ///< its life ended in this turn
  given_up,  ///< the thread was replaced while it was in the user's code: it must end
};

/// How deep this thread is in turns: an inline handler may run inside another worker's turn.
int turn_depth();

class WorkerTurn {
 public:
  /// `runner`: null on a thread that merely delivers.
  WorkerTurn(WorkerEngine& engine, CellPtr cell, const Runner* runner)
      : engine_(engine), cell_(std::move(cell)), runner_(runner) {}

  /// A turn of a scheduled worker: its start, up to a batch of what waits, or its end.
  TurnEnd run();
  /// The worker cannot even have its thread.
  TurnEnd fail_start(const std::string& why);
  /// One message in the inline handler of a worker that the caller has claimed.
  void run_inline(protocol::PostedMessage& message, const HandlerEntry& handler);

 private:
  enum class Step : std::uint8_t { done, crashed, given_up };

  template <class F>
  Step user_code(F&& code);
  template <class F>
  bool guarded(F&& code);

  TurnEnd run_claimed();
  Step start_worker();
  Step begin_worker();
  TurnEnd freeze();
  TurnEnd passivate();
  Step wake_worker();
  Step run_batch();
  bool may_go_on(std::uint32_t items);
  bool took_long();
  bool run_item(MailItem& item);
  bool handle(protocol::PostedMessage& message, const HandlerEntry* handler);
  void report_slow_inline(std::chrono::steady_clock::duration took, const HandlerEntry& handler);
  TurnEnd finish_turn();
  TurnEnd end_life(Ending ending, bool call_on_stop);
  TurnEnd come_back_late();
  void mark_begin();
  void mark_end();

  WorkerEngine& engine_;
  const CellPtr cell_;
  const Runner* runner_;
  std::uint32_t handled_ = 0;
  std::chrono::steady_clock::time_point first_look_{};
  std::string why_{};  ///< what the user's code threw
  MailQueue used_{};
};

}  // namespace processhub::runtime
