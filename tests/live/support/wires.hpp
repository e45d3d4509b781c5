// What every laboratory that stands between nodes can do: let nothing pass from one node to another. A cut is
// silent; connections stay open and nobody is told.
#pragma once

#include <string>
#include <vector>

namespace live {

using Names = std::vector<std::string>;

class Wires {
 public:
  virtual ~Wires() = default;
  /// One way. When it returns nothing passes any more.
  virtual void cut(const std::string& from, const std::string& to) = 0;
  virtual void heal(const std::string& from, const std::string& to) = 0;

  void cut_from(const Names& from, const Names& to) {
    for (const auto& f : from)
      for (const auto& t : to) cut(f, t);
  }
  void heal_from(const Names& from, const Names& to) {
    for (const auto& f : from)
      for (const auto& t : to) heal(f, t);
  }
  void cut_between(const Names& one, const Names& other) {
    cut_from(one, other);
    cut_from(other, one);
  }
  void heal_between(const Names& one, const Names& other) {
    heal_from(one, other);
    heal_from(other, one);
  }
};

}  // namespace live
