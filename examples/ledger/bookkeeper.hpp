// The other half of the ledger: writes numbered entries to all children as fast as they are answered,
// remembers what became of each, and compares with the books in the end.
#pragma once

#include <processhub/processhub.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ledger {

class Bookkeeper {
 public:
  using Clock = std::chrono::steady_clock;

  Bookkeeper(processhub::Client& client, std::string name, std::size_t children, std::size_t window,
             std::chrono::milliseconds deadline);

  /// Starts those children that do not run yet. False: it did not work; said on stderr.
  bool start_children();
  /// One entry to the next child: two of three as calls, the third as a cast. Waits while `window` calls have
  /// no answer.
  void write_one();
  /// Until all calls have ended.
  void wait_for_answers();
  /// What happened since the last report, as one line of JSON.
  std::string report(const std::string& phase);
  /// Compares with the books: one line of JSON. `exact` is true if nothing was lost, repeated or overtaken.
  std::string audit(bool& exact);

 private:
  /// What is known of an entry; above `failed` the code of its error is added.
  enum Fate : std::uint8_t { open, cast, answered, failed };
  struct Child {
    std::string id{};
    std::string life{};  ///< as its first answer said
    std::vector<std::uint8_t> entries{};
  };
  struct Findings {
    std::uint64_t entries = 0, lost = 0, lost_casts = 0, repeated = 0, overtaken = 0;
    std::uint64_t not_true = 0;   ///< an error said that it was not delivered, and it was
    std::uint64_t new_lives = 0;  ///< children that started anew: their books are not compared
    std::uint64_t silent = 0;     ///< children that gave no answer
  };
  struct Phase {
    std::uint64_t calls = 0, casts = 0, wrong_answers = 0, late = 0;
    std::map<std::string, std::uint64_t> errors{};
    std::string error_text{};  ///< one of them
    std::vector<std::uint32_t> microseconds{};
    Clock::time_point began = Clock::now();
    Clock::time_point last_error{};
  };

  void call(std::size_t child, std::int64_t number);
  template <class Answer>
  void on_answer(std::size_t child, std::int64_t number, Clock::time_point sent, const Answer& answer);
  void compare(const Child& child, const std::vector<bool>& booked, Findings& f) const;

  processhub::Client& client_;
  const std::string name_;
  const std::size_t window_;
  const std::chrono::milliseconds deadline_;
  std::size_t next_ = 0;

  std::mutex mutex_{};  // callbacks of answers run on a thread of the client
  std::condition_variable room_{};
  std::vector<Child> children_{};
  std::size_t open_calls_ = 0;
  std::uint64_t written_ = 0;
  Phase phase_{};
};

}  // namespace ledger
