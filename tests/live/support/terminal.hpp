// A program on a terminal of its own, whose screen the test reads: a tmux server that no other test sees and
// that ends with the object (or with the test). One thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace live {

class Terminal {
 public:
  /// Throws std::runtime_error if there is no tmux.
  Terminal(const std::vector<std::string>& argv, int width, int height);

  /// As a person sees it, line by line, without colours.
  std::string screen() const;
  bool shows(const std::string& text) const { return screen().find(text) != std::string::npos; }
  /// Names of tmux ("Enter", "Escape", "C-c") or text.
  void press(const std::vector<std::string>& keys) const;
  void resize(int width, int height) const;
  /// Its exit code once it has ended, -1 before.
  int exit_code() const;

 private:
  Answer tmux(std::vector<std::string> arguments) const;

  TempDir directory_{};
  std::filesystem::path code_;  ///< a file, written when it ends
  std::unique_ptr<Process> server_{};
};

/// Waits for text on the screen; fails the test, with the screen, if it does not come.
void require_shows(const Terminal& terminal, const std::string& text);

}  // namespace live
