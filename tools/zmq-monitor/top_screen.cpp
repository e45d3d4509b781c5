#include "tools/zmq-monitor/top_screen.hpp"

#include <algorithm>

namespace processhub::monitor {

namespace {

constexpr std::size_t kAround = 5;  // lines that are not rows: header, trail, heads; detail, prompt
constexpr std::size_t kEnough = 8;
constexpr std::size_t kNarrowest = 4;
constexpr const char* kHint = "? help  / filter  : command  enter opens  esc back  shift+letter sorts";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

/// The first `width` characters; a cut is shown.
std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  if (width == 0) return {};
  std::string out;
  std::size_t taken = 0;
  for (const char c : text) {
    if (!continues(c) && ++taken == width) break;
    out.push_back(c);
  }
  return out + "~";
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  auto fits = cut(text, width);
  const std::string blanks(width - width_of(fits), ' ');
  return right ? blanks + fits : fits + blanks;
}

/// What a terminal might take for an order becomes harmless.
std::string harmless(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return text;
}

struct Shape {
  std::vector<std::size_t> columns{};  ///< that are shown
  std::vector<std::size_t> widths{};   ///< of those
};

std::size_t total(const std::vector<std::size_t>& widths) {
  std::size_t sum = 0;
  for (const auto width : widths) sum += width + 1;
  return sum;
}

/// Columns as wide as what they hold; where that is too much, the widest give way.
Shape shape_of(const std::vector<Column>& columns, const std::vector<Row>& rows, std::size_t sorted_by,
               std::size_t width) {
  Shape out;
  for (const bool wide : {true, false}) {
    out = {};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].wide_only && !wide) continue;
      const bool sign = wide || i == sorted_by;  // of the order, behind the title
      std::size_t widest = std::string(columns[i].title).size() + (sign ? 1 : 0);
      for (const auto& row : rows) widest = std::max(widest, width_of(row.cells.at(i).text));
      out.columns.push_back(i);
      out.widths.push_back(widest);
    }
    if (total(out.widths) <= width) return out;
  }
  // Behind the name, which comes first, a beginning is enough.
  for (const auto least : {kEnough, kNarrowest}) {
    const auto begin = out.widths.begin() + (least == kEnough ? 1 : 0);
    while (total(out.widths) > width) {
      const auto widest = std::max_element(begin, out.widths.end());
      if (*widest <= least) break;
      --*widest;
    }
  }
  return out;
}

Line head_line(const TopModel& model, const std::vector<Column>& columns, const Shape& shape) {
  std::string out = " ";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const auto at = shape.columns[i];
    std::string title = columns[at].title;
    if (at == model.sorted_by()) title += model.descending() ? "-" : "+";
    out += padded(title, shape.widths[i], columns[at].numeric) + " ";
  }
  return {out, Tone::head};
}

Line row_line(const Row& row, const std::vector<Column>& columns, const Shape& shape, bool selected) {
  std::string out = selected ? ">" : " ";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const auto at = shape.columns[i];
    out += padded(row.cells.at(at).text, shape.widths[i], columns[at].numeric) + " ";
  }
  return {out, selected ? Tone::selected : row.tone};
}

void draw_table(const TopModel& model, std::size_t width, std::size_t room, std::vector<Line>& out) {
  const auto& columns = TopModel::columns(model.wish().sight);
  const auto rows = model.rows();
  const auto shape = shape_of(columns, rows, model.sorted_by(), width - 1);
  const auto cursor = model.cursor(rows);
  out.push_back(head_line(model, columns, shape));
  // The cursor is in the middle where there is more than fits.
  const auto most = rows.size() > room ? rows.size() - room : 0;
  const auto first = std::min(cursor > room / 2 ? cursor - room / 2 : 0, most);
  for (std::size_t i = first; i < rows.size() && i < first + room; ++i)
    out.push_back(row_line(rows[i], columns, shape, i == cursor));
  if (rows.empty()) out.push_back({model.waits() ? " asking ..." : " nothing to show", Tone::faint});
}

std::string detail_of(const TopModel& model) {
  if (!is_table(model.wish().sight)) return {};
  const auto rows = model.rows();
  return rows.empty() ? std::string() : rows[model.cursor(rows)].detail;
}

void draw_text(const TopModel& model, std::size_t room, std::vector<Line>& out) {
  const auto lines = model.lines();
  const auto first = std::min(model.first_line(), lines.size() > room ? lines.size() - room : 0);
  out.push_back({lines.size() > room
                     ? " line " + std::to_string(first + 1) + " of " + std::to_string(lines.size())
                     : std::string(),
                 Tone::head});
  for (std::size_t i = first; i < lines.size() && i < first + room; ++i) {
    auto tone = Tone::plain;
    if (lines[i].rfind("critical", 0) == 0 || lines[i].rfind("! ", 0) == 0) tone = Tone::bad;
    if (lines[i].rfind("warning", 0) == 0) tone = Tone::warn;
    out.push_back({" " + lines[i], tone});
  }
  if (lines.empty()) out.push_back({model.waits() ? " asking ..." : " nothing to show", Tone::faint});
}

}  // namespace

std::vector<Line> draw(TopModel& model, std::size_t width, std::size_t height) {
  std::vector<Line> out;
  const auto room = height > kAround ? height - kAround : 1;
  model.set_room(room, width > 1 ? width - 1 : 1);
  out.push_back({" " + model.header(), Tone::title});
  out.push_back(model.error().empty() ? Line{" " + model.trail(), Tone::faint}
                                      : Line{" nobody answers: " + model.error(), Tone::bad});
  if (model.shows_help()) {
    out.push_back({" keys; any key goes back", Tone::head});
    for (const auto& line : TopModel::help()) out.push_back({" " + line, Tone::plain});
  } else if (is_table(model.wish().sight)) {
    draw_table(model, std::max<std::size_t>(width, 2), room, out);
  } else {
    draw_text(model, room, out);
  }
  out.resize(height > 2 ? height - 2 : 1);
  out.push_back({" " + detail_of(model), Tone::faint});
  const auto prompt = model.prompt();
  out.push_back(
      {prompt.empty() ? std::string(" ") + kHint : prompt, prompt.empty() ? Tone::faint : Tone::warn});
  out.resize(height);
  for (auto& line : out) line.text = cut(harmless(std::move(line.text)), width);
  return out;
}

}  // namespace processhub::monitor
