#include "tools/zmq-monitor/top_watch.hpp"

#include <algorithm>
#include <sstream>

#include "core/runtime/signals.hpp"
#include "tools/zmq-monitor/tables.hpp"

namespace processhub::monitor {

namespace {

using Clock = std::chrono::steady_clock;

std::vector<Question> questions_of(const Wish& wish) {
  switch (wish.sight) {
    case Sight::children:
      return look_questions_and({{"list", {{"local", !wish.subject.empty()}}}});
    case Sight::child:
      return look_questions_and(explain_questions(wish.subject));
    case Sight::doctor:
    case Sight::events:
      return look_questions_and({journal_question()});
    case Sight::nodes:
    case Sight::views:
    case Sight::locks:
    case Sight::links:
      break;
  }
  return look_questions();
}

std::vector<std::string> lines_of(const std::ostringstream& out) {
  std::vector<std::string> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TopWatch::TopWatch(LookOptions options, std::chrono::milliseconds every, std::function<void()> news)
    : options_(std::move(options)), every_(every), news_(std::move(news)) {
  // Signals are for the thread that has the terminal; this one and those it starts inherit the mask.
  const runtime::SignalsBlocked for_those;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

TopWatch::~TopWatch() = default;

void TopWatch::wish(const Wish& wish) {
  std::lock_guard lock(mutex_);
  if (wish == wish_) return;
  wish_ = wish;
  fresh_ = true;
  changed_.notify_all();
}

std::optional<Picture> TopWatch::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(picture_, std::nullopt);
}

void TopWatch::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto wish = wish_;
    fresh_ = false;
    lock.unlock();
    auto picture = look(wish);
    lock.lock();
    picture_ = std::move(picture);
    lock.unlock();
    news_();
    lock.lock();
    changed_.wait_for(lock, stop, every_, [&] { return fresh_; });
  }
}

/// Those that answered last first: given ones may be gone for good.
std::vector<std::string> TopWatch::addresses() const {
  auto out = answering_;
  for (const auto& given : options_.endpoints)
    if (std::find(out.begin(), out.end(), given) == out.end()) out.push_back(given);
  return out;
}

Picture TopWatch::look(const Wish& wish) {
  Picture picture;
  picture.of = wish;
  auto options = options_;
  options.endpoints = addresses();
  auto now = hubctl::look_at(options, questions_of(wish));
  const auto time = Clock::now();
  if (!now) {
    picture.error = now.error().message;
    return picture;
  }
  fill(picture, *now, std::chrono::duration<double>(time - looked_at_).count());
  // The one that told of the others is asked first again, unless it does not answer any more.
  const auto first = options.endpoints.front();
  answering_.clear();
  for (const auto& node : now->nodes)
    if (node.answered()) answering_.push_back(node.endpoint);
  std::stable_partition(answering_.begin(), answering_.end(), [&](const auto& a) { return a == first; });
  before_ = std::move(*now);
  looked_at_ = time;
  return picture;
}

void TopWatch::fill(Picture& picture, const ClusterLook& look, double seconds) {
  picture.nodes = top_view(before_, look, seconds);
  for (const auto& node : look.nodes) {
    if (!node.answered()) continue;
    picture.hub = node.answer(kStatus).value("hub", "");
    if (picture.via.empty() || node.endpoint == addresses().front()) picture.via = node.name;
  }
  std::ostringstream out;
  switch (picture.of.sight) {
    case Sight::nodes:
      return;
    case Sight::children:
      return fill_children(picture, look);
    case Sight::child:
      print_explanation(out, explanation_of(picture.of.subject, look, look_questions().size()));
      break;
    case Sight::views:
      print_membership(out, membership_view(look));
      break;
    case Sight::locks:
      print_locks(out, locks_view(look));
      break;
    case Sight::links:
      print_links(out, links_view(look));
      print_sockets(out, sockets_view(look));
      break;
    case Sight::doctor:
      print_findings(out, examine(examination_of(before_, look, seconds)));
      break;
    case Sight::events: {
      auto events = timeline_view(picture.of.subject, answers_of(look, look_questions().size()));
      std::reverse(events.begin(), events.end());  // the newest is what one looks for
      print_events(out, events);
      break;
    }
  }
  picture.text = lines_of(out);
}

/// A node tells of its own children; of one that does not answer, another one does.
void TopWatch::fill_children(Picture& picture, const ClusterLook& look) {
  const auto& node = picture.of.subject;
  for (const auto& one : look.nodes) {
    if (!one.answered() || (!node.empty() && one.name != node)) continue;
    picture.children = one.answer(look_questions().size());
    return;
  }
  auto all = hubctl::ask_one(answering_, {"list"}, options_.patience, options_.client);
  if (all) picture.children = std::move(*all);
}

}  // namespace processhub::monitor
