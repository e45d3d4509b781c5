// One short line of text for every event and effect: the trace is made of these.
#pragma once

#include <string>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"

namespace processhub::sim {

std::string describe(const protocol::Event& event);
std::string describe(const protocol::Effect& effect);
std::string describe(const HookEvent& event);
std::string describe(const StartResult& result);
std::string describe(const StopResult& result);
std::string describe(const Error& error);
/// What travels, message by message; a frame that is not of our protocol as describe_frame.
std::string frame_text(const Bytes& frame);
/// Size and a short hash: equal frames look equal, nothing more.
std::string describe_frame(const Bytes& frame);

}  // namespace processhub::sim
