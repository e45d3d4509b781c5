// Names of the enumerations in <processhub/hub.hpp>.
#include "processhub/hub.hpp"

namespace processhub {

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::joining:
      return "joining";
    case NodeState::up:
      return "up";
    case NodeState::indirect:
      return "indirect";
    case NodeState::suspect:
      return "suspect";
    case NodeState::leaving:
      return "leaving";
    case NodeState::down:
      return "down";
    case NodeState::left:
      return "left";
  }
  return "?";
}

}  // namespace processhub
