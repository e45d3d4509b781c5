// Topics: what is published here goes to the subscribers of this node at once and to all other nodes as a
// publication. Those may be lost: a number under each topic shows it. Reliable ones stay here for a while;
// who notices that one is missing asks for it over the session.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/publications.hpp"
#include "core/protocol/topic_tree.hpp"
#include "processhub/topic.hpp"

namespace processhub::protocol {

class Topics {
 public:
  Topics(Context& context, Publications& publications, Links& links)
      : ctx_(context), publications_(publications), links_(links) {}

  void on(event::PublishTopic&& publish);
  void on(const event::SubscribeTopic& subscribe);
  void on(const event::UnsubscribeTopic& unsubscribe);
  /// A worker that subscribed has ended.
  void forget(const Subscriber& subscriber) { tree_.remove_all(subscriber); }
  /// The verbs subscribe and publish of clients. False: it is another verb.
  bool on_client(std::uint64_t client, AdminRequest& request);

  void on(NodeId from, TopicNews&& news);
  void on(NodeId from, const TopicMark& mark);
  void on(NodeId from, const TopicAsk& ask);
  void on(NodeId from, TopicReplay&& replay);
  void on_session_up(NodeId peer);
  void on_left(NodeId peer);
  void tick();
  Time next_deadline() const;

 private:
  using Name = std::pair<bool, std::string>;  ///< reliable or not, and the topic
  /// What another node publishes.
  struct Stream {
    std::uint64_t lossy = 0;  ///< order of the newest one
    std::uint64_t taken = 0;  ///< of the reliable ones: all up to this are delivered, or given up
    std::uint64_t known = 0;  ///< so many there are
    std::map<std::uint64_t, TopicNews> early{};
    std::map<Name, std::uint64_t> numbers{};  ///< the newest under each topic that somebody here wants
    Time ask_due = kNever;
  };

  Result<void> publish(event::PublishTopic&& publish);
  Result<void> on_client_publish(AdminRequest& request);
  Result<void> on_client_subscribe(std::uint64_t client, AdminRequest& request);
  void keep(const TopicNews& news);
  void take_reliable(NodeId from, Stream& stream, TopicNews&& news);
  void take_early(NodeId from, Stream& stream);
  void look_for_gap(NodeId from, Stream& stream);
  void deliver(NodeId publisher, Stream* stream, const TopicNews& news);
  void hand_out(const Subscriber& to, const TopicNews& news, const std::shared_ptr<const TopicMessage>& told);

  Context& ctx_;
  Publications& publications_;
  Links& links_;
  TopicTree tree_{};
  std::map<Name, std::uint64_t> numbers_{};
  std::uint64_t lossy_ = 0;
  std::uint64_t reliable_ = 0;
  std::deque<TopicNews> ring_{};
  std::size_t ring_bytes_ = 0;
  std::map<NodeId, std::uint64_t> since_{};  ///< how many reliable ones there were when a node was met
  std::map<NodeId, Stream> streams_{};
  Time mark_due_ = kNever;
  Duration mark_wait_{};
};

}  // namespace processhub::protocol
