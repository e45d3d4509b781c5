#include "tools/zmq-monitor/asking.hpp"

#include <chrono>
#include <thread>

namespace processhub::monitor {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSecondLook{1'000};
constexpr std::uint32_t kJournalEvents = 4000;  // all that a node keeps

}  // namespace

Question journal_question() { return {"events", {{"limit", kJournalEvents}}}; }

std::vector<Question> look_questions_and(const std::vector<Question>& more) {
  auto all = look_questions();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ByNode answers_of(const ClusterLook& look, std::size_t index) {
  ByNode out;
  for (const auto& node : look.nodes)
    if (node.answered()) out.emplace_back(node.name, node.answer(index));
  return out;
}

std::vector<Question> explain_questions(const std::string& id) {
  return {{"explain/" + id}, journal_question()};
}

Json explanation_of(const std::string& id, const ClusterLook& look, std::size_t first) {
  auto child = explain_view(id, answers_of(look, first));
  child["events"] = timeline_view(id, answers_of(look, first + 1));
  return child;
}

Result<Json> explain(const LookOptions& options, const std::string& id) {
  auto look = hubctl::look_at(options, explain_questions(id));
  if (!look) return look.error();
  return explanation_of(id, *look, 0);
}

Result<ByNode> ask_all(const LookOptions& options, const Question& question) {
  auto look = hubctl::look_at(options, {question});
  if (!look) return look.error();
  return answers_of(*look, 0);
}

Result<Examination> look_twice(const LookOptions& options) {
  const auto began = Clock::now();
  auto before = hubctl::look_at(options, look_questions());
  if (!before) return before.error();
  // A look that had to wait for a silent node took that long already.
  std::this_thread::sleep_until(began + kSecondLook);
  auto now = hubctl::look_at(options, look_questions_and({journal_question()}));
  if (!now) return now.error();
  const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return examination_of(std::move(*before), std::move(*now), seconds);
}

Examination examination_of(ClusterLook before, ClusterLook now, double seconds) {
  Examination out;
  out.journals = answers_of(now, look_questions().size());
  out.before = std::move(before);
  out.now = std::move(now);
  out.seconds = seconds;
  out.now_us = hubctl::wall_us();
  return out;
}

}  // namespace processhub::monitor
