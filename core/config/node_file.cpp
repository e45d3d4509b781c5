// Sections of a file become the draft of a node. The forms are in docs and API: top level, [hub], [hub.ID],
// [hub.ID.KIND], [hub.ID.child.CHILD], [hub.ID.children.PREFIX], [hub.ID.hook.HOOK], and without "hub.ID." in
// a file with one hub.
#include <algorithm>
#include <utility>

#include "core/config/child_options.hpp"
#include "core/config/draft.hpp"
#include "core/config/hook_options.hpp"
#include "core/config/ini_file.hpp"
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"

namespace processhub::config {
namespace {

enum class Part : std::uint8_t { top, hub_id, hub, strategy, child, children, hook };

/// What a section's name means.
struct Place {
  Part part = Part::top;
  std::string hub{};   ///< empty: the only hub
  std::string name{};  ///< kind of strategy, id of a child or hook, or prefix
};

/// "hub.orders" -> {"hub", "orders"}; without a dot the second is empty.
std::pair<std::string, std::string> split_at_dot(const std::string& text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos) return {text, ""};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

Error unknown_section(const std::string& where) {
  return {ErrorCode::invalid,
          where +
              ": unknown section; expected hub, hub.ID, or child.ID, children.PREFIX, hook.ID, distribution, "
              "redundancy, migration, synchronization, partition_tolerance, each also behind hub.ID."};
}

/// A place inside one hub.
Result<Place> inner_place(const std::string& where, const std::string& hub, const std::string& name) {
  if (find_strategy_kind(name)) return Place{Part::strategy, hub, name};
  const auto [kind, rest] = split_at_dot(name);
  if (kind == "child" || kind == "children") {
    if (rest.empty()) return {ErrorCode::invalid, where + ": expected an id after '" + kind + ".'"};
    return Place{kind == "child" ? Part::child : Part::children, hub, rest};
  }
  if (kind == "hook") {
    if (rest.empty()) return {ErrorCode::invalid, where + ": expected an id after 'hook.'"};
    return Place{Part::hook, hub, rest};
  }
  return unknown_section(where);
}

Result<Place> place_of(const IniFile& file, const IniSection& section) {
  if (section.name.empty()) return Place{};
  const auto where = file.where(section);
  if (section.name == "hub") return Place{Part::hub_id, "", ""};
  const auto [head, rest] = split_at_dot(section.name);
  if (head != "hub") return inner_place(where, "", section.name);
  const auto [id, inner] = split_at_dot(rest);
  if (id.empty()) return unknown_section(where);
  if (rest.size() == id.size()) return Place{Part::hub, id, ""};
  return inner_place(where, id, inner);
}

AllowedKeys hub_keys() {
  AllowedKeys keys;
  for (const auto& option : hub_options()) {
    if (option.name == kHubId) continue;
    (option.repeatable() ? keys.repeatable : keys.single).emplace_back(option.name);
  }
  return keys;
}

class FileReader {
 public:
  explicit FileReader(IniFile file) : file_(std::move(file)) { draft_.path = file_.path; }

  Result<NodeDraft> run() {
    if (auto ok = find_places(); !ok) return ok.error();
    if (auto ok = declare_hubs(); !ok) return ok.error();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (auto ok = read(file_.sections[i], places_[i]); !ok) return ok.error();
    }
    return std::move(draft_);
  }

 private:
  Result<void> find_places() {
    for (const auto& section : file_.sections) {
      auto place = place_of(file_, section);
      if (!place) return place.error();
      places_.push_back(std::move(*place));
    }
    return {};
  }

  /// Hubs in file order, so that sections inside them may come before or after.
  Result<void> declare_hubs() {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].part != Part::hub) continue;
      draft_.hubs.emplace_back().config.hub_id = places_[i].hub;
      draft_.hubs.back().where[std::string(kHubId)] = {file_.where(file_.sections[i])};
    }
    several_form_ = !draft_.hubs.empty();
    if (!several_form_) draft_.hubs.emplace_back();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (auto ok = check_form(file_.where(file_.sections[i]), places_[i]); !ok) return ok.error();
    }
    return {};
  }

  /// A file has either one nameless hub or named ones, never a mixture.
  Result<void> check_form(const std::string& where, const Place& place) const {
    if (place.part == Part::top) return {};
    if (!place.hub.empty()) {
      if (is_declared(place.hub)) return {};
      return {ErrorCode::invalid, where + ": there is no section [hub." + place.hub + "]"};
    }
    if (!several_form_) return {};
    return {ErrorCode::invalid,
            where + ": this file has " + first_hub() + ", so this belongs into a section [hub.ID…]"};
  }

  std::string first_hub() const { return "[hub." + draft_.hubs.front().config.hub_id + "]"; }

  bool is_declared(const std::string& id) const {
    return std::any_of(draft_.hubs.begin(), draft_.hubs.end(),
                       [&](const auto& h) { return h.config.hub_id == id; });
  }
  /// Of a place that check_form has passed.
  HubDraft& hub_of(const Place& place) {
    if (place.hub.empty()) return draft_.hubs.front();
    return *std::find_if(draft_.hubs.begin(), draft_.hubs.end(),
                         [&](const HubDraft& h) { return h.config.hub_id == place.hub; });
  }

  Result<void> read(const IniSection& section, const Place& place) {
    switch (place.part) {
      case Part::top:
        return read_top(section);
      case Part::hub_id:
        return read_hub_id(section);
      case Part::hub:
        return read_hub(section, place);
      case Part::strategy:
        return read_strategy(section, place);
      case Part::child:
        return read_child(section, place);
      case Part::children:
        return read_children(section, place);
      case Part::hook:
        return read_hook(section, place);
    }
    return {};
  }

  Result<void> read_top(const IniSection& section) {
    AllowedKeys keys = hub_keys();
    for (const auto key : {kName, kMetrics, kLogJson}) keys.single.emplace_back(key);
    keys.repeatable.emplace_back(kPlugin);
    auto settings = parse_section(file_, section, keys);
    if (!settings) return settings.error();
    if (auto ok = apply_node_settings(draft_, *settings); !ok) return ok;
    std::vector<Setting> of_hub;
    for (auto& setting : *settings) {
      if (is_node_key(setting.key)) continue;
      if (several_form_) {
        return {ErrorCode::invalid, setting.where + ": this file has " + first_hub() +
                                        ", so an option of a hub belongs into its section"};
      }
      of_hub.push_back(std::move(setting));
    }
    return apply_settings(draft_.hubs.front(), of_hub);
  }

  Result<void> read_hub_id(const IniSection& section) {
    for (const auto& entry : section.entries) {
      if (!find_hub_option(entry.key)) continue;
      return {ErrorCode::invalid,
              file_.where(entry) + ": belongs to the top of the file, before the first section"};
    }
    auto settings = parse_section(file_, section, {.single = {"id"}, .repeatable = {}});
    if (!settings) return settings.error();
    for (auto& setting : *settings) setting.key = kHubId;
    return apply_settings(draft_.hubs.front(), *settings);
  }

  Result<void> read_hub(const IniSection& section, const Place& place) {
    auto settings = parse_section(file_, section, hub_keys());
    if (!settings) return settings.error();
    return apply_settings(hub_of(place), *settings);
  }

  /// Its keys are checked by the strategy's factory, which alone knows them.
  Result<void> read_strategy(const IniSection& section, const Place& place) {
    auto settings = parse_section(file_, section, {.single = {"*"}, .repeatable = {}});
    if (!settings) return settings.error();
    for (auto& setting : *settings) setting.key = place.name + "." + setting.key;
    return apply_settings(hub_of(place), *settings);
  }

  Result<void> read_child(const IniSection& section, const Place& place) {
    auto settings = parse_section(file_, section, child_keys(false));
    if (!settings) return settings.error();
    auto spec = make_child(place.name, *settings);
    if (!spec) return spec.error();
    add_child(hub_of(place), std::move(*spec), file_.where(section));
    return {};
  }

  Result<void> read_children(const IniSection& section, const Place& place) {
    auto settings = parse_section(file_, section, child_keys(true));
    if (!settings) return settings.error();
    const auto count = child_count(*settings);
    if (!count) return at_section(section, count.error());
    const auto first = make_child(place.name, *settings);
    if (!first) return first.error();
    for (std::size_t i = 0; i < *count; ++i) {
      ChildSpec spec = *first;
      spec.id += "-" + std::to_string(i);
      add_child(hub_of(place), std::move(spec), file_.where(section));
    }
    return {};
  }

  Result<void> read_hook(const IniSection& section, const Place& place) {
    const auto settings = parse_section(file_, section, hook_keys());
    if (!settings) return settings.error();
    auto hook = make_hook(place.name, *settings);
    if (!hook) return hook.error();
    hub_of(place).config.hooks.push_back(std::move(*hook));
    hub_of(place).hook_where.push_back(file_.where(section));
    return {};
  }

  Error at_section(const IniSection& section, const Error& error) const {
    const bool placed = error.message.starts_with(file_.path + ":");
    return {error.code, placed ? error.message : file_.where(section) + ": " + error.message};
  }

  static void add_child(HubDraft& hub, ChildSpec spec, std::string where) {
    hub.config.static_children.push_back(std::move(spec));
    hub.child_where.push_back(std::move(where));
  }

  IniFile file_;
  std::vector<Place> places_{};  ///< one per section
  bool several_form_ = false;
  NodeDraft draft_{};
};

}  // namespace

Result<NodeDraft> draft_from_file(const std::string& path) {
  auto file = read_ini(path);
  if (!file) return file.error();
  return FileReader(std::move(*file)).run();
}

Result<NodeDraft> draft_from_text(const std::string& name, std::string_view text) {
  auto file = scan_ini(name, text);
  if (!file) return file.error();
  return FileReader(std::move(*file)).run();
}

}  // namespace processhub::config
