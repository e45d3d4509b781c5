// What a Client's thread does: it drives a ClientCore with real connections and real time, and ends its
// requests on the threads that users' callbacks run on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "core/protocol/client_core.hpp"
#include "core/runtime/callback_pool.hpp"
#include "core/runtime/open_answers.hpp"
#include "processhub/client.hpp"
#include "transport/zmq/client_poller.hpp"

namespace processhub::assembly {

using protocol::ClientRequest;

class ClientEngine : private protocol::ClientPort {
 public:
  ClientEngine(ClientConfig config, std::unique_ptr<ClientPoller> poller);
  ~ClientEngine() override;  ///< close()
  ClientEngine(const ClientEngine&) = delete;
  ClientEngine& operator=(const ClientEngine&) = delete;

  /// Any thread. An error: the request was not taken, and its answer is not touched.
  Result<void> submit(ClientRequest request);
  /// Takes effect with the next request of kind `subscribe`. Any thread.
  SubscriptionId add_subscription(std::string pattern, Client::TopicHandler handler);
  void remove_subscription(SubscriptionId id);
  Result<void> wait_connected(std::chrono::milliseconds timeout);
  NodeId node() const;
  void close();

 private:
  struct Subscription {
    std::string pattern{};
    std::shared_ptr<const Client::TopicHandler> handler{};
    std::uint64_t dropped = 0;  ///< before the next one
  };

  Result<void> connect(LinkId link, const std::string& endpoint) override {
    return poller_->connect(link, endpoint);
  }
  void disconnect(LinkId link) override { poller_->disconnect(link); }
  void send(LinkId link, const Bytes& frame) override { static_cast<void>(poller_->send(link, frame)); }
  std::uint64_t fresh_nonce() override;
  std::optional<std::map<NodeId, protocol::ClientMember>> read_members(const Bytes& answer) override;
  void finish(const protocol::ClientAnswer& answer, Result<Bytes> result) override;
  void on_gateway(NodeId gateway, const std::string& failure) override;
  std::optional<Bytes> patterns() override;
  void on_news(protocol::TopicNews news) override;

  void run();
  void turn();
  void on_event(ClientPoller::Event& event);
  void hand_out(std::shared_ptr<TopicMessage> message);

  const ClientConfig config_;
  const std::unique_ptr<ClientPoller> poller_;
  runtime::CallbackPool callbacks_;

  // Shared with the callers.
  mutable std::mutex mutex_{};
  std::condition_variable connected_{};
  std::deque<ClientRequest> submitted_{};
  std::size_t taken_ = 0;  ///< requests without an answer that the thread holds
  bool closing_ = false;
  NodeId shown_gateway_{};
  std::map<SubscriptionId, Subscription> subscriptions_{};
  SubscriptionId last_subscription_ = 0;
  std::string last_failure_{};

  // The thread's own.
  protocol::ClientCore core_;
  // Of what was published: the newest of each publisher, and under each topic; reliable ones for themselves.
  std::map<std::pair<NodeId, bool>, std::uint64_t> orders_{};
  std::map<std::tuple<NodeId, bool, std::string>, std::uint64_t> numbers_{};
  std::atomic<std::size_t> waiting_news_{0};  ///< for handlers
  std::vector<ClientPoller::Event> events_{};
  std::thread thread_{};
};

}  // namespace processhub::assembly
