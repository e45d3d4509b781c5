// Plays a golden scenario of tests/cases on real hubd processes over ZeroMQ, and holds what they say against
// the very output that the simulator gives. Real time replaces virtual time: where the simulator runs for a
// while and looks, this looks until it sees what is promised. Commands for the network's faults have no
// counterpart here.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace live {

class LiveScenario {
 public:
  /// `text` is a whole case file: commands, a line of dashes, the promised output.
  explicit LiveScenario(const std::string& text);
  /// Checks line by line; stops at the first that is not as promised.
  void run();

 private:
  using Words = std::vector<std::string>;
  using Look = std::function<std::vector<std::string>()>;
  struct Command {
    std::string_view name;
    void (LiveScenario::*carry_out)(Words&);
  };
  static const std::vector<Command>& commands();
  void execute(const std::string& line);
  /// The next promised lines are what `look` gives, now or soon.
  void promise(const Look& look, std::size_t lines = 1);

  void do_nodes(Words& words);
  void do_node(Words& words);
  void do_start(Words& words);
  void do_stop(Words& words);
  void do_call(Words& words);
  void do_metadata(Words& words);
  void do_crash(Words& words);
  void do_restart(Words& words);
  void do_leave(Words& words);
  void do_pause(Words& words);
  void do_resume(Words& words);
  void do_run(Words&) {}
  void do_show(Words& words);
  void do_mark(Words& words);
  void do_moved(Words& words);
  void do_expect(Words& words);

  bool quiet() const;
  std::vector<std::string> awake() const;
  std::string first_life(const std::string& ref) const;
  std::string life(const std::string& name, std::uint64_t incarnation);
  std::vector<std::string> shown_children(const std::string& node);
  std::vector<std::string> shown_child(const std::string& node, const std::string& id);
  std::vector<std::string> shown_nodes(const std::string& node);
  std::map<std::string, std::string> placement() const;
  std::size_t lines_until_next(std::string_view prefix) const;

  std::string commands_{};
  std::vector<std::string> promised_{};
  std::size_t told_ = 0;
  ProcessCluster cluster_{};
  std::vector<std::string> paused_{};
  std::map<std::string, std::vector<std::uint64_t>> lives_{};  ///< incarnations of each name, as first met
  std::map<std::string, std::string> marked_{};
};

}  // namespace live
