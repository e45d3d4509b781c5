#include "core/runtime/admin.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/runtime/admin_json.hpp"
#include "core/runtime/admin_tools.hpp"
#include "core/runtime/clock.hpp"

namespace processhub::runtime {

namespace {

using Select = protocol::event::Select;

/// One request on its way: its hub, its arguments, its answer.
struct Request {
  AdminHub& hub;
  AdminArgs args;
  const protocol::Report& report;
  const std::vector<ConnectionInfo>& connections;
  std::string_view subject;  ///< behind a verb's slash
  std::function<void(AdminReply)> answer;

  void ok(const Json& json) const { answer({0, bytes_of(json)}); }
  void fail(const Error& error) const {
    answer({static_cast<std::uint8_t>(error.code), bytes_of(to_json(error))});
  }
  std::chrono::milliseconds timeout(std::chrono::milliseconds fallback) {
    return args.time("timeout_ms").value_or(fallback);
  }
};

Json all_of(const std::vector<ChildInfo>& children) {
  Json out = Json::array();
  for (const auto& child : children) out.push_back(to_json(child));
  return out;
}

void nodes(Request& r) {
  const bool all = r.args.flag_or("all", false);
  r.args.done();
  Json out = Json::array();
  for (const auto& node : r.hub.nodes(true, all)) out.push_back(to_json(node));
  r.ok(out);
}

void list(Request& r) {
  const bool local = r.args.flag_or("local", false);
  const auto contains = r.args.text_or("contains", {});
  const auto limit = r.args.count("limit").value_or(0);
  r.args.done();
  auto children = r.hub.list(local ? Scope::local : Scope::global);
  if (!contains.empty())
    std::erase_if(children,
                  [&](const ChildInfo& c) { return c.spec.id.find(contains) == std::string::npos; });
  if (limit > 0 && children.size() > limit) children.resize(limit);
  r.ok(all_of(children));
}

void tag(Request& r) {
  const auto tag = r.args.text("tag");
  r.args.done();
  r.ok(all_of(r.hub.by_tag(tag)));
}

Error no_such_child(const std::string& id) {
  return {ErrorCode::no_such_child, "there is no child '" + id + "'"};
}

void lookup(Request& r) {
  const auto id = r.args.text("id");
  r.args.done();
  const auto child = r.hub.lookup(id);
  if (!child) return r.fail(no_such_child(id));
  r.ok(to_json_with_spec(*child));
}

void dump(Request& r) {
  r.args.done();
  r.ok(r.hub.dump());
}

/// An incarnation is the time at which its node started, in microseconds.
std::chrono::milliseconds uptime_of(NodeId node) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto up = now - std::chrono::microseconds(node.incarnation());
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(up), std::chrono::milliseconds(0));
}

void status(Request& r) {
  r.args.done();
  const auto status = r.hub.status();
  auto out = to_json(status);
  out["version"] = PROCESSHUB_VERSION;
  out["uptime_ms"] = uptime_of(status.node).count();
  out["time_us"] = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  out["members"] = r.hub.nodes(true, false).size();
  r.ok(out);
}

void digest(Request& r) {
  r.args.done();
  r.ok({{"digest", hex16(r.hub.status().digest)}});
}

void moves(Request& r) {
  r.args.done();
  r.ok(to_json(r.report.moves));
}

void inspect(Request& r) {
  r.args.done();
  auto out = to_json(r.report);
  out["sockets"] = to_json(r.connections);
  r.ok(out);
}

void explain(Request& r) {
  r.args.done();
  const std::string id(r.subject);
  const auto child = r.hub.lookup(id);
  if (!child || !r.report.child.known) return r.fail(no_such_child(id));
  auto out = to_json_with_spec(*child);
  out.update(to_json(r.report.child));
  r.ok(out);
}

void metrics(Request& r) {
  r.args.done();
  r.ok(to_json(r.hub.metrics()));
}

void events(Request& r) {
  const auto after = r.args.take("after").value_or(Json(std::uint64_t{0}));
  const auto limit = r.args.count("limit").value_or(500);
  r.args.done();
  if (!after.is_number_unsigned()) r.args.refuse("after", "must be a number");
  r.ok(to_json(r.hub.journal().read(after.get<std::uint64_t>(), limit)));
}

void tap(Request& r) {
  const auto watcher = r.args.take("watcher").value_or(Json());
  const auto most = r.args.count("most").value_or(400);
  TapFilter filter;
  filter.child = r.args.text_or("child", {});
  filter.kind = r.args.text_or("kind", {});
  filter.topic = r.args.text_or("topic", {});
  r.args.done();
  if (!watcher.is_number_unsigned()) r.args.refuse("watcher", "must be a number");
  const auto read = r.hub.tap().read(watcher.get<std::uint64_t>(), filter, most, boot_now());
  if (!read) return r.fail(read.error());
  r.ok(to_json(*read));
}

/// The answer of a start or stop: its map in any case, and a code if a child failed.
template <class Outcome>
std::function<void(const Result<Outcome>&)> answer_with(const Request& r) {
  return [answer = r.answer](const Result<Outcome>& result) {
    if (!result) {
      return answer({static_cast<std::uint8_t>(result.error().code), bytes_of(to_json(result.error()))});
    }
    const auto code = *result ? 0 : static_cast<std::uint8_t>(first_cause(result->errors()).code);
    answer({static_cast<std::uint8_t>(code), bytes_of(to_json(*result))});
  };
}

void start(Request& r) {
  const auto specs = r.args.take("specs");
  if (!specs || !specs->is_array() || specs->empty())
    r.args.refuse("specs", "must be a list of at least one spec");
  StartOptions options;
  options.timeout = r.timeout(options.timeout);
  options.check_existing = r.args.flag_or("check_existing", options.check_existing);
  if (r.args.flag_or("rollback", false)) options.on_failure = OnFailure::rollback;
  r.args.done();
  std::vector<ChildSpec> children;
  children.reserve(specs->size());
  for (const auto& spec : *specs) children.push_back(spec_of(spec, children.size()));
  r.hub.start_children(std::move(children), options).then(answer_with<StartResult>(r));
}

void stop(Request& r) {
  std::map<Select, std::vector<std::string>> wanted;
  if (auto ids = r.args.texts("ids")) wanted[Select::ids] = std::move(*ids);
  if (auto prefix = r.args.text_or("prefix", {}); !prefix.empty())
    wanted[Select::prefix] = {std::move(prefix)};
  if (auto tag = r.args.text_or("tag", {}); !tag.empty()) wanted[Select::tag] = {std::move(tag)};
  if (wanted.size() != 1) throw BadRequest("stop: give exactly one of 'ids', 'prefix', 'tag'");
  StopOptions options;
  options.timeout = r.timeout(options.timeout);
  r.args.done();
  auto& [select, values] = *wanted.begin();
  r.hub.stop_children(select, std::move(values), options).then(answer_with<StopResult>(r));
}

struct AdminMessage {
  std::string id;
  std::string name;
  Bytes body;
};

AdminMessage message_of(AdminArgs& args) {
  return {args.text("id"), args.text("message"), bytes_of(args.take("body").value_or(Json()))};
}

void call(Request& r) {
  auto message = message_of(r.args);
  const auto timeout = r.timeout(std::chrono::seconds(5));
  r.args.done();
  r.hub.call_raw(message.id, message.name, std::move(message.body), timeout, true)
      .then([answer = r.answer](const Result<Bytes>& reply) {
        if (reply) return answer({0, *reply});
        answer({static_cast<std::uint8_t>(reply.error().code), bytes_of(to_json(reply.error()))});
      });
}

/// Answers nil, or the error, when a request without a value is done.
std::function<void(const Result<void>&)> answer_nil(const Request& r) {
  return [answer = r.answer](const Result<void>& done) {
    if (done) return answer({0, bytes_of(Json())});
    answer({static_cast<std::uint8_t>(done.error().code), bytes_of(to_json(done.error()))});
  };
}

void cast(Request& r) {
  auto message = message_of(r.args);
  r.args.done();
  // Nobody would hear that the message found nobody; here somebody is still listening.
  if (!r.hub.lookup(message.id) && r.hub.status().joined) return r.fail(no_such_child(message.id));
  answer_nil(r)(r.hub.cast_raw(message.id, message.name, std::move(message.body)));
}

void metadata(Request& r) {
  const auto id = r.args.text("id");
  const auto set = r.args.string_map("set");
  r.args.done();
  const auto child = r.hub.lookup(id);
  if (!child) return r.fail(no_such_child(id));
  if (!set) return r.ok(child->spec.metadata);
  r.hub.update_metadata(id, *set).then([answer = r.answer, set = *set](const Result<void>& done) {
    if (done) return answer({0, bytes_of(set)});
    answer({static_cast<std::uint8_t>(done.error().code), bytes_of(to_json(done.error()))});
  });
}

void migrate(Request& r) {
  auto id = r.args.text("id");
  auto node = r.args.text("node");
  const auto timeout = r.timeout(std::chrono::seconds(10));
  r.args.done();
  r.hub.migrate(std::move(id), std::move(node), timeout).then(answer_nil(r));
}

void reset_cluster_size(Request& r) {
  r.args.done();
  r.hub.reset_cluster_size().then(answer_nil(r));
}

template <protocol::event::Operation kWhat>
void operate(Request& r) {
  r.args.done();
  r.hub.operate(kWhat).then(answer_nil(r));
}

void lock(Request& r) {
  auto reason = r.args.text_or("reason", "an operator");
  const auto level = r.args.count("level").value_or(10);
  r.args.done();
  if (level > static_cast<std::uint32_t>(kMaxPriority)) r.args.refuse("level", "is too high");
  r.hub.lock(std::move(reason), static_cast<int>(level))
      .then([answer = r.answer](const Result<std::uint64_t>& token) {
        if (token) return answer({0, bytes_of(Json{{"token", *token}})});
        answer({static_cast<std::uint8_t>(token.error().code), bytes_of(to_json(token.error()))});
      });
}

void unlock(Request& r) {
  const auto token = r.args.take("token");
  r.args.done();
  if (!token || !token->is_number_unsigned()) r.args.refuse("token", "must be the number that lock answered");
  r.hub.unlock(token->get<std::uint64_t>()).then(answer_nil(r));
}

/// The children of one restart request, until all have been heard of.
class Restarts {
 public:
  Restarts(std::vector<std::string> ids, std::function<void(AdminReply)> answer)
      : open_(ids.size()), results_(ids.size(), Json::object()), answer_(std::move(answer)) {
    for (std::size_t i = 0; i < ids.size(); ++i) results_[i] = {{"id", ids[i]}, {"restarted", false}};
  }
  void done(std::size_t index, const Result<void>& how) {
    std::lock_guard lock(mutex_);
    results_[index]["restarted"] = how.ok();
    if (!how) results_[index].update(to_json(how.error()));
    if (!how && !first_error_) first_error_ = how.error();
    if (--open_ > 0) return;
    Json out{{"children", results_}};
    if (first_error_) out.update(to_json(*first_error_));
    answer_({static_cast<std::uint8_t>(first_error_ ? first_error_->code : ErrorCode{}), bytes_of(out)});
  }

 private:
  std::mutex mutex_{};
  std::size_t open_;
  std::vector<Json> results_;
  std::optional<Error> first_error_{};
  std::function<void(AdminReply)> answer_;
};

void restart(Request& r) {
  const auto ids = r.args.texts("ids").value_or(std::vector<std::string>{});
  r.args.done();
  if (ids.empty()) r.args.refuse("ids", "must be a list of at least one id");
  const auto all = std::make_shared<Restarts>(ids, r.answer);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!r.hub.lookup(ids[i])) {
      all->done(i, no_such_child(ids[i]));
      continue;
    }
    r.hub.restart_child(ids[i]).then([all, i](const Result<void>& done) { all->done(i, done); });
  }
}

struct Verb {
  std::string_view name;
  void (*run)(Request&);
};

constexpr Verb kVerbs[] = {{"nodes", nodes},
                           {"list", list},
                           {"tag", tag},
                           {"lookup", lookup},
                           {"dump", dump},
                           {"status", status},
                           {"digest", digest},
                           {"start", start},
                           {"stop", stop},
                           {"call", call},
                           {"cast", cast},
                           {"metadata", metadata},
                           {"restart", restart},
                           {"migrate", migrate},
                           {"reset-cluster-size", reset_cluster_size},
                           {"moves", moves},
                           {"inspect", inspect},
                           {"explain", explain},
                           {"metrics", metrics},
                           {"events", events},
                           {"tap", tap},
                           {"lock", lock},
                           {"unlock", unlock},
                           {"freeze", operate<protocol::event::Operation::freeze>},
                           {"unfreeze", operate<protocol::event::Operation::unfreeze>},
                           {"drain", operate<protocol::event::Operation::drain>},
                           {"undrain", operate<protocol::event::Operation::undrain>}};

const Verb& verb_of(std::string_view name) {
  std::string known;
  for (const auto& verb : kVerbs) {
    if (verb.name == name) return verb;
    known += (known.empty() ? "" : ", ") + std::string(verb.name);
  }
  throw BadRequest("there is no verb '" + std::string(name) + "'; there are " + known);
}

}  // namespace

AdminReply too_long_answer() {
  const Error error{ErrorCode::overloaded, "the answer is too long: ask for less, or for one node's own"};
  return {static_cast<std::uint8_t>(error.code), bytes_of(to_json(error))};
}

void handle_admin(AdminHub& hub, const protocol::effect::AdminQuery& query,
                  std::function<void(AdminReply)> answer) {
  const auto refuse = [&](const std::string& why) {
    const Error error{ErrorCode::invalid, why};
    answer({static_cast<std::uint8_t>(error.code), bytes_of(to_json(error))});
  };
  try {
    static const protocol::Report kNone{};
    const std::string_view verb = query.verb;
    const auto slash = std::min(verb.find('/'), verb.size());
    const auto& known = verb_of(verb.substr(0, slash));
    const auto subject = verb.substr(std::min(slash + 1, verb.size()));
    Request request{hub,
                    AdminArgs(query.verb, query.args.empty() ? Json() : json_of(query.args)),
                    query.report ? *query.report : kNone,
                    query.connections,
                    subject,
                    answer};
    known.run(request);
  } catch (const std::exception& e) {  // BadRequest, or strings in the registry that are no JSON
    refuse(e.what());
  }
}

}  // namespace processhub::runtime
