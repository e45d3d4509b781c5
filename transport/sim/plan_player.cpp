#include "transport/sim/plan_player.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace processhub::sim {

const std::vector<PlanPlayer::Verb>& PlanPlayer::verbs() {
  static const std::vector<Verb> all{{"boot", &PlanPlayer::boot},
                                     {"crash", &PlanPlayer::crash},
                                     {"vanish", &PlanPlayer::vanish},
                                     {"restart", &PlanPlayer::restart},
                                     {"leave", &PlanPlayer::leave},
                                     {"pause", &PlanPlayer::pause},
                                     {"split", &PlanPlayer::split},
                                     {"cut", &PlanPlayer::cut},
                                     {"one_way", &PlanPlayer::one_way},
                                     {"flap", &PlanPlayer::flap},
                                     {"reset", &PlanPlayer::reset},
                                     {"reset_size", &PlanPlayer::reset_size},
                                     {"clog", &PlanPlayer::clog},
                                     {"calm", &PlanPlayer::calm},
                                     {"slow", &PlanPlayer::slow},
                                     {"jump", &PlanPlayer::jump},
                                     {"start", &PlanPlayer::start},
                                     {"stop", &PlanPlayer::stop},
                                     {"stop_prefix", &PlanPlayer::stop_prefix},
                                     {"stop_tag", &PlanPlayer::stop_tag},
                                     {"metadata", &PlanPlayer::metadata},
                                     {"client", &PlanPlayer::client},
                                     {"call", &PlanPlayer::call},
                                     {"cast", &PlanPlayer::cast},
                                     {"broadcast", &PlanPlayer::broadcast},
                                     {"crash_child", &PlanPlayer::crash_child},
                                     {"restart_child", &PlanPlayer::restart_child},
                                     {"migrate", &PlanPlayer::migrate},
                                     {"lock", &PlanPlayer::lock},
                                     {"dispatch", &PlanPlayer::dispatch}};
  return all;
}

bool PlanPlayer::knows(std::string_view verb) {
  return std::any_of(verbs().begin(), verbs().end(), [&](const Verb& v) { return v.name == verb; });
}

void PlanPlayer::act(Words words) {
  const auto verb = take_word(words);
  for (const auto& candidate : verbs()) {
    if (candidate.name == verb) return (this->*candidate.carry_out)(words);
  }
  throw std::invalid_argument("unknown verb '" + verb + "'");
}

const SimNode* PlanPlayer::known(const std::string& name) const {
  return cluster_.has_node(name) ? &cluster_.node(name) : nullptr;
}

const SimNode* PlanPlayer::running(const std::string& name) const {
  const auto* node = known(name);
  return node != nullptr && node->running() ? node : nullptr;
}

bool PlanPlayer::speaks(const std::string& name) const {
  return cluster_.has_client(name) || running(name) != nullptr;
}

bool PlanPlayer::two_running(Words& words, std::string& a, std::string& b) const {
  a = take_word(words);
  b = take_word(words);
  return running(a) != nullptr && running(b) != nullptr;
}

/// Another process has the address of this node, which is not running.
bool PlanPlayer::address_taken(const SimNode& node) const {
  return !node.running() && cluster_.network().attached(node.host());
}

void PlanPlayer::boot(Words& words) {
  const auto name = take_word(words);
  const auto host = take_option(words, "at").value_or(name);
  const auto zone = take_option(words, "zone").value_or("");
  const auto cpu = take_option(words, "cpu");
  const bool next_version = !words.empty() && words.front() == "next_version";
  if (next_version) words.erase(words.begin());
  take_keyword(words, "seeds");
  for (const auto& seed : words) {
    if (std::find(seeds_.begin(), seeds_.end(), seed) == seeds_.end()) seeds_.push_back(seed);
  }
  if (known(name) != nullptr || cluster_.network().attached(cluster_.network().host(host))) return;
  if (next_version) cluster_.speaks_next_version(name);
  cluster_.add_node(name, words, host, [&](HubConfig& config) { config.zone = zone; });
  if (cpu) cluster_.node(name).set_load({.cpu = std::stod(*cpu)});
}

void PlanPlayer::crash(Words& words) {
  if (const auto name = take_word(words); running(name) != nullptr) cluster_.crash(name);
}

void PlanPlayer::vanish(Words& words) {
  if (const auto name = take_word(words); running(name) != nullptr)
    cluster_.crash(name, SimNetwork::Detach::silent);
}

void PlanPlayer::restart(Words& words) {
  const auto name = take_word(words);
  if (const auto* node = known(name); node != nullptr && !address_taken(*node)) cluster_.restart(name);
}

void PlanPlayer::leave(Words& words) {
  const auto name = take_word(words);
  const auto* node = running(name);
  if (node == nullptr) return;
  leaving_.push_back(node->id());
  cluster_.leave(name);
}

void PlanPlayer::pause(Words& words) {
  const auto name = take_word(words);
  const auto length = take_duration(words);
  const auto* node = known(name);
  if (node == nullptr || node->life() != NodeLife::up) return;
  cluster_.pause(name);
  cluster_.scheduler().after(length, [this, name, id = node->id()] {
    if (cluster_.node(name).id() == id && cluster_.node(name).life() == NodeLife::paused)
      cluster_.resume(name);
  });
}

void PlanPlayer::split(Words& words) {
  std::vector<std::string> left;
  std::vector<std::string> right;
  bool after = false;
  for (const auto& word : words) {
    if (word == "|") {
      after = true;
    } else if (known(word) != nullptr) {
      (after ? right : left).push_back(word);
    }
  }
  if (!left.empty() && !right.empty()) cluster_.split(left, right);
}

void PlanPlayer::cut(Words& words) {
  std::string a;
  std::string b;
  if (two_running(words, a, b)) cluster_.cut_both(a, b);
}

void PlanPlayer::one_way(Words& words) {
  std::string a;
  std::string b;
  if (two_running(words, a, b)) cluster_.cut(a, b);
}

void PlanPlayer::flap(Words& words) {
  std::string a;
  std::string b;
  if (!two_running(words, a, b)) return;
  const auto period = take_duration(words);
  const auto text = take_word(words);
  std::uint64_t times = 0;
  std::from_chars(text.data(), text.data() + text.size(), times);
  flap_once(a, b, period, times);
}

/// Cut for a period, open for a period, and so on; it ends open.
void PlanPlayer::flap_once(const std::string& a, const std::string& b, Duration period, std::uint64_t left) {
  if (left == 0 || calmed_) return;
  cluster_.cut_both(a, b);
  cluster_.scheduler().after(period, [=, this] {
    cluster_.heal(a, b);
    cluster_.scheduler().after(period, [=, this] { flap_once(a, b, period, left - 1); });
  });
}

void PlanPlayer::reset(Words& words) {
  std::string a;
  std::string b;
  if (!two_running(words, a, b)) return;
  cluster_.note(fmt::format("reset {} - {}", a, b));
  cluster_.network().reset_between(cluster_.node(a).host(), cluster_.node(b).host());
}

void PlanPlayer::reset_size(Words& words) {
  if (const auto name = take_word(words); running(name) != nullptr) cluster_.reset_size(name);
}

void PlanPlayer::clog(Words& words) {
  std::string a;
  std::string b;
  if (!two_running(words, a, b)) return;
  const auto extra = take_duration(words);
  cluster_.note(fmt::format("clog {} -> {} {}", a, b, format_duration(extra)));
  cluster_.network().clog(cluster_.node(a).host(), cluster_.node(b).host(), extra);
}

void PlanPlayer::calm(Words&) {
  cluster_.heal_all();
  for (const auto* a : cluster_.nodes()) {
    for (const auto* b : cluster_.nodes()) cluster_.network().clog(a->host(), b->host(), Duration(0));
  }
}

void PlanPlayer::slow(Words& words) {
  const auto name = take_word(words);
  if (known(name) != nullptr) cluster_.slow(name, take_duration(words));
}

void PlanPlayer::jump(Words& words) {
  const auto name = take_word(words);
  if (running(name) != nullptr) cluster_.jump_clock(name, take_duration(words));
}

bool PlanPlayer::listens(const std::string& host) const {
  const auto nodes = cluster_.running_nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](const SimNode* node) {
    const bool leaves = std::find(leaving_.begin(), leaving_.end(), node->id()) != leaving_.end();
    return !leaves && cluster_.network().name(node->host()) == host;
  });
}

void PlanPlayer::stop_faults() {
  calmed_ = true;
  Words none;
  calm(none);
  cluster_.faults().end();
  for (const auto* node : cluster_.nodes()) {
    if (node->slowness().count() != 0) cluster_.slow(node->name(), Duration(0));
    if (node->life() == NodeLife::paused) cluster_.resume(node->name());
  }
  // Nodes that never met can only meet at a seed.
  const bool listening =
      std::any_of(seeds_.begin(), seeds_.end(), [this](const std::string& seed) { return listens(seed); });
  if (!listening && !seeds_.empty()) {
    // Whoever is still on its way out at that address would take it with it.
    for (const auto* node : cluster_.running_nodes())
      if (cluster_.network().name(node->host()) == seeds_.front()) cluster_.crash(node->name());
    for (const auto* node : cluster_.running_nodes()) {
      // It leaves: the address is needed now.
      if (cluster_.network().name(node->host()) == seeds_.front()) cluster_.crash(node->name());
    }
    if (known(seeds_.front()) != nullptr) {
      cluster_.restart(seeds_.front());
    } else {
      cluster_.add_node(seeds_.front(), seeds_);
    }
  }
  cluster_.note("faults stop");
}

}  // namespace processhub::sim
