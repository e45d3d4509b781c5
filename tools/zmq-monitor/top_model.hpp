// What the live view `top` knows and does, without a terminal: pages, rows, sorting, filter, selection, keys.
// Pure: pictures of the cluster and keys come in; top_screen.hpp makes lines of it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/zmq-monitor/views.hpp"

namespace processhub::monitor {

/// What a page shows. Those behind `children` are text.
enum class Sight : std::uint8_t { nodes, children, child, views, locks, links, doctor, events };
constexpr bool is_table(Sight sight) { return sight <= Sight::children; }

/// What the cluster is asked for: a page about something.
struct Wish {
  Sight sight = Sight::nodes;
  std::string subject{};  ///< children: of this node, or of all; child: its id; events: about it, or all
  friend bool operator==(const Wish&, const Wish&) = default;
};

/// What came of a wish.
struct Picture {
  Wish of{};
  Json nodes = Json::array();       ///< as top_view makes it: comes with every wish
  Json children = Json::array();    ///< of Sight::children, as `list` has them
  std::vector<std::string> text{};  ///< of the other sights
  std::string hub{};
  std::string via{};    ///< the node that told who is there
  std::string error{};  ///< nobody answered, and why; then there is nothing else
};

struct Key {
  enum Kind : std::uint8_t {
    character,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    other
  };
  Kind kind = other;
  char letter = 0;  ///< of a character
};

/// How something is meant; the terminal gives each a colour.
enum class Tone : std::uint8_t { plain, good, warn, bad, faint, title, head, selected };

struct Cell {
  std::string text{};
  double number = 0;  ///< what numeric columns sort by
};

struct Row {
  std::string key{};  ///< stays the same from picture to picture
  std::vector<Cell> cells{};
  std::string detail{};  ///< all that is known of it, in one line
  Tone tone = Tone::plain;
};

struct Column {
  const char* title = "";
  char key = 0;  ///< sorts by it
  bool numeric = false;
  bool wide_only = false;  ///< left out where there is no room for it
};

class TopModel {
 public:
  TopModel() : pages_(1) {}

  void take(const Picture& picture);
  void press(Key key);
  /// How many rows or lines of a page are seen at once, and how wide a line of text may be.
  void set_room(std::size_t rows, std::size_t width) {
    room_ = rows;
    width_ = width;
  }

  const Wish& wish() const { return page().wish; }
  bool ended() const { return ended_; }

  // -- for the screen
  static const std::vector<Column>& columns(Sight sight);
  static const std::vector<std::string>& help();
  /// Those that the filter lets through, in order. Tables only.
  std::vector<Row> rows() const;
  /// Those that the filter lets through, folded where they are too wide. Texts only.
  std::vector<std::string> lines() const;
  /// Where among rows() the cursor is; 0 if there are none.
  std::size_t cursor(const std::vector<Row>& rows) const;
  std::size_t first_line() const { return page().line; }
  std::size_t sorted_by() const { return page().column; }
  bool descending() const { return page().descending; }
  const std::string& filter() const { return page().filter; }
  /// "nodes > children of a".
  std::string trail() const;
  std::string header() const;
  /// What is typed, or what is to be told; empty: nothing.
  std::string prompt() const;
  const std::string& error() const { return error_; }
  bool shows_help() const { return help_; }
  bool waits() const { return !page().seen; }

 private:
  enum class Typing : std::uint8_t { nothing, filter, command };
  struct Page {
    Wish wish{};
    std::string filter{};
    std::string selected{};  ///< the key of a row
    std::size_t place = 0;   ///< where it was, for when it is gone
    std::size_t column = 0;
    bool descending = false;
    std::size_t line = 0;
    bool seen = false;  ///< a picture came
    Json children = Json::array();
    std::vector<std::string> text{};
  };

  const Page& page() const { return pages_.back(); }
  Page& page() { return pages_.back(); }
  void take_nodes(const Json& nodes);
  void type(Key key);
  void press_letter(char letter);
  void move(long by);
  void go_to_end(bool last);
  void sort_by(std::size_t column);
  void enter();
  void back();
  void open(Wish wish);
  void command(const std::string& line);
  bool passes(const std::string& text) const;
  std::vector<Row> all_rows() const;

  std::vector<Page> pages_;  ///< the last one is seen; never empty
  Json nodes_ = Json::array();
  std::string hub_{};
  std::string via_{};
  std::string error_{};
  std::string message_{};
  std::string typed_{};
  std::string filter_before_{};
  Typing typing_ = Typing::nothing;
  bool help_ = false;
  bool ended_ = false;
  std::size_t room_ = 1;
  std::size_t width_ = 80;
};

/// "1234" as "1.2k": at most five characters up to 999 G.
std::string short_number(double value);
/// "42s", "3h", "2d": the largest unit.
std::string short_time(std::uint64_t ms);

}  // namespace processhub::monitor
