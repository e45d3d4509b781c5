// hubctl: asks a cluster, or tells it what to run. Exit codes are part of its contract; see ExitCode.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

#include <processhub/client.hpp>

#include "tools/hubctl/admin_client.hpp"
#include "tools/hubctl/keygen.hpp"
#include "tools/hubctl/tables.hpp"
#include "tools/hubctl/verbs.hpp"

namespace {

using namespace processhub;
using namespace processhub::hubctl;

enum ExitCode : int {
  kDone = 0,
  kSaidNo = 1,  ///< the cluster answered, and the answer is no
  kUsage = 2,   ///< nothing was sent
  kNobody = 3,  ///< no address answered, or the connection broke
};

// The node gives up a start, stop or call at the timeout and says so; its answer needs a moment to get here.
constexpr std::chrono::milliseconds kAnswerTravels{2'000};

void complain(const std::string& code, const std::string& text) {
  std::cerr << "hubctl: " << code << (code.empty() ? "" : ": ") << text << std::endl;
}

/// Errors have one shape, whether the cluster made them or we did.
int fail(const Error& error, ExitCode exit, bool json) {
  const std::string code(to_string(error.code));
  if (json) std::cout << to_line({{"code", code}, {"error", error.message}}) << std::endl;
  complain(exit == kUsage ? "" : code, error.message);
  return exit;
}

SecurityConfig security_of(const Command& command) {
  SecurityConfig security;
  security.secret_key_file = command.key_file;
  security.server_key_file = command.server_key_file;
  return security;
}

Result<ClientOptions> keys_of(const Command& command) {
  auto options = client_options(security_of(command));
  if (options) options->max_frame_size = 1ULL << 30;
  return options;
}

std::string text_field(const Json& object, const char* name) {
  auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// One line for each child that failed, or for the whole request.
void complain_of(const Json& answer, bool json) {
  std::ostringstream lines;
  if (!json) print_failures(lines, answer);
  std::istringstream in(lines.str());
  std::string line;
  bool any = false;
  for (; std::getline(in, line); any = true) complain("", line);
  if (!any) complain(text_field(answer, "code"), text_field(answer, "error"));
}

int show(const Json& answer, bool said_no, const Command& command, const Verb& verb) {
  std::ostringstream text;
  if (command.json) {
    text << to_line(answer) << "\n";
  } else if (!said_no || answer.contains("children")) {  // a start that was done in part has both
    verb.print(text, answer, command);
  }
  std::cout << text.str() << std::flush;
  if (!std::cout) return fail({ErrorCode::system, "cannot write the answer"}, kSaidNo, false);
  if (said_no) complain_of(answer, command.json);
  return said_no ? kSaidNo : kDone;
}

int run_in_cluster(const Command& command, const Verb& verb) {
  auto request = verb.request(command);
  if (!request) return fail(request.error(), kUsage, command.json);
  auto keys = keys_of(command);
  if (!keys) return fail(keys.error(), kUsage, command.json);
  auto client = AdminClient::connect(command.endpoints, command.timeout, *keys);
  if (!client) return fail(client.error(), kNobody, command.json);

  auto reply = client->request(request->verb, to_msgpack(request->args), command.timeout + kAnswerTravels);
  client->close();
  if (!reply) return fail(reply.error(), kNobody, command.json);
  auto answer = from_msgpack(reply->body);
  if (!answer) return fail(answer.error(), kNobody, command.json);
  const bool said_no = reply->code != 0;
  if (verb.narrow != nullptr && !said_no) *answer = verb.narrow(std::move(*answer), command);
  return show(*answer, said_no, command, verb);
}

/// A message to a child is no question to the node that is asked: a Client finds the child, and goes to
/// another node if that one dies.
int run_call(const Command& command, const Verb& verb) {
  const auto request = verb.request(command);
  if (!request) return fail(request.error(), kUsage, command.json);
  auto client = Client::connect({command.endpoints, security_of(command), command.timeout});
  if (!client)
    return fail(client.error(), client.error().code == ErrorCode::invalid ? kUsage : kNobody, command.json);
  const auto& args = request->args;
  const auto answer = client
                          ->call_raw(args.at("id").get<std::string>(), args.at("message").get<std::string>(),
                                     to_msgpack(args.at("body")), command.timeout, true)
                          .get();
  if (!answer) {
    const Json no{{"code", to_string(answer.error().code)}, {"error", answer.error().message}};
    return show(no, true, command, verb);
  }
  const auto value = from_msgpack(*answer);
  return value ? show(*value, false, command, verb) : fail(value.error(), kSaidNo, command.json);
}

/// A line that is written over while a person watches; nothing otherwise.
void show_progress(double done, const std::string& text) {
  constexpr int kWidth = 24;
  if (::isatty(STDERR_FILENO) == 0) return;
  const int full = static_cast<int>(done * kWidth);
  std::cerr << "\r\033[K[" << std::string(static_cast<std::size_t>(full), '#')
            << std::string(static_cast<std::size_t>(kWidth - full), '.') << "] " << text << std::flush;
}

/// A verb of several steps.
int run_steps(const Command& command, const Verb& verb) {
  auto keys = keys_of(command);
  if (!keys) return fail(keys.error(), kUsage, command.json);
  LookOptions options;
  options.endpoints = command.endpoints;
  options.client = *keys;
  auto done = verb.run(command, options, show_progress);
  if (::isatty(STDERR_FILENO) != 0) std::cerr << "\r\033[K" << std::flush;
  if (!done) {
    const auto code = done.error().code;
    const bool nobody = code == ErrorCode::node_down;
    return fail(done.error(), code == ErrorCode::invalid ? kUsage : nobody ? kNobody : kSaidNo, command.json);
  }
  return show(*done, done->contains("code"), command, verb);
}

/// False: the user thought better of it, or nobody can be asked.
bool confirmed(const Command& command, const Verb& verb) {
  if (verb.asks == nullptr || command.has("yes")) return true;
  if (::isatty(STDIN_FILENO) == 0) {
    complain("", verb.rule.name + " needs --yes where nobody can be asked");
    return false;
  }
  std::cerr << verb.asks << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

int run_here(const Command& command) {
  auto done = run_keygen(command);
  if (!done)
    return fail(done.error(), done.error().code == ErrorCode::invalid ? kUsage : kSaidNo, command.json);
  std::ostringstream text;
  print_fields(text, *done);
  std::cout << (command.json ? to_line(*done) + "\n" : text.str()) << std::flush;
  return kDone;
}

int run(const std::vector<std::string>& arguments) {
  auto parsed = parse_command_line(arguments, verb_rules());
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  if (!parsed) return fail(parsed.error(), kUsage, json);
  if (!parsed->command) {
    std::cout << parsed->text << std::flush;
    return kDone;
  }
  const auto& verb = verb_named(parsed->command->verb);
  if (!confirmed(*parsed->command, verb)) return kUsage;
  if (verb.run != nullptr) return run_steps(*parsed->command, verb);
  if (verb.rule.name == "call") return run_call(*parsed->command, verb);
  return verb.request == nullptr ? run_here(*parsed->command) : run_in_cluster(*parsed->command, verb);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hubctl: %s\n", e.what());
    return kUsage;
  }
}
