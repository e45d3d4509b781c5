#include "tools/zmq-monitor/top_model.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "tools/zmq-monitor/top_rows.hpp"

namespace processhub::monitor {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string text_of(const Row& row) {
  std::string out;
  for (const auto& cell : row.cells) out += cell.text + " ";
  return out;
}

/// At blanks, if there are any; what follows is set in.
void fold(std::string line, std::size_t width, std::vector<std::string>& out) {
  const std::string set_in(6, ' ');
  while (line.size() > width && width > 2 * set_in.size()) {
    auto at = line.rfind(' ', width);
    if (at == std::string::npos || at <= set_in.size()) at = width;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) --at;
    out.push_back(line.substr(0, at));
    line = set_in + line.substr(line[at] == ' ' ? at + 1 : at);
  }
  out.push_back(std::move(line));
}

/// A command's name and the page it leads to; in the order of Sight.
constexpr std::array kSights = {"nodes", "children", "explain", "views",
                                "locks", "links",    "doctor",  "events"};

std::string title_of(const Wish& wish) {
  std::string name = kSights.at(static_cast<std::size_t>(wish.sight));
  if (wish.sight == Sight::children && !wish.subject.empty()) name += " of";
  return wish.subject.empty() ? name : name + " " + wish.subject;
}

}  // namespace

const std::vector<Column>& TopModel::columns(Sight sight) {
  static const std::vector<Column> kNodes = {
      {"NODE", 'N'},
      {"STATE", 'S'},
      {"UP", 'U', true},
      {"LOCK", 'L'},
      {"CHILD", 'C', true},
      {"LAGms", 'W', true},
      {"MBOX", 'M', true},
      {"IN/s", 'I', true},
      {"OUT/s", 'O', true},
      {"DROP", 'D', true},
      {"GAP", 'P', true},
      {"RTTms", 'R', true},
      {"INCARNATION", 'A', true, true},
  };
  static const std::vector<Column> kChildren = {
      {"ID", 'I'},   {"TYPE", 'T'},  {"TAG", 'A'},        {"NODE", 'N'},
      {"ROLE", 'R'}, {"STATE", 'S'}, {"GENERATION", 'E'},
  };
  return sight == Sight::nodes ? kNodes : kChildren;
}

const std::vector<std::string>& TopModel::help() {
  static const std::vector<std::string> kHelp = {
      "up k, down j     one row              pgup ^b, pgdn ^f  one page",
      "home g, end G    first, last row      ^c                leaves",
      "enter            the children of a node; explains a child",
      "esc q            back; from the first page it leaves",
      "/text enter      only rows with it; /!text those without; /enter all again",
      "left < right >   sorts by the column beside",
      "shift+letter     sorts by a column; once more: the other way round",
      "  of nodes       Node State Up Lock Child Mbox In Out Drop Rtt",
      "                 W lag, P gaps, A incarnation",
      "  of children    Id Type tAg Node Role State gEneration",
      ":                nodes, children [NODE], explain ID, views, locks, links,",
      "                 doctor, events [ID|NODE], q",
      "",
      "LAGms  longest wait of the node's loop    MBOX  waits for workers",
      "DROP   messages that were dropped         GAP   publications repaired",
      "silent a member that does not answer      lost  nobody answers at all",
  };
  return kHelp;
}

void TopModel::take(const Picture& picture) {
  error_ = picture.error;
  if (!error_.empty()) return;
  hub_ = picture.hub;
  via_ = picture.via;
  take_nodes(picture.nodes);
  if (!(picture.of == page().wish)) return;  // of a page that was left meanwhile
  page().seen = true;
  page().children = picture.children;
  page().text = picture.text;
}

/// Nodes that nobody tells of any more stay, as lost ones: who looks wants to know where they went.
void TopModel::take_nodes(const Json& nodes) {
  auto all = nodes;
  for (auto before : nodes_) {
    const bool there = std::any_of(nodes.begin(), nodes.end(), [&](const Json& node) {
      return node.value("node", "") == before.value("node", "");
    });
    if (there) continue;
    before["state"] = "down";
    before["error"] = "no node tells of it any more";
    all.push_back(std::move(before));
  }
  nodes_ = without_earlier_lives(all);
}

std::vector<Row> TopModel::all_rows() const {
  return page().wish.sight == Sight::nodes ? node_rows(nodes_, error_.empty())
                                           : child_rows(page().children, page().wish.subject);
}

bool TopModel::passes(const std::string& text) const {
  const auto& filter = page().filter;
  const bool without = !filter.empty() && filter[0] == '!';
  const auto wanted = lower(without ? filter.substr(1) : filter);
  return wanted.empty() || (lower(text).find(wanted) != std::string::npos) != without;
}

std::vector<Row> TopModel::rows() const {
  auto out = all_rows();
  std::erase_if(out, [&](const Row& row) { return !passes(text_of(row)); });
  const auto at = page().column;
  const bool numeric = columns(page().wish.sight).at(at).numeric;
  std::stable_sort(out.begin(), out.end(), [&](const Row& a, const Row& b) {
    const auto& x = a.cells.at(at);
    const auto& y = b.cells.at(at);
    const bool less = numeric ? x.number < y.number : x.text < y.text;
    const bool more = numeric ? y.number < x.number : y.text < x.text;
    return page().descending ? more : less;
  });
  return out;
}

std::vector<std::string> TopModel::lines() const {
  std::vector<std::string> out;
  for (const auto& line : page().text)
    if (passes(line)) fold(line, width_, out);
  return out;
}

std::size_t TopModel::cursor(const std::vector<Row>& rows) const {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.key == page().selected; });
  if (found != rows.end()) return static_cast<std::size_t>(found - rows.begin());
  return rows.empty() ? 0 : std::min(page().place, rows.size() - 1);
}

std::string TopModel::trail() const {
  std::string out;
  for (const auto& page : pages_) out += (out.empty() ? "" : " > ") + title_of(page.wish);
  if (!page().filter.empty()) out += "  /" + page().filter;
  return out;
}

std::string TopModel::header() const {
  std::size_t up = 0;
  double children = 0;
  for (const auto& node : nodes_) {
    if (node.contains("error")) continue;
    ++up;
    children += node.value("children", 0.0);
  }
  return hub_ + "  " + std::to_string(up) + " of " + std::to_string(nodes_.size()) + " nodes answer  " +
         short_number(children) + " children  via " + via_;
}

std::string TopModel::prompt() const {
  if (typing_ == Typing::filter) return "/" + page().filter;
  if (typing_ == Typing::command) return ":" + typed_;
  return message_;
}

// -- keys

void TopModel::press(Key key) {
  if (typing_ != Typing::nothing) return type(key);
  message_.clear();
  if (help_) {
    help_ = false;
    return;
  }
  const auto page_of_rows = static_cast<long>(std::max<std::size_t>(room_, 2) - 1);
  const auto columns_here = is_table(wish().sight) ? columns(wish().sight).size() : 1;
  switch (key.kind) {
    case Key::up:
      return move(-1);
    case Key::down:
      return move(1);
    case Key::page_up:
      return move(-page_of_rows);
    case Key::page_down:
      return move(page_of_rows);
    case Key::home:
      return go_to_end(false);
    case Key::end:
      return go_to_end(true);
    case Key::left:
      return sort_by((page().column + columns_here - 1) % columns_here);
    case Key::right:
      return sort_by((page().column + 1) % columns_here);
    case Key::enter:
      return enter();
    case Key::escape:
      return back();
    case Key::character:
      return press_letter(key.letter);
    case Key::backspace:
    case Key::other:
      return;
  }
}

void TopModel::press_letter(char letter) {
  constexpr char kPageDown = 'f' & 0x1f;
  constexpr char kPageUp = 'b' & 0x1f;
  switch (letter) {
    case 'k':
      return press({Key::up});
    case 'j':
      return press({Key::down});
    case 'g':
      return press({Key::home});
    case 'G':
      return press({Key::end});
    case kPageUp:
      return press({Key::page_up});
    case kPageDown:
    case ' ':
      return press({Key::page_down});
    case '<':
      return press({Key::left});
    case '>':
      return press({Key::right});
    case 'q':
      return back();
    case '?':
      help_ = true;
      return;
    case '/':
      typing_ = Typing::filter;
      filter_before_ = page().filter;
      page().filter.clear();
      return;
    case ':':
      typing_ = Typing::command;
      typed_.clear();
      return;
    default:
      break;
  }
  if (!is_table(wish().sight)) return;
  const auto& all = columns(wish().sight);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Column& c) { return c.key == letter; });
  if (found != all.end()) sort_by(static_cast<std::size_t>(found - all.begin()));
}

/// A line is being typed: a filter, which works at once, or a command.
void TopModel::type(Key key) {
  auto& text = typing_ == Typing::filter ? page().filter : typed_;
  if (key.kind == Key::character && static_cast<unsigned char>(key.letter) >= ' ') {
    text.push_back(key.letter);
  } else if (key.kind == Key::backspace) {
    if (!text.empty()) text.pop_back();
  } else if (key.kind == Key::escape) {
    if (typing_ == Typing::filter) page().filter = filter_before_;
    typing_ = Typing::nothing;
  } else if (key.kind == Key::enter) {
    const auto was = typing_;
    typing_ = Typing::nothing;
    if (was == Typing::command) command(typed_);
  }
  if (typing_ == Typing::filter) page().line = 0;
}

void TopModel::move(long by) {
  const auto stepped = [by](std::size_t from, std::size_t last) {
    return static_cast<std::size_t>(std::clamp(static_cast<long>(from) + by, 0L, static_cast<long>(last)));
  };
  if (!is_table(wish().sight)) {
    const auto all = lines().size();
    page().line = stepped(page().line, all > room_ ? all - room_ : 0);
    return;
  }
  const auto all = rows();
  if (all.empty()) return;
  page().place = stepped(cursor(all), all.size() - 1);
  page().selected = all[page().place].key;
}

void TopModel::go_to_end(bool last) {
  const auto all = is_table(wish().sight) ? rows().size() : lines().size();
  move(last ? static_cast<long>(all) : -static_cast<long>(all));
}

/// Names begin at A, numbers with the largest; the same once more turns the order.
void TopModel::sort_by(std::size_t column) {
  if (!is_table(wish().sight)) return;
  const bool again = page().column == column;
  page().descending = again ? !page().descending : columns(wish().sight).at(column).numeric;
  page().column = column;
}

void TopModel::enter() {
  if (!is_table(wish().sight)) return;
  const auto all = rows();
  if (all.empty()) return;
  const auto& row = all[cursor(all)];
  const auto& name = row.cells.front().text;
  page().selected = row.key;
  open(wish().sight == Sight::nodes ? Wish{Sight::children, name} : Wish{Sight::child, name});
}

void TopModel::back() {
  if (!page().filter.empty()) {
    page().filter.clear();
  } else if (pages_.size() > 1) {
    pages_.pop_back();
  } else {
    ended_ = true;
  }
}

void TopModel::open(Wish wish) {
  if (wish.sight == Sight::nodes) {
    pages_.resize(1);
    return;
  }
  pages_.emplace_back();
  page().wish = std::move(wish);
}

void TopModel::command(const std::string& line) {
  std::istringstream in(line);
  std::string verb;
  std::string subject;
  in >> verb >> subject;
  if (verb.empty()) return;
  if (verb == "q" || verb == "quit" || verb == "q!") {
    ended_ = true;
    return;
  }
  if (verb == "help") {
    help_ = true;
    return;
  }
  const auto found = std::find(kSights.begin(), kSights.end(), verb);
  if (found == kSights.end()) {
    message_ = "no such command: " + verb + "; ? lists them";
    return;
  }
  const auto sight = static_cast<Sight>(found - kSights.begin());
  if (sight == Sight::child && subject.empty()) {
    message_ = "explain needs the id of a child";
    return;
  }
  open({sight, sight == Sight::children || sight == Sight::child || sight == Sight::events ? subject : ""});
}

}  // namespace processhub::monitor
