#include "core/runtime/hub_node.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/hash.hpp"
#include "core/runtime/identity.hpp"
#include "core/runtime/no_network.hpp"

namespace processhub::runtime {

namespace {

using protocol::Event;
namespace event = protocol::event;

/// Boot time in µs, and never the same twice in one program.
std::uint64_t new_incarnation() {
  static std::atomic<std::uint64_t> last{0};
  const auto wall = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto now = static_cast<std::uint64_t>(wall.count());
  auto seen = last.load();
  while (!last.compare_exchange_weak(seen, std::max(seen + 1, now))) {
  }
  return std::max(seen + 1, now);
}

/// The address for publications when none is configured: the same host, a free port.
std::string pub_address(const HubConfig& config) {
  if (!config.pub_listen.empty()) return config.pub_listen;
  if (config.listen.rfind("tcp://", 0) == 0) return config.listen.substr(0, config.listen.rfind(':')) + ":0";
  return config.listen + ".pub";
}

std::vector<std::uint64_t> offered_types(const WorkerTypes& types) {
  std::vector<std::uint64_t> out;
  for (const auto& name : types.names()) out.push_back(hash64(name));
  std::sort(out.begin(), out.end());
  return out;
}

/// What the present thread calls next carries this: the present trace, told by a new caller.
TracePtr trace_of_call() {
  const auto& present = present_trace();
  return present ? std::make_shared<const Trace>(present.next()) : nullptr;
}

/// Bodies of messages that wait for the loop.
constexpr std::size_t kQueueBytes = 128U << 20;

Error overloaded() { return {ErrorCode::overloaded, "the hub's command queue is full"}; }

}  // namespace

Result<HubNode::Network> HubNode::open_network(const HubConfig& config, const HubParts& parts) {
  if (config.listen.empty()) return Network{std::make_unique<NoNetwork>(), {}};
  auto transport = parts.make_transport(config);
  if (!transport) return transport.error();
  auto bound = (*transport)->bind(config.listen, pub_address(config));
  if (!bound) return bound.error();
  if (!config.advertise.empty()) bound->router = config.advertise;
  if (!config.pub_advertise.empty()) bound->publisher = config.pub_advertise;
  return Network{std::move(*transport), std::move(*bound)};
}

Result<std::unique_ptr<HubNode>> HubNode::make(HubConfig config, const Shared& shared) {
  auto strategies = shared.parts.make_strategies(config);
  if (!strategies) return strategies.error();
  auto network = open_network(config, shared.parts);
  if (!network) return network.error();
  const auto id = NodeId::of(config.name, new_incarnation());
  return std::make_unique<HubNode>(std::move(config), id, shared, std::move(*network),
                                   std::move(*strategies));
}

HubNode::HubNode(HubConfig config, NodeId id, const Shared& shared, Network network, StrategySet strategies)
    : config_(std::move(config)),
      id_(id),
      shared_(shared),
      endpoint_(network.told.router),
      publisher_(network.told.publisher),
      commands_(config_.command_queue, kQueueBytes),
      watch_(registry_, [this](std::uint64_t serial, MonitorId monitor,
                               ChildNews news) { host_.child_news(serial, monitor, std::move(news)); }),
      loop_(world(std::move(network), std::move(strategies))),
      host_(config_, id_, shared_.types, *this, &tap_) {
  std::string seeds;
  for (const auto& seed : config_.seeds) seeds += " " + seed;
  shared_.log.info(LogPart::hub,
                   "node " + id_.str() + " of hub '" + config_.hub_id + "'" +
                       (endpoint_.empty() ? " without a network"
                                          : " listens on " + endpoint_ + ", publishes on " + publisher_ +
                                                "; seeds:" + (seeds.empty() ? " none" : seeds)));
}

HubLoop::World HubNode::world(Network network, StrategySet strategies) {
  protocol::Identity identity{id_, network.told.router, network.told.publisher, random_number(),
                              offered_types(*shared_.types)};
  return {config_,
          std::make_unique<protocol::HubCore>(std::move(identity), config_, std::move(strategies)),
          std::move(network.transport),
          commands_,
          traffic_,
          host_,
          registry_,
          watch_,
          cluster_,
          calls_,
          shared_.callbacks,
          shared_.hooks,
          shared_.log,
          tap_,
          [this](protocol::effect::AdminQuery query) {
            shared_.callbacks.post([this, query = std::move(query)] { shared_.admin(*this, query); });
          },
          [this] { return new_token(); },
          shared_.on_end};
}

HubNode::~HubNode() { stop(StopWorkers::at_once); }

void HubNode::start() { loop_.start(); }

void HubNode::stop(StopWorkers how) {
  loop_.stop(how);
  loop_.join();
}

HubStats HubNode::stats() const {
  auto stats = cluster_.stats();
  const auto workers = host_.counters();
  stats.dead_letters += dead_letters_.load() + workers.dead_letters;
  stats.worker_crashes = std::max(stats.worker_crashes, workers.crashes);
  return stats;
}

Result<void> HubNode::push(Command& command, bool always, std::size_t bytes) {
  const auto lane = command.lane;
  const bool alone = traffic_.enter(lane);
  if (lane < LoopTraffic::kLanes) command.place = alone ? Place::alone : Place::line;
  const auto place = command.place;
  const auto pushed = always ? commands_.push_always(std::move(command), place)
                             : commands_.push(std::move(command), place, bytes);
  if (pushed == Pushed::wake) loop_.wake();
  if (pushed == Pushed::ok || pushed == Pushed::wake) return {};
  traffic_.leave(lane);
  if (pushed == Pushed::full) return overloaded();
  const auto why = cluster_.why_ended();
  return {ErrorCode::stopped, why.empty() ? "the hub stopped" : "the hub ended: " + why};
}

void HubNode::ask(protocol::Token token, Event event, Answer answer) {
  Command command{std::move(event), token, std::move(answer), LoopTraffic::kNone};
  if (auto pushed = push(command, false); !pushed) {
    OpenAnswers::end(shared_.callbacks, std::move(command.answer), pushed.error());
  }
}

Result<void> HubNode::tell(Event event) {
  const auto* publication = std::get_if<event::PublishTopic>(&event);
  const auto bytes = publication != nullptr ? publication->body.size() : 0;
  Command command{std::move(event), 0, {}, LoopTraffic::kNone};
  return push(command, false, bytes);
}

std::uint64_t HubNode::direct_target(std::string_view id, std::uint64_t hash, LoopTraffic::Lane lane) const {
  // In this order: where the lane is closed for a child that comes here, it is before the registry shows it.
  const auto active = registry_.active_of(id, hash);
  return active && active->node == id_ && traffic_.quiet(lane) ? active->serial : 0;
}

void HubNode::note_queued(std::string_view kind, std::string_view id, std::string_view message,
                          std::string_view body, const TracePtr& trace) {
  if (tap_.open()) tap_.note({protocol::Hop::queued, kind, {}, id, message, {}, 0, body, trace.get()});
  if (trace && shared_.log.enabled(LogPart::workers, LogLevel::debug))
    shared_.log.debug(LogPart::workers, std::string(kind) + " " + std::string(message) + " to '" +
                                            std::string(id) + "', trace " + trace->str());
}

Result<void> HubNode::cast(std::string_view id, std::string_view message, Bytes body) {
  auto trace = trace_of_call();
  note_queued("cast", id, message, body, trace);
  const auto hash = RegistryView::hash_of(id);
  const auto lane = LoopTraffic::lane_of(hash);
  if (const auto serial = direct_target(id, hash, lane)) {
    protocol::PostedMessage posted{std::string(message), std::move(body), false, {}, {}, {}, trace};
    if (host_.deliver(serial, std::move(posted))) return {};
    body = std::move(posted.body);  // NOLINT(bugprone-use-after-move): what is not taken stays
  }
  const auto bytes = body.size();
  Command command{event::CastChild{std::string(id), std::string(message), std::move(body), std::move(trace)},
                  0,
                  {},
                  lane};
  return push(command, false, bytes);
}

Result<void> HubNode::broadcast(std::string_view tag, std::string_view message, Bytes body) {
  const auto bytes = body.size();
  Command command{event::Broadcast{std::string(tag), std::string(message), std::move(body)},
                  0,
                  {},
                  LoopTraffic::kEveryLane};
  return push(command, false, bytes);
}

CallEnd HubNode::ended_by(CallAnswer answer) const {
  return [callbacks = &shared_.callbacks, answer = std::move(answer)](Result<Bytes> result) {
    OpenAnswers::end_call(*callbacks, answer, std::move(result));
  };
}

void HubNode::call(CallRequest request, CallAnswer answer) {
  auto trace = trace_of_call();
  note_queued("call", request.id, request.message, request.body, trace);
  const auto hash = RegistryView::hash_of(request.id);
  const auto lane = LoopTraffic::lane_of(hash);
  // What may have to be sent again goes through the loop.
  if (const auto serial = request.retry ? 0 : direct_target(request.id, hash, lane)) {
    const auto open = calls_.open(request.id, boot_now(), request.timeout, ended_by(std::move(answer)));
    protocol::PostedMessage posted{
        std::string(request.message), std::move(request.body), request.named_reply, {}, open, {}, trace};
    if (host_.deliver(serial, std::move(posted))) return loop_.due_at(open->deadline());
    // It has just stopped or moved: the same call goes on through the loop.
    request.body = std::move(posted.body);  // NOLINT(bugprone-use-after-move): what is not taken stays
    answer = std::make_shared<CallTo>([open](Result<Bytes> result) { open->finish(std::move(result)); });
  }
  const auto token = new_token();
  const auto bytes = request.body.size();
  Command command{
      event::CallChild{token, std::string(request.id), std::string(request.message), std::move(request.body),
                       request.timeout, request.named_reply, std::move(trace), request.retry},
      token, std::move(answer), lane};
  if (auto pushed = push(command, false, bytes); !pushed) {
    OpenAnswers::end(shared_.callbacks, std::move(command.answer), pushed.error());
  }
}

void HubNode::push_worker_event(Event event) {
  Command command{std::move(event), 0, {}, LoopTraffic::kNone};
  // What is left of a worker that ends must not be passed by what comes for it later. All else that workers
  // say holds whatever the program asks for meanwhile, and does not wait behind a flood.
  const bool ends = std::holds_alternative<event::WorkerDown>(command.event) ||
                    std::holds_alternative<event::WorkerFrozen>(command.event);
  if (!ends) command.place = Place::express;
  // Refused only when the loop has ended, and then nobody asks any more.
  [[maybe_unused]] const auto pushed = push(command, true);
}

void HubNode::on_worker_up(std::uint64_t serial) { push_worker_event(event::WorkerUp{serial}); }

void HubNode::on_role_taken(std::uint64_t serial, Role role) {
  push_worker_event(event::RoleTaken{serial, role});
}

void HubNode::on_worker_frozen(event::WorkerFrozen frozen) { push_worker_event(std::move(frozen)); }

void HubNode::on_worker_prepared(std::uint64_t serial) { push_worker_event(event::WorkerPrepared{serial}); }

void HubNode::on_worker_down(event::WorkerDown down) { push_worker_event(std::move(down)); }

void HubNode::on_answer(protocol::ReplyRef to, Result<Bytes> answer) {
  if (!loop_.take_answer(to, answer)) push_worker_event(event::WorkerAnswer{to, std::move(answer)});
}

void HubNode::cast_from_worker(std::string_view to, std::string_view message, Bytes body) {
  const auto sent = cast(to, message, std::move(body));
  if (sent) return;
  ++dead_letters_;
  shared_.hooks.emit(hook::DeadLetter{std::string(to), std::string(message), sent.error().message});
}

void HubNode::topic_from_worker(Event event) {
  if (!std::holds_alternative<event::PublishTopic>(event)) return push_worker_event(std::move(event));
  auto topic = std::get<event::PublishTopic>(event).topic;
  const auto sent = tell(std::move(event));
  if (sent) return;
  ++dead_letters_;
  shared_.hooks.emit(hook::DeadLetter{std::move(topic), {}, sent.error().message});
}

void HubNode::call_from_worker(std::string_view to, std::string_view message, Bytes body,
                               const CallOptions& options, std::function<void(Result<Bytes>)> done) {
  call({to, message, std::move(body), options.timeout, false, options.retry},
       std::make_shared<CallTo>(std::move(done)));
}

void HubNode::on_dead_letter(std::string_view child, std::string_view message, std::string_view why) {
  shared_.hooks.dead_letter(child, message, why);
}

void HubNode::on_report(protocol::LogLevel level, std::string text) {
  shared_.log.log(LogPart::workers, level, text);
}

}  // namespace processhub::runtime
