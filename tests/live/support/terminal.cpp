#include "tests/live/support/terminal.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <stdexcept>

namespace live {

namespace {

const std::string kTmux = "/usr/bin/tmux";

std::string quoted(const std::string& word) { return "'" + word + "'"; }

}  // namespace

Terminal::Terminal(const std::vector<std::string>& argv, int width, int height)
    : code_(directory_.path() / "exit_code") {
  if (!std::filesystem::exists(kTmux)) throw std::runtime_error("no tmux; tools/dev install brings it");
  const auto settings = directory_.write(
      "tmux.conf", "set -g status off\nset -g remain-on-exit on\nset -g default-terminal screen-256color\n");
  const auto socket = (directory_.path() / "socket").string();
  const std::vector<std::string> server = {kTmux, "-S", socket, "-f", settings, "-D"};
  server_ = std::make_unique<Process>(Program{server, directory_.path() / "tmux.err"});
  std::string command;
  for (const auto& word : argv) command += (command.empty() ? "" : " ") + quoted(word);
  command += "; echo $? > " + quoted(code_.string());  // tmux does not always know it
  Answer made;
  const bool there = eventually([&] {
    made = tmux({"new-session", "-d", "-x", std::to_string(width), "-y", std::to_string(height), command});
    return made.exit == 0;
  });
  if (!there) throw std::runtime_error("tmux does not start: " + made.err);
}

Answer Terminal::tmux(std::vector<std::string> arguments) const {
  const auto socket = (directory_.path() / "socket").string();
  // -N: never a server of its own, which would outlive the test.
  arguments.insert(arguments.begin(), {kTmux, "-N", "-S", socket});
  return run_program(std::move(arguments));
}

std::string Terminal::screen() const { return tmux({"capture-pane", "-p"}).out; }

void Terminal::press(const std::vector<std::string>& keys) const {
  std::vector<std::string> arguments = {"send-keys"};
  arguments.insert(arguments.end(), keys.begin(), keys.end());
  REQUIRE(tmux(std::move(arguments)).exit == 0);
}

void Terminal::resize(int width, int height) const {
  REQUIRE(tmux({"resize-window", "-x", std::to_string(width), "-y", std::to_string(height)}).exit == 0);
}

int Terminal::exit_code() const {
  std::ifstream file(code_);
  int code = -1;
  return file >> code ? code : -1;
}

void require_shows(const Terminal& terminal, const std::string& text) {
  REQUIRE_MESSAGE(eventually([&] { return terminal.shows(text); }), "not on the screen: ", text, "\n",
                  terminal.screen());
}

}  // namespace live
