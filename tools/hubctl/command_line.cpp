#include "tools/hubctl/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "transport/zmq/tcp_address.hpp"

namespace processhub::hubctl {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kEndpointsVariable = "HUBCTL_CONNECT";
constexpr std::string_view kDefaultEndpoint = "tcp://127.0.0.1:7001";

po::options_description global_options() {
  po::options_description all("Options of every verb");
  auto add = all.add_options();
  add("connect", po::value<std::vector<std::string>>()->value_name("EP[,EP...]"),
      "addresses of nodes, tried in turn; repeatable (default: $HUBCTL_CONNECT, else tcp://127.0.0.1:7001)");
  add("json", "one line of JSON for programs instead of a table");
  add("timeout", po::value<std::string>()->value_name("TIME"),
      "how long to wait for the answer: 250ms, 5s, 2m, or plain seconds (default: 10s)");
  add("key", po::value<std::string>()->value_name("FILE"), "own CURVE key pair, as keygen writes it");
  add("server-key", po::value<std::string>()->value_name("FILE"), "public CURVE key of the nodes");
  add("help", "this text, or that of the verb; also -h");
  add("version", "the version of this program");
  return all;
}

po::options_description verb_options(const VerbRule& verb) {
  po::options_description all("Options of " + verb.name);
  for (const auto& option : verb.options) {
    if (option.value.empty()) {
      all.add_options()(option.name.c_str(), option.help.c_str());
    } else {
      auto* value = po::value<std::string>()->value_name(option.value);
      all.add_options()(option.name.c_str(), value, option.help.c_str());
    }
  }
  return all;
}

std::string general_help(const std::vector<VerbRule>& verbs, const ProgramText& program) {
  std::ostringstream out;
  out << program.name << " [OPTIONS] VERB ...: " << program.summary << "\n\nVerbs (" << program.name
      << " VERB --help):\n";
  std::size_t width = 0;
  for (const auto& verb : verbs) width = std::max(width, verb.name.size() + 1 + verb.words.size());
  for (const auto& verb : verbs) {
    auto left = verb.name + " " + verb.words;
    out << "  " << left << std::string(width + 2 - left.size(), ' ') << verb.summary << "\n";
  }
  out << "\n" << global_options();
  out << "\nExit codes: " << program.exit_codes << "\n";
  return out.str();
}

std::string verb_help(const VerbRule& verb, const ProgramText& program) {
  std::ostringstream out;
  out << program.name << " " << verb.name << (verb.words.empty() ? "" : " ") << verb.words << "\n  "
      << verb.summary << "\n\n";
  if (!verb.options.empty()) out << verb_options(verb) << "\n";
  out << global_options() << "\n";
  for (const auto& example : verb.examples) out << "Example: " << program.name << " " << example << "\n";
  return out.str();
}

/// Too many or too few words, or one of nothing.
Result<void> check_words(const std::vector<std::string>& words, const VerbRule& verb) {
  if (std::find(words.begin(), words.end(), "") != words.end())
    return {ErrorCode::invalid, verb.name + ": an argument is empty"};
  if (words.size() < verb.min_words) return {ErrorCode::invalid, verb.name + " needs: " + verb.words};
  if (words.size() <= verb.max_words) return {};
  const auto surplus = ", and '" + words[verb.max_words] + "' is too much";
  return {ErrorCode::invalid,
          verb.name + (verb.max_words == 0 ? " takes no words" : " takes: " + verb.words) + surplus};
}

/// The verb is the first word that is neither an option nor the value of a global option.
const std::string* find_verb_word(const std::vector<std::string>& arguments) {
  static const std::vector<std::string> takes_value = {"--connect", "--timeout", "--key", "--server-key"};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& a = arguments[i];
    if (a.rfind("--", 0) != 0) return &a;
    if (std::find(takes_value.begin(), takes_value.end(), a) != takes_value.end()) ++i;
  }
  return nullptr;
}

Result<po::variables_map> parse_options(const std::vector<std::string>& arguments, const VerbRule& verb) {
  po::options_description all;
  all.add(verb_options(verb)).add(global_options());
  all.add_options()("words", po::value<std::vector<std::string>>());
  po::positional_options_description words;
  words.add("words", -1);
  namespace style = po::command_line_style;
  try {
    po::variables_map map;
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(words)
                  .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                  .run(),
              map);
    return map;
  } catch (const po::error& e) {
    return {ErrorCode::invalid, verb.name + ": " + e.what()};
  }
}

std::string text_of(const po::variables_map& map, const std::string& name) {
  auto found = map.find(name);
  return found == map.end() ? std::string() : found->second.as<std::string>();
}

std::vector<std::string> split_by_comma(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const auto& list : lists) {
    std::istringstream in(list);
    for (std::string item; std::getline(in, item, ',');) {
      if (!item.empty()) out.push_back(item);
    }
  }
  return out;
}

std::vector<std::string> endpoints_of(const po::variables_map& map) {
  if (map.count("connect") != 0) return split_by_comma(map["connect"].as<std::vector<std::string>>());
  const char* variable = std::getenv(std::string(kEndpointsVariable).c_str());
  return split_by_comma({variable != nullptr ? std::string(variable) : std::string(kDefaultEndpoint)});
}

Result<void> read_globals(const po::variables_map& map, Command& command) {
  command.endpoints = endpoints_of(map);
  if (command.endpoints.empty()) return {ErrorCode::invalid, "--connect needs at least one address"};
  for (const auto& endpoint : command.endpoints) {
    if (auto address = zmq_detail::parse_peer_address(endpoint); !address)
      return {ErrorCode::invalid, "--connect: " + address.error().message};
  }
  command.json = map.count("json") != 0;
  command.key_file = text_of(map, "key");
  command.server_key_file = text_of(map, "server-key");
  if (command.key_file.empty() && !command.server_key_file.empty())
    return {ErrorCode::invalid, "--server-key needs --key, a key pair of your own, beside it"};
  if (map.count("timeout") == 0) return {};
  auto timeout = parse_duration(text_of(map, "timeout"));
  if (!timeout) return {ErrorCode::invalid, "--timeout: " + timeout.error().message};
  command.timeout = *timeout;
  command.timeout_given = true;
  return {};
}

Result<Command> make_command(const po::variables_map& map, const VerbRule& verb) {
  Command command;
  command.verb = verb.name;
  if (map.count("words") != 0) command.words = map["words"].as<std::vector<std::string>>();
  command.words.erase(command.words.begin());  // the verb itself
  if (auto words = check_words(command.words, verb); !words) return words.error();
  for (const auto& option : verb.options) {
    if (map.count(option.name) == 0) continue;
    command.options[option.name] = option.value.empty() ? std::string() : text_of(map, option.name);
  }
  if (auto globals = read_globals(map, command); !globals) return globals.error();
  return command;
}

bool contains(const std::vector<std::string>& arguments, std::string_view what) {
  return std::find(arguments.begin(), arguments.end(), what) != arguments.end();
}

}  // namespace

std::string Command::get(std::string_view option, std::string otherwise) const {
  auto found = options.find(std::string(option));
  return found == options.end() ? otherwise : found->second;
}

Result<Parsed> parse_command_line(std::vector<std::string> arguments, const std::vector<VerbRule>& verbs,
                                  const ProgramText& program) {
  std::replace(arguments.begin(), arguments.end(), std::string("-h"), std::string("--help"));
  const auto* word = find_verb_word(arguments);
  if (word == nullptr) {
    if (contains(arguments, "--help")) return Parsed{{}, general_help(verbs, program)};
    if (contains(arguments, "--version")) return Parsed{{}, program.name + " " PROCESSHUB_VERSION "\n"};
    return {ErrorCode::invalid, "no verb given; " + program.name + " --help lists them"};
  }
  if (*word == "help") return Parsed{{}, general_help(verbs, program)};
  auto verb = std::find_if(verbs.begin(), verbs.end(), [&](const VerbRule& v) { return v.name == *word; });
  if (verb == verbs.end())
    return {ErrorCode::invalid, "no such verb: " + *word + "; " + program.name + " --help lists them"};
  if (contains(arguments, "--help")) return Parsed{{}, verb_help(*verb, program)};

  auto map = parse_options(arguments, *verb);
  if (!map) return map.error();
  auto command = make_command(*map, *verb);
  if (!command) return command.error();
  return Parsed{std::move(*command), {}};
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t kLongest = 24ULL * 60 * 60 * 1000;
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto unit = text.substr(digits.size());
  std::uint64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit.empty() || unit == "s") factor = 1000;
  if (unit == "m" || unit == "min") factor = 60'000;
  if (digits.empty() || factor == 0) {
    return {ErrorCode::invalid, "'" + std::string(text) + "' is no time like 250ms, 5s or 2m"};
  }
  auto number = parse_number(digits, "the time", kLongest / factor);
  if (!number) return number.error();
  return std::chrono::milliseconds(*number * factor);
}

Result<std::uint64_t> parse_number(std::string_view text, std::string_view what, std::uint64_t max) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > max) {
    return {ErrorCode::invalid, std::string(what) + ": '" + std::string(text) + "' is no number from 0 to " +
                                    std::to_string(max)};
  }
  return value;
}

}  // namespace processhub::hubctl
