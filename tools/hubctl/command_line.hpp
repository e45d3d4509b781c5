// The grammar of the command line: hubctl [GLOBAL OPTIONS] VERB [WORDS AND OPTIONS]. Global options may stand
// anywhere. Boost.Program_options stays behind this header.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <processhub/result.hpp>

namespace processhub::hubctl {

/// One option of a verb. Without a value name it is a switch.
struct OptionRule {
  std::string name{};
  std::string value{};  ///< as shown in the help, e.g. "TAG"
  std::string help{};
};

/// What a verb takes.
struct VerbRule {
  std::string name{};
  std::string words{};  ///< as shown in the help, e.g. "ID MESSAGE [JSON]"
  std::string summary{};
  std::size_t min_words = 0;
  std::size_t max_words = 0;
  std::vector<OptionRule> options{};
  std::vector<std::string> examples{};  ///< what may stand behind "hubctl "
};

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

/// A command line that fits its verb.
struct Command {
  std::string verb{};
  std::vector<std::string> words{};
  std::map<std::string, std::string> options{};  ///< of the verb; switches have an empty value

  std::vector<std::string> endpoints{};
  std::chrono::milliseconds timeout{10'000};
  bool timeout_given = false;
  bool json = false;
  std::string key_file{};
  std::string server_key_file{};

  bool has(std::string_view option) const { return options.count(std::string(option)) != 0; }
  std::string get(std::string_view option, std::string otherwise = {}) const;
};

/// How a program that reads such command lines is called, and what its help says.
struct ProgramText {
  std::string name = "hubctl";
  std::string summary = "asks a ProcessHub cluster, or tells it what to run.";
  std::string exit_codes = "0 done, 1 the cluster said no, 2 wrong usage, 3 nobody answered.";
};

/// What the user asked for: a command to run, or a text to print (--help, --version).
struct Parsed {
  std::optional<Command> command{};
  std::string text{};
};

/// Errors are usage errors (ErrorCode::invalid), worded for the user.
Result<Parsed> parse_command_line(std::vector<std::string> arguments, const std::vector<VerbRule>& verbs,
                                  const ProgramText& program = {});

/// "250ms", "5s", "2m", or a plain number of seconds, as with other tools.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A whole number from 0 to `max`; `what` names it in the error.
Result<std::uint64_t> parse_number(std::string_view text, std::string_view what, std::uint64_t max);

}  // namespace processhub::hubctl
