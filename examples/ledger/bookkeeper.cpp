#include "bookkeeper.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <utility>

#include "messages.hpp"

namespace ledger {

namespace ph = processhub;
using namespace std::chrono_literals;

namespace {
constexpr auto kGrace = 500ms;  // between a deadline and the callback, on a busy machine
}

Bookkeeper::Bookkeeper(ph::Client& client, std::string name, std::size_t children, std::size_t window,
                       std::chrono::milliseconds deadline)
    : client_(client), name_(std::move(name)), window_(window), deadline_(deadline) {
  for (std::size_t i = 0; i < children; ++i) children_.push_back({"ledger." + std::to_string(i), {}, {}});
}

bool Bookkeeper::start_children() {
  std::vector<ph::ChildSpec> specs;
  for (const auto& child : children_) {
    ph::ChildSpec spec;
    spec.id = child.id;
    spec.type = "ledger";
    specs.push_back(std::move(spec));
  }
  const auto started = client_.start_children(std::move(specs)).get();
  if (!started) return std::fprintf(stderr, "%s\n", started.error().c_str()), false;
  for (const auto& child : started->children) {
    if (!child.error || child.error->code == ph::ErrorCode::already_started) continue;
    return std::fprintf(stderr, "%s: %s\n", child.id.c_str(), child.error->c_str()), false;
  }
  return true;
}

void Bookkeeper::write_one() {
  const auto at = next_++ % children_.size();
  std::int64_t number = 0;
  bool is_cast = false;
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return open_calls_ < window_; });
    is_cast = ++written_ % 3 == 0;
    auto& entries = children_[at].entries;
    entries.push_back(is_cast ? cast : open);
    number = static_cast<std::int64_t>(entries.size());
    (is_cast ? phase_.casts : phase_.calls) += 1;
    open_calls_ += is_cast ? 0 : 1;
  }
  if (!is_cast) return call(at, number);
  if (client_.cast(children_[at].id, Entry{name_, number})) return;
  std::lock_guard lock(mutex_);
  children_[at].entries[static_cast<std::size_t>(number) - 1] =
      failed + static_cast<std::uint8_t>(ph::ErrorCode::overloaded);
  ++phase_.errors["cast refused"];
}

void Bookkeeper::call(std::size_t child, std::int64_t number) {
  const auto sent = Clock::now();
  client_.call<Booked>(children_[child].id, Entry{name_, number}, deadline_)
      .then([this, child, number, sent](const ph::Result<Booked>& answer) {
        on_answer(child, number, sent, answer);
      });
}

template <class Answer>
void Bookkeeper::on_answer(std::size_t child, std::int64_t number, Clock::time_point sent,
                           const Answer& answer) {
  const auto took = Clock::now() - sent;
  std::lock_guard lock(mutex_);
  auto& c = children_[child];
  auto& fate = c.entries[static_cast<std::size_t>(number) - 1];
  phase_.microseconds.push_back(
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  if (took > deadline_ + kGrace) ++phase_.late;
  if (answer) {
    fate = answered;
    if (c.life.empty()) c.life = answer->life;
    if (answer->number != number) ++phase_.wrong_answers;
  } else {
    fate = failed + static_cast<std::uint8_t>(answer.error().code);
    ++phase_.errors[std::string(ph::to_string(answer.error().code))];
    phase_.error_text = c.id + ": " + answer.error().message;
    phase_.last_error = Clock::now();
  }
  --open_calls_;
  room_.notify_all();
}

void Bookkeeper::wait_for_answers() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return open_calls_ == 0; });
}

std::string Bookkeeper::report(const std::string& phase) {
  Phase p;
  {
    std::lock_guard lock(mutex_);
    std::swap(p, phase_);
  }
  auto& times = p.microseconds;
  std::sort(times.begin(), times.end());
  const auto rank = [&](double part) {
    if (times.empty()) return 0.0;
    const auto at = static_cast<std::size_t>(static_cast<double>(times.size() - 1) * part);
    return static_cast<double>(times[at]) / 1000.0;
  };
  const std::chrono::duration<double> lasted = Clock::now() - p.began;
  std::uint64_t failed_calls = 0;
  std::ostringstream errors;
  for (const auto& [code, count] : p.errors) {
    errors << (failed_calls == 0 ? "" : ", ") << '"' << code << "\": " << count;
    failed_calls += count;
  }
  const std::chrono::duration<double> erring =
      p.last_error < p.began ? Clock::duration(0) : p.last_error - p.began;
  std::ostringstream line;
  line << "{\"phase\": \"" << phase << "\", \"name\": \"" << name_ << "\", \"seconds\": " << lasted.count()
       << ", \"calls\": " << p.calls << ", \"casts\": " << p.casts << ", \"failed\": " << failed_calls
       << ", \"late\": " << p.late << ", \"wrong_answers\": " << p.wrong_answers
       << ", \"median_ms\": " << rank(0.5) << ", \"p999_ms\": " << rank(0.999)
       << ", \"worst_ms\": " << rank(1) << ", \"errors_until_s\": " << erring.count() << ", \"errors\": {"
       << errors.str() << "}";
  // Texts of errors have no quotes but single ones.
  if (!p.error_text.empty()) line << ", \"last_error\": \"" << p.error_text << '"';
  line << "}";
  return line.str();
}

void Bookkeeper::compare(const Child& child, const std::vector<bool>& booked, Findings& f) const {
  for (std::size_t i = 0; i < child.entries.size(); ++i) {
    const auto fate = child.entries[i];
    const bool here = booked[i];
    if (fate == answered && !here) ++f.lost;
    if (fate == cast && !here) ++f.lost_casts;
    if (fate <= failed) continue;
    const auto said = ph::delivered(static_cast<ph::ErrorCode>(fate - failed));
    if (said == ph::Delivered::no && here) ++f.not_true;
    if (said == ph::Delivered::yes && !here) ++f.lost;
  }
}

std::string Bookkeeper::audit(bool& exact) {
  Findings f;
  std::vector<ph::Future<Books>> asked;
  for (const auto& child : children_) asked.push_back(client_.call<Books>(child.id, Audit{name_}, 30s));
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const auto& child = children_[i];
    f.entries += child.entries.size();
    const auto books = asked[i].get();
    if (!books) {
      ++f.silent;
      continue;
    }
    f.repeated += static_cast<std::uint64_t>(books->account.repeated);
    f.overtaken += static_cast<std::uint64_t>(books->account.overtaken);
    if (books->life != child.life && !child.life.empty()) {
      ++f.new_lives;
      continue;
    }
    std::vector<bool> booked(child.entries.size());
    for (const auto& run : books->account.runs)
      for (auto n = run.first; n <= run.last; ++n) booked.at(static_cast<std::size_t>(n) - 1) = true;
    compare(child, booked, f);
  }
  exact = f.lost + f.lost_casts + f.repeated + f.overtaken + f.not_true + f.new_lives + f.silent == 0;
  std::ostringstream line;
  line << "{\"phase\": \"audit\", \"name\": \"" << name_ << "\", \"entries\": " << f.entries
       << ", \"lost\": " << f.lost << ", \"lost_casts\": " << f.lost_casts << ", \"repeated\": " << f.repeated
       << ", \"overtaken\": " << f.overtaken << ", \"not_true\": " << f.not_true
       << ", \"new_lives\": " << f.new_lives << ", \"silent\": " << f.silent << "}";
  return line.str();
}

}  // namespace ledger
