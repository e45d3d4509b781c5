#include "tools/zmq-monitor/top_terminal.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <map>

#include "tools/zmq-monitor/top_screen.hpp"
#include "tools/zmq-monitor/top_watch.hpp"
#include "transport/zmq/unique_fd.hpp"

// Its macros (move, clear, erase ...) would change the names above.
#define NCURSES_NOMACROS 1
#include <ncurses.h>

namespace processhub::monitor {

namespace {

volatile std::sig_atomic_t told_to_leave = 0;
volatile std::sig_atomic_t wake_fd = -1;

void wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_fd, &one, sizeof one));
}

/// Curses as long as it lives; the terminal is as it was afterwards.
class Terminal {
 public:
  Terminal() : screen_(::newterm(nullptr, stdout, stdin)) {
    if (screen_ == nullptr) return;
    ::cbreak();
    ::noecho();
    ::nonl();
    ::keypad(stdscr, TRUE);
    ::nodelay(stdscr, TRUE);
    ::set_escdelay(25);
    ::curs_set(0);
    start_colours();
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (screen_ == nullptr) return;
    ::endwin();
    ::delscreen(screen_);
  }
  bool usable() const { return screen_ != nullptr; }

  void show(TopModel& model) const {
    const auto width = static_cast<std::size_t>(std::max(COLS, 1));
    const auto lines = draw(model, width, static_cast<std::size_t>(std::max(LINES, 1)));
    ::werase(stdscr);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto look = attributes(lines[i].tone);
      auto text = lines[i].text;
      if ((look & A_REVERSE) != 0 && text.size() < width) text.resize(width, ' ');
      ::wattrset(stdscr, static_cast<int>(look));
      ::mvwaddstr(stdscr, static_cast<int>(i), 0, text.c_str());
    }
    ::wattrset(stdscr, A_NORMAL);
    ::wrefresh(stdscr);
  }

 private:
  enum Colour : short { good = 1, warn, bad };
  void start_colours() {
    coloured_ = ::has_colors() && std::getenv("NO_COLOR") == nullptr;
    if (!coloured_) return;
    ::start_color();
    ::use_default_colors();
    ::init_pair(good, COLOR_GREEN, -1);
    ::init_pair(warn, COLOR_YELLOW, -1);
    ::init_pair(bad, COLOR_RED, -1);
  }
  attr_t paint(Colour colour, attr_t without) const {
    return coloured_ ? static_cast<attr_t>(COLOR_PAIR(colour)) : without;
  }
  attr_t attributes(Tone tone) const {
    switch (tone) {
      case Tone::plain:
        break;
      case Tone::good:
        return paint(good, A_NORMAL);
      case Tone::warn:
        return paint(warn, A_BOLD);
      case Tone::bad:
        return paint(bad, A_BOLD) | A_BOLD;
      case Tone::faint:
        return A_DIM;
      case Tone::title:
        return A_REVERSE | A_BOLD;
      case Tone::head:
        return A_BOLD;
      case Tone::selected:
        return A_REVERSE;
    }
    return A_NORMAL;
  }

  SCREEN* screen_;
  bool coloured_ = false;
};

Key key_of(int code) {
  static const std::map<int, Key::Kind> kNamed = {
      {KEY_UP, Key::up},         {KEY_DOWN, Key::down},
      {KEY_LEFT, Key::left},     {KEY_RIGHT, Key::right},
      {KEY_PPAGE, Key::page_up}, {KEY_NPAGE, Key::page_down},
      {KEY_HOME, Key::home},     {KEY_END, Key::end},
      {KEY_ENTER, Key::enter},   {'\n', Key::enter},
      {'\r', Key::enter},        {0x1b, Key::escape},
      {0x7f, Key::backspace},    {KEY_BACKSPACE, Key::backspace},
      {'\b', Key::backspace},
  };
  if (const auto named = kNamed.find(code); named != kNamed.end()) return {named->second};
  if (code > 0 && code < 256) return {Key::character, static_cast<char>(code)};
  return {};
}

/// SIGINT and its like wake the loop and end it, as long as this lives.
class Signals {
 public:
  Signals() {
    told_to_leave = 0;
    struct sigaction action {};
    action.sa_handler = [](int) {
      told_to_leave = 1;
      wake();
    };
    for (std::size_t i = 0; i < kThese.size(); ++i) ::sigaction(kThese.at(i), &action, &before_.at(i));
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    for (std::size_t i = 0; i < kThese.size(); ++i) ::sigaction(kThese.at(i), &before_.at(i), nullptr);
  }

 private:
  static constexpr std::array kThese = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, 3> before_{};
};

/// Until there is a key or news. False: the terminal is gone.
bool wait(int news) {
  std::array<pollfd, 2> wanted{{{STDIN_FILENO, POLLIN, 0}, {news, POLLIN, 0}}};
  if (::poll(wanted.data(), wanted.size(), -1) < 0) return errno == EINTR;  // a resize, perhaps
  std::uint64_t count = 0;
  if (wanted[1].revents != 0) static_cast<void>(!::read(news, &count, sizeof count));
  return (wanted[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

}  // namespace

Result<void> run_live_top(const LookOptions& options, std::chrono::milliseconds every) {
  std::setlocale(LC_ALL, "");
  const zmq_detail::UniqueFd news(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  wake_fd = news.get();
  Signals signals;
  TopModel model;
  std::optional<TopWatch> watch;  // outlives the terminal, which must not wait for a node that is silent
  Terminal terminal;
  if (!terminal.usable())
    return {ErrorCode::system, "this terminal cannot show it (TERM=" +
                                   std::string(std::getenv("TERM") ? std::getenv("TERM") : "") +
                                   "); top --once can"};
  watch.emplace(options, every, wake);
  while (told_to_leave == 0 && !model.ended()) {
    terminal.show(model);
    if (!wait(news.get())) break;
    if (auto picture = watch->take()) model.take(*picture);
    for (int code = ::wgetch(stdscr); code != ERR && !model.ended(); code = ::wgetch(stdscr))
      if (code != KEY_RESIZE) model.press(key_of(code));
    watch->wish(model.wish());
  }
  return {};
}

}  // namespace processhub::monitor
