// The screen of `top` as lines of text with tones, for a size in characters. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/zmq-monitor/top_model.hpp"

namespace processhub::monitor {

struct Line {
  std::string text{};  ///< at most as wide as the screen; no control characters
  Tone tone = Tone::plain;
};

/// Exactly `height` lines. Tells the model how many rows there is room for.
std::vector<Line> draw(TopModel& model, std::size_t width, std::size_t height);

}  // namespace processhub::monitor
