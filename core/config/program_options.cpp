#include "core/config/program_options.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <set>
#include <sstream>

#include "core/config/values.hpp"

namespace processhub::config {
namespace {

namespace po = boost::program_options;

po::options_description describe(const AllowedKeys& allowed) {
  po::options_description description;
  for (const auto* keys : {&allowed.single, &allowed.repeatable}) {
    for (const auto& key : *keys) description.add_options()(key.c_str(), po::value<std::string>());
  }
  return description;
}

bool stands_for(const std::string& allowed, const std::string& key) {
  return allowed.back() == '*' ? key.starts_with(allowed.substr(0, allowed.size() - 1)) : allowed == key;
}

/// Reports the first setting that is unknown, empty or comes twice. `dashes` is what stands before a key.
class Strictness {
 public:
  Strictness(const AllowedKeys& allowed, std::string_view dashes) : allowed_(allowed), dashes_(dashes) {}

  Result<void> check(const Setting& setting, bool known) {
    if (!known)
      return wrong(setting, "unknown option" + suggestion(std::string(dashes_) + setting.key, names()));
    if (setting.value.empty()) return wrong(setting, "expected a value, not nothing");
    if (!seen_.insert(setting.key).second && !is_repeatable(setting.key)) {
      return wrong(setting, "this option comes twice");
    }
    return {};
  }

 private:
  static Error wrong(const Setting& setting, const std::string& what) {
    return {ErrorCode::invalid, setting.where + ": " + what};
  }
  bool is_repeatable(const std::string& key) const {
    return std::any_of(allowed_.repeatable.begin(), allowed_.repeatable.end(),
                       [&](const auto& allowed) { return stands_for(allowed, key); });
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto* keys : {&allowed_.single, &allowed_.repeatable}) {
      for (const auto& key : *keys) {
        if (key.back() != '*') out.push_back(std::string(dashes_) + key);
      }
    }
    return out;
  }

  const AllowedKeys& allowed_;
  std::string_view dashes_;
  std::set<std::string> seen_{};
};

std::string only_value(const po::option& option) { return option.value.empty() ? "" : option.value.front(); }

}  // namespace

Result<std::vector<Setting>> parse_section(const IniFile& file, const IniSection& section,
                                           const AllowedKeys& allowed) {
  std::stringstream text;
  for (const auto& entry : section.entries) text << entry.key << " = " << entry.value << '\n';
  std::vector<Setting> settings;
  try {
    const auto parsed = po::parse_config_file(text, describe(allowed), true);
    Strictness strictness(allowed, "");
    for (std::size_t i = 0; i < parsed.options.size(); ++i) {
      const auto& option = parsed.options[i];
      Setting setting{option.string_key, only_value(option), file.where(section.entries.at(i))};
      if (auto ok = strictness.check(setting, !option.unregistered); !ok) return ok.error();
      settings.push_back(std::move(setting));
    }
  } catch (const std::exception& e) {
    return {ErrorCode::invalid, file.where(section) + ": " + e.what()};
  }
  return settings;
}

Result<std::vector<Setting>> parse_flags(int argc, const char* const* argv, const AllowedKeys& allowed) {
  namespace style = po::command_line_style;
  std::vector<Setting> settings;
  try {
    const auto description = describe(allowed);
    const auto parsed = po::command_line_parser(argc, argv)
                            .options(description)
                            .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                            .allow_unregistered()
                            .run();
    Strictness strictness(allowed, "--");
    for (const auto& option : parsed.options) {
      if (option.position_key >= 0) {
        return {ErrorCode::invalid,
                "unexpected argument '" + only_value(option) + "': a flag is --name=value or --name value"};
      }
      Setting setting{option.string_key, only_value(option), "--" + option.string_key};
      if (setting.value.starts_with("--")) {
        return {ErrorCode::invalid,
                setting.where + ": expected a value, not the flag '" + setting.value + "'"};
      }
      if (auto ok = strictness.check(setting, !option.unregistered); !ok) return ok.error();
      settings.push_back(std::move(setting));
    }
  } catch (const po::error_with_option_name& e) {
    return {ErrorCode::invalid, e.get_option_name() + ": " + e.what()};
  } catch (const std::exception& e) {
    return {ErrorCode::invalid, e.what()};
  }
  return settings;
}

}  // namespace processhub::config
