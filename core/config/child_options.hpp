// The table of options of a static child: sections [child.ID] and [children.PREFIX].
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/program_options.hpp"
#include "processhub/child.hpp"

namespace processhub::config {

struct ChildOption {
  std::string_view name;
  std::string_view unit;
  std::string_view help;
  Result<void> (*set)(ChildSpec& spec, const std::string& text);
  /// The value as a file would have it; empty: not set.
  std::string (*get)(const ChildSpec& spec);
};

std::span<const ChildOption> child_options();
/// Keys of one more table, metadata.NAME; and of `count`, in [children.PREFIX] only.
inline constexpr std::string_view kMetadataPrefix = "metadata.";
inline constexpr std::string_view kCount = "count";

AllowedKeys child_keys(bool with_count);
/// Sets everything but `count`.
Result<ChildSpec> make_child(std::string id, const std::vector<Setting>& settings);
/// The value of `count`, which must be there.
Result<std::size_t> child_count(const std::vector<Setting>& settings);

}  // namespace processhub::config
