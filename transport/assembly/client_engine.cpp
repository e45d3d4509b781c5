#include "transport/assembly/client_engine.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/runtime/admin_json.hpp"
#include "core/runtime/clock.hpp"
#include "core/runtime/identity.hpp"
#include "core/runtime/signals.hpp"

namespace processhub::assembly {

namespace {

using runtime::boot_now;
constexpr Duration kLongestWait = std::chrono::hours(1);

}  // namespace

ClientEngine::ClientEngine(ClientConfig config, std::unique_ptr<ClientPoller> poller)
    : config_(std::move(config)),
      poller_(std::move(poller)),
      callbacks_(1, [](const std::string&) {}),
      core_(runtime::fresh_client("client"), config_.nodes, *this) {
  const runtime::SignalsBlocked for_our_thread;
  thread_ = std::thread([this] { run(); });
}

ClientEngine::~ClientEngine() { close(); }

void ClientEngine::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  connected_.notify_all();
  poller_->wake();
  if (thread_.joinable()) thread_.join();
  callbacks_.stop();
}

Result<void> ClientEngine::submit(ClientRequest request) {
  if (const auto& present = present_trace()) request.trace = std::make_shared<const Trace>(present.next());
  {
    std::lock_guard lock(mutex_);
    if (closing_) return {ErrorCode::stopped, "the client is closed"};
    if (submitted_.size() + taken_ >= config_.max_waiting)
      return {ErrorCode::overloaded, "too many requests of this client wait for an answer"};
    submitted_.push_back(std::move(request));
    if (submitted_.size() > 1) return {};
  }
  poller_->wake();
  return {};
}

Result<void> ClientEngine::wait_connected(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  connected_.wait_for(lock, timeout, [&] { return closing_ || shown_gateway_; });
  if (shown_gateway_) return {};
  return {ErrorCode::node_down, "nobody answered: " + last_failure_};
}

NodeId ClientEngine::node() const {
  std::lock_guard lock(mutex_);
  return shown_gateway_;
}

void ClientEngine::run() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (closing_) break;
    }
    turn();
    const auto wait = std::clamp(core_.next_deadline() - boot_now(), Duration::zero(), kLongestWait);
    events_.clear();
    poller_->wait(wait, events_);
    for (auto& event : events_) on_event(event);
  }
  std::deque<ClientRequest> unsent;
  {
    std::lock_guard lock(mutex_);
    unsent.swap(submitted_);
  }
  core_.close(boot_now(), std::move(unsent));
}

void ClientEngine::turn() {
  std::deque<ClientRequest> fresh;
  {
    std::lock_guard lock(mutex_);
    fresh.swap(submitted_);
    taken_ += fresh.size();
  }
  core_.turn(boot_now(), std::move(fresh));
  std::lock_guard lock(mutex_);
  taken_ = core_.open_requests();
}

void ClientEngine::on_event(ClientPoller::Event& event) {
  switch (event.what) {
    case ClientPoller::What::up:
      return;
    case ClientPoller::What::down:
      return core_.on_down(boot_now(), event.link, event.text);
    case ClientPoller::What::frame:
      return core_.on_frame(boot_now(), event.link, event.text);
  }
}

// -- what the core needs

std::uint64_t ClientEngine::fresh_nonce() { return runtime::random_number() >> 1; }

std::optional<std::map<NodeId, protocol::ClientMember>> ClientEngine::read_members(const Bytes& answer) {
  std::map<NodeId, protocol::ClientMember> members;
  try {
    for (const auto& node : runtime::json_of(answer)) {
      const auto state = node.at("state").get<std::string>();
      members[NodeId::of(node.at("name").get<std::string>(), node.at("incarnation").get<std::uint64_t>())] = {
          node.at("endpoint").get<std::string>(), state != "leaving" && state != "left" && state != "down"};
    }
  } catch (const std::exception&) {
    return {};
  }
  return members;
}

void ClientEngine::finish(const protocol::ClientAnswer& answer, Result<Bytes> result) {
  runtime::OpenAnswers::end_call(callbacks_, answer, std::move(result));
}

void ClientEngine::on_gateway(NodeId gateway, const std::string& failure) {
  {
    std::lock_guard lock(mutex_);
    shown_gateway_ = gateway;
    last_failure_ = failure;
  }
  connected_.notify_all();
}

}  // namespace processhub::assembly
