#include "transport/sim/sim_faults.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace processhub::sim {
namespace {

/// The one list of options: set, str and names walk it.
template <class Options, class Visit>
void each_option(Options& faults, Visit visit) {
  visit("delay_min", faults.delay_min);
  visit("delay_max", faults.delay_max);
  visit("delay_tail", faults.delay_tail);
  visit("delay_tail_max", faults.delay_tail_max);
  visit("loss", faults.loss);
  visit("duplicate", faults.duplicate);
  visit("reorder", faults.reorder);
  visit("reset", faults.reset);
  visit("keep_unsent", faults.keep_unsent);
  visit("link_queue", faults.link_queue);
  visit("bandwidth", faults.bandwidth);
  visit("pub_loss", faults.pub_loss);
  visit("pub_queue", faults.pub_queue);
  visit("subscribe_delay", faults.subscribe_delay);
  visit("reconnect_min", faults.reconnect_min);
  visit("reconnect_max", faults.reconnect_max);
  visit("reset_after_min", faults.reset_after_min);
  visit("reset_after_max", faults.reset_after_max);
  visit("turn_delay_max", faults.turn_delay_max);
  visit("worker_start_max", faults.worker_start_max);
  visit("worker_stop_max", faults.worker_stop_max);
  visit("worker_turn_max", faults.worker_turn_max);
  visit("worker_start_failure", faults.worker_start_failure);
  visit("worker_crash", faults.worker_crash);
  visit("worker_hang", faults.worker_hang);
  visit("worker_hang_max", faults.worker_hang_max);
  visit("clock_drift", faults.clock_drift);
}

std::string to_text(double value) { return fmt::format("{}", value); }
std::string to_text(bool value) { return value ? "true" : "false"; }
std::string to_text(std::uint64_t value) { return fmt::format("{}", value); }
std::string to_text(Duration value) { return format_duration(value); }

bool read_number(std::string_view text, double& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value >= 0;
}

bool from_text(std::string_view text, double& value) { return read_number(text, value) && value <= 1; }
bool from_text(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}
bool from_text(std::string_view text, std::uint64_t& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}
bool from_text(std::string_view text, Duration& value) {
  auto parsed = parse_duration(text);
  if (parsed) value = *parsed;
  return parsed.ok();
}

}  // namespace

Result<void> Faults::set(std::string_view name, std::string_view value) {
  bool known = false;
  bool fits = false;
  each_option(*this, [&](std::string_view option, auto& field) {
    if (option != name) return;
    known = true;
    auto parsed = field;
    fits = from_text(value, parsed);
    if (fits) field = parsed;
  });
  if (!known) return {ErrorCode::invalid, fmt::format("unknown fault option '{}'", name)};
  if (!fits) return {ErrorCode::invalid, fmt::format("'{}' does not fit the fault option {}", value, name)};
  return {};
}

std::string Faults::value(std::string_view name) const {
  std::string text;
  each_option(*this, [&](std::string_view option, const auto& field) {
    if (option == name) text = to_text(field);
  });
  return text;
}

void Faults::end() {
  loss = duplicate = reorder = reset = pub_loss = delay_tail = 0;
  worker_start_failure = worker_crash = worker_hang = 0;
  bandwidth = 0;
  link_queue = pub_queue = 100'000;
}

std::string Faults::str() const {
  std::vector<std::string> defaults;
  const Faults initial;
  each_option(initial, [&](std::string_view, const auto& field) { defaults.push_back(to_text(field)); });
  std::string out;
  std::size_t index = 0;
  each_option(*this, [&](std::string_view option, const auto& field) {
    auto text = to_text(field);
    if (text != defaults[index++]) out += fmt::format("{}{}={}", out.empty() ? "" : " ", option, text);
  });
  return out;
}

std::vector<std::string> Faults::names() {
  std::vector<std::string> out;
  const Faults initial;
  each_option(initial, [&](std::string_view option, const auto&) { out.emplace_back(option); });
  return out;
}

Result<Duration> parse_duration(std::string_view text) {
  double scale = 1;
  std::string_view digits = text;
  if (digits.ends_with("us")) {
    digits.remove_suffix(2);
  } else if (digits.ends_with("ms")) {
    digits.remove_suffix(2);
    scale = 1e3;
  } else if (digits.ends_with("s")) {
    digits.remove_suffix(1);
    scale = 1e6;
  }
  double value = 0;
  if (!read_number(digits, value)) {
    return {ErrorCode::invalid, fmt::format("'{}' is no duration (write 250us, 20ms or 1.5s)", text)};
  }
  return Duration(std::llround(value * scale));
}

std::string format_duration(Duration duration) {
  const auto us = duration.count();
  if (us != 0 && us % 1'000'000 == 0) return fmt::format("{}s", us / 1'000'000);
  if (us >= 1'000'000 && us % 1'000 == 0) return fmt::format("{}s", static_cast<double>(us) / 1e6);
  if (us != 0 && us % 1'000 == 0) return fmt::format("{}ms", us / 1'000);
  return fmt::format("{}us", us);
}

}  // namespace processhub::sim
