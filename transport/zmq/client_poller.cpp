#include "transport/zmq/client_poller.hpp"

#include <zmq.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "transport/zmq/capacity.hpp"
#include "transport/zmq/event_poll.hpp"
#include "transport/zmq/socket_io.hpp"
#include "transport/zmq/socket_monitor.hpp"
#include "transport/zmq/socket_options.hpp"
#include "transport/zmq/tcp_address.hpp"

namespace processhub {
namespace {

using namespace zmq_detail;

constexpr int kFramesInARow = 256;  // of one node, before the others are looked at

}  // namespace

class ClientPoller::Impl {
 public:
  explicit Impl(const ClientOptions& options) : setup_(client_setup(options)), context_(1) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    while (!links_.empty()) disconnect(links_.begin()->first);
  }

  Result<void> connect(LinkId id, const std::string& endpoint) {
    auto address = parse_peer_address(endpoint);
    if (!address) return address.error();
    try {
      auto socket = open_dealer(context_, setup_);
      SocketMonitor monitor;
      monitor.attach(context_, socket, "client-" + std::to_string(id), kConnectionEvents);
      auto& link = links_.try_emplace(id, Link{std::move(socket), std::move(monitor)}).first->second;
      link.socket.connect(address->str());
      return {};
    } catch (const zmq::error_t& error) {
      disconnect(id);
      return {ErrorCode::system, "cannot connect to " + endpoint + ": " + error.what()};
    }
  }

  void disconnect(LinkId id) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    found->second.monitor.detach(found->second.socket);
    found->second.socket.close();
    links_.erase(found);
  }

  bool send(LinkId id, std::string_view frame) {
    const auto found = links_.find(id);
    return found != links_.end() && send_frame(found->second.socket, frame) == SendStatus::ok;
  }

  void wait(std::chrono::microseconds timeout, std::vector<Event>& events) {
    if (take(events)) timeout = {};
    std::vector<zmq_pollitem_t> items{{nullptr, wake_.fd(), ZMQ_POLLIN, 0}};
    for (auto& [id, link] : links_) {
      items.push_back({link.socket.handle(), 0, ZMQ_POLLIN, 0});
      items.push_back({link.monitor.pair().handle(), 0, ZMQ_POLLIN, 0});
    }
    const auto limit = std::clamp<std::chrono::microseconds>(timeout, std::chrono::microseconds(0),
                                                             std::chrono::seconds(60));
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(limit);
    if (!wake_.fall_asleep()) {
      wake_.woke_up();
    } else {
      zmq_poll(items.data(), static_cast<int>(items.size()), static_cast<long>(whole.count()));
      wake_.woke_up();
      if ((items.front().revents & ZMQ_POLLIN) != 0) wake_.drain();
    }
    take(events);
  }

  void wake() { wake_.give(); }

 private:
  struct Link {
    zmq::socket_t socket;
    SocketMonitor monitor;
  };

  bool take(std::vector<Event>& events) {
    const auto before = events.size();
    for (auto& [id, link] : links_) {
      // What the monitor tells is read first and told last: what came before the end is in the socket by now.
      std::vector<Event> changes;
      while (const auto event = link.monitor.next()) {
        if (event->what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
          events.push_back({id, What::up, {}});
        } else if (event->what == ZMQ_EVENT_CONNECT_RETRIED) {
          changes.push_back({id, What::down, "nobody listens there"});
        } else if (event->what == ZMQ_EVENT_DISCONNECTED) {
          changes.push_back({id, What::down, "the connection broke"});
        } else {
          changes.push_back({id, What::down, describe_handshake_failure(*event)});
        }
      }
      zmq::message_t frame;
      for (int i = 0; i < kFramesInARow && receive_part(link.socket, frame); ++i) {
        if (frame.more())
          skip_parts(link.socket, frame);
        else
          events.push_back({id, What::frame, std::string(view_of(frame))});
      }
      for (auto& change : changes) events.push_back(std::move(change));
    }
    return events.size() > before;
  }

  const SocketSetup setup_;
  zmq::context_t context_;
  WakeUp wake_{};
  std::map<LinkId, Link> links_{};
};

ClientPoller::ClientPoller(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientPoller::~ClientPoller() = default;

Result<std::unique_ptr<ClientPoller>> ClientPoller::make(const ClientOptions& options) {
  if (!has_descriptors_for_a_context())
    return {ErrorCode::system, "cannot start ZeroMQ: too many open files"};
  try {
    return std::unique_ptr<ClientPoller>(new ClientPoller(std::make_unique<Impl>(options)));
  } catch (const std::exception& error) {
    return {ErrorCode::system, std::string("cannot start a client: ") + error.what()};
  }
}

Result<void> ClientPoller::connect(LinkId link, const std::string& endpoint) {
  return impl_->connect(link, endpoint);
}
void ClientPoller::disconnect(LinkId link) { impl_->disconnect(link); }
bool ClientPoller::send(LinkId link, std::string_view frame) { return impl_->send(link, frame); }
void ClientPoller::wait(std::chrono::microseconds timeout, std::vector<Event>& events) {
  impl_->wait(timeout, events);
}
void ClientPoller::wake() { impl_->wake(); }

}  // namespace processhub
