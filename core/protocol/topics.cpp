#include "core/protocol/topics.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "processhub/message.hpp"

namespace processhub::protocol {

namespace {

constexpr std::size_t kRingBytes = 8 << 20;
constexpr std::size_t kRingMessages = 100'000;
constexpr std::size_t kReplayBytes = 256 << 10;  // in one answer
constexpr std::size_t kMaxEarly = 10'000;        // that wait for one before them
constexpr std::size_t kMaxNames = 100'000;       // topics that are counted
constexpr std::size_t kMaxPatterns = 1'000;      // of one client
constexpr Duration kAskAgain = std::chrono::milliseconds(200);
constexpr Duration kFirstMark = std::chrono::milliseconds(50);
constexpr Duration kLastMark = std::chrono::seconds(5);

struct Refused {
  std::string error{};
  PROCESSHUB_FIELDS(error)
};

std::size_t size_of(const TopicNews& news) {
  return sizeof(TopicNews) + news.topic.size() + news.message.size() + news.body.size();
}

}  // namespace

// -- from here

void Topics::on(event::PublishTopic&& e) {
  if (auto done = publish(std::move(e)); !done)
    ctx_.log(LogPart::clients, LogLevel::warn, done.error().message);
}

Result<void> Topics::publish(event::PublishTopic&& e) {
  if (auto good = check_publication(e.topic, e.body); !good) return good;
  if (numbers_.size() >= kMaxNames) numbers_.clear();  // they begin anew
  TopicNews news;
  news.number = ++numbers_[{e.reliable, e.topic}];
  news.topic = std::move(e.topic);
  news.message = std::move(e.message);
  news.body = std::move(e.body);
  news.reliable = e.reliable;
  news.order = e.reliable ? ++reliable_ : ++lossy_;
  publications_.publish(news);
  deliver(ctx_.self(), nullptr, news);
  if (news.reliable) keep(news);
  return {};
}

/// The last one may be lost, and nobody would notice: marks follow, ever more rarely.
void Topics::keep(const TopicNews& news) {
  ring_bytes_ += size_of(news);
  ring_.push_back(news);
  while (ring_.size() > 1 && (ring_bytes_ > kRingBytes || ring_.size() > kRingMessages)) {
    ring_bytes_ -= size_of(ring_.front());
    ring_.pop_front();
  }
  mark_wait_ = kFirstMark;
  mark_due_ = ctx_.now + mark_wait_;
}

void Topics::on(const event::SubscribeTopic& e) { tree_.add({e.kind, e.key}, e.pattern); }

void Topics::on(const event::UnsubscribeTopic& e) {
  if (e.pattern.empty()) return tree_.remove_all({e.kind, e.key});
  tree_.remove({e.kind, e.key}, e.pattern);
}

// -- clients

bool Topics::on_client(std::uint64_t client, AdminRequest& request) {
  const bool subscribe = request.verb == "subscribe";
  if (!subscribe && request.verb != "publish") return false;
  const auto done = subscribe ? on_client_subscribe(client, request) : on_client_publish(request);
  AdminReply reply{request.request, 0, Bytes("\xc0", 1)};
  if (!done) {
    reply.code = static_cast<std::uint8_t>(done.error().code);
    reply.body = encode_named(Refused{done.error().message});
  }
  links_.send_client(client, reply);
  return true;
}

/// All that this client wants from now on.
Result<void> Topics::on_client_subscribe(std::uint64_t client, AdminRequest& request) {
  const auto args = decode<SubscribeArgs>(request.args);
  if (!args) return args.error();
  if (args->patterns.size() > kMaxPatterns)
    return {ErrorCode::overloaded, "a client may subscribe to 1,000 patterns"};
  for (const auto& pattern : args->patterns)
    if (auto good = check_topic_pattern(pattern); !good) return good;
  const Subscriber subscriber{SubscriberKind::client, client};
  tree_.remove_all(subscriber);
  for (const auto& pattern : args->patterns) tree_.add(subscriber, pattern);
  return {};
}

Result<void> Topics::on_client_publish(AdminRequest& request) {
  auto args = decode<PublishArgs>(request.args);
  if (!args) return args.error();
  return publish({std::move(args->topic), std::move(args->message), std::move(args->body), args->reliable});
}

// -- from others

void Topics::on(NodeId from, TopicNews&& news) {
  auto& stream = streams_[from];
  if (news.reliable) return take_reliable(from, stream, std::move(news));
  if (news.order <= stream.lossy) return;  // overtaken: it counts as missed
  stream.lossy = news.order;
  deliver(from, &stream, news);
}

void Topics::take_reliable(NodeId from, Stream& stream, TopicNews&& news) {
  stream.known = std::max(stream.known, news.order);
  if (news.order <= stream.taken) return;
  if (news.order == stream.taken + 1) {
    stream.taken = news.order;
    deliver(from, &stream, news);
  } else if (stream.early.size() < kMaxEarly) {
    stream.early.emplace(news.order, std::move(news));
  }
  take_early(from, stream);
  look_for_gap(from, stream);
}

void Topics::take_early(NodeId from, Stream& stream) {
  auto& early = stream.early;
  while (!early.empty() && early.begin()->first <= stream.taken + 1) {
    const auto news = std::move(early.begin()->second);
    early.erase(early.begin());
    if (news.order <= stream.taken) continue;
    stream.taken = news.order;
    deliver(from, &stream, news);
  }
}

/// Asked again as long as there is one.
void Topics::look_for_gap(NodeId from, Stream& stream) {
  if (stream.taken >= stream.known) {
    stream.ask_due = kNever;
  } else if (stream.ask_due == kNever || ctx_.now >= stream.ask_due) {
    links_.send(from, Lane::control, TopicAsk{stream.taken + 1});
    stream.ask_due = ctx_.now + kAskAgain;
  }
}

void Topics::on(NodeId from, const TopicMark& mark) {
  auto& stream = streams_[from];
  stream.known = std::max(stream.known, mark.order);
  look_for_gap(from, stream);
}

void Topics::on(NodeId from, const TopicAsk& ask) {
  const auto kept = ring_.empty() ? reliable_ + 1 : ring_.front().order;
  const auto since = since_.contains(from) ? since_.at(from) + 1 : 1;
  TopicReplay replay;
  replay.first = std::max({ask.from, kept, since});
  replay.before_your_time = replay.first == since && since > ask.from;
  std::size_t bytes = 0;
  for (auto at = replay.first; at <= reliable_ && bytes < kReplayBytes; ++at) {
    replay.news.push_back(ring_[at - kept]);
    bytes += size_of(replay.news.back());
  }
  links_.send(from, Lane::data, replay, Sending::in_flow(0));
}

void Topics::on(NodeId from, TopicReplay&& replay) {
  auto& stream = streams_[from];
  if (replay.first > stream.taken + 1) {
    if (!replay.before_your_time) ctx_.stats.topics_missed += replay.first - stream.taken - 1;
    stream.taken = replay.first - 1;
    stream.known = std::max(stream.known, stream.taken);
  }
  stream.ask_due = kNever;  // what is missing now is to be asked for at once
  for (auto& news : replay.news) {
    if (news.order > stream.taken) stream.early.insert_or_assign(news.order, std::move(news));
  }
  take_early(from, stream);
  look_for_gap(from, stream);
}

/// A newcomer gets what is published from now on; one whose session only broke, what it lacks.
void Topics::on_session_up(NodeId peer) {
  since_.try_emplace(peer, reliable_);
  if (reliable_ > 0) links_.send(peer, Lane::control, TopicMark{reliable_});
}

void Topics::on_left(NodeId peer) {
  since_.erase(peer);
  const auto found = streams_.find(peer);
  if (found == streams_.end()) return;
  for (auto& [order, news] : found->second.early) deliver(peer, &found->second, news);
  streams_.erase(found);
}

void Topics::tick() {
  for (auto& [from, stream] : streams_)
    if (ctx_.now >= stream.ask_due) look_for_gap(from, stream);
  if (ctx_.now < mark_due_) return;
  publications_.publish(TopicMark{reliable_});
  mark_wait_ = std::min(mark_wait_ * 2, kLastMark);
  mark_due_ = ctx_.now + mark_wait_;
}

Time Topics::next_deadline() const {
  auto due = mark_due_;
  for (const auto& [from, stream] : streams_) due = std::min(due, stream.ask_due);
  return due;
}

// -- to those who want it

void Topics::deliver(NodeId publisher, Stream* stream, const TopicNews& news) {
  const auto wanted_by = tree_.match(news.topic);
  if (wanted_by.empty()) return;
  auto told = std::make_shared<TopicMessage>();
  if (stream != nullptr) {
    if (stream->numbers.size() >= kMaxNames) stream->numbers.clear();
    auto& last = stream->numbers[{news.reliable, news.topic}];
    if (last != 0 && news.number > last + 1) told->missed = news.number - last - 1;
    last = news.number;
    ctx_.stats.topics_missed += news.reliable ? 0 : told->missed;
  }
  told->topic = news.topic;
  told->message = news.message;
  told->body = news.body;
  told->publisher = publisher;
  told->number = news.number;
  told->reliable = news.reliable;
  for (const auto& subscriber : wanted_by) hand_out(subscriber, news, told);
}

void Topics::hand_out(const Subscriber& to, const TopicNews& news,
                      const std::shared_ptr<const TopicMessage>& told) {
  switch (to.first) {
    case SubscriberKind::program:
      return ctx_.emit(effect::TopicDelivery{to.second, told});
    case SubscriberKind::worker: {
      PostedMessage message;
      message.message = told->message;
      message.body = told->body;
      message.topic = told;
      return ctx_.emit(effect::Post{to.second, std::move(message), {}});
    }
    case SubscriberKind::client: {
      auto copy = news;
      copy.publisher = told->publisher;
      copy.missed = told->missed;
      if (links_.send_client(to.second, copy, Lane::data, Sending::in_flow(0))) return;
      if (!links_.has_client(to.second)) return tree_.remove_all(to);
      ++ctx_.stats.topics_missed;  // it reads too slowly, and will see the gap
    }
  }
}

}  // namespace processhub::protocol
