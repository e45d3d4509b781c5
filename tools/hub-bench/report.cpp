#include "tools/hub-bench/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/hub-bench/samples.hpp"

namespace processhub::hub_bench {
namespace {

double over(const Row& row, std::optional<double> mark) {
  const auto value = median(row.samples);
  if (!mark || *mark <= 0 || value <= 0) return 0;
  return row.better == Better::lower ? value / *mark : *mark / value;
}

/// Three significant digits or so, with k and M.
std::string number(double value) {
  if (value >= 1e6) return fmt::format("{:.2f} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.0f} k", value / 1e3);
  if (value >= 100) return fmt::format("{:.0f}", value);
  if (value >= 10) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "-"; }
std::string ratio(double value) { return value > 0 ? fmt::format("{:.2f}", value) : "-"; }

std::string range(const std::vector<double>& samples) {
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  return number(*low) + " .. " + number(*high);
}

std::vector<std::string> cells(const Row& row) {
  return {row.name,
          row.unit,
          number(median(row.samples)),
          range(row.samples),
          number(row.budget),
          ratio(over_budget(row)),
          number(row.floor),
          ratio(over_floor(row)),
          row.note};
}

}  // namespace

double over_budget(const Row& row) { return over(row, row.budget); }
double over_floor(const Row& row) { return over(row, row.floor); }

void Report::add(Row row) {
  std::fprintf(
      stderr, "%s\n",
      fmt::format("{:<44} {:>9} {}  {}", row.name, number(median(row.samples)), row.unit, row.note).c_str());
  rows_.push_back(std::move(row));
}

/// Also valid Markdown.
std::string Report::table() const {
  std::vector<std::vector<std::string>> lines{
      {"row", "unit", "median", "lowest .. highest", "budget", "x budget", "floor", "x floor", "note"}};
  for (const auto& row : rows_) lines.push_back(cells(row));
  std::vector<std::size_t> widths(lines.front().size(), 3);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  const auto right = [](std::size_t column) { return column >= 2 && column <= 7; };
  for (std::size_t n = 0; n < lines.size(); ++n) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      out += right(i) ? fmt::format("| {:>{}} ", lines[n][i], widths[i])
                      : fmt::format("| {:<{}} ", lines[n][i], widths[i]);
    }
    out += "|\n";
    if (n != 0) continue;
    for (std::size_t i = 0; i < widths.size(); ++i)
      out += "|-" + std::string(widths[i], '-') + (right(i) ? ":" : "-");
    out += "|\n";
  }
  return out;
}

nlohmann::json Report::json() const {
  auto out = nlohmann::json::array();
  for (const auto& row : rows_) {
    nlohmann::json line{{"row", row.name},
                        {"unit", row.unit},
                        {"better", row.better == Better::lower ? "lower" : "higher"},
                        {"median", median(row.samples)},
                        {"samples", row.samples},
                        {"note", row.note}};
    if (row.budget) line["budget"] = *row.budget;
    if (row.budget) line["over_budget"] = over_budget(row);
    if (row.floor) line["floor"] = *row.floor;
    if (row.floor) line["over_floor"] = over_floor(row);
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace processhub::hub_bench
