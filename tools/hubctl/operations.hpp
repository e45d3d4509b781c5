// Verbs that take more than one question: they look at several nodes, or wait for something.
#pragma once

#include <functional>
#include <string>

#include "tools/hubctl/cluster_look.hpp"
#include "tools/hubctl/command_line.hpp"

namespace processhub::hubctl {

/// What is told while the user waits: how much of the work is done, from 0 to 1, and a text.
using Progress = std::function<void(double done, const std::string& text)>;

/// NODE gives its children away; done when it has none. Its answer: {"node","children"} (0).
Result<Json> run_drain(const Command& command, const LookOptions& options, const Progress& progress);
Result<Json> run_undrain(const Command& command, const LookOptions& options, const Progress& progress);
/// Failed children run again, others start again in place: each is told to the nodes that run it. As the
/// admin verb `restart` answers, with "nodes".
Result<Json> run_restart(const Command& command, const LookOptions& options, const Progress& progress);
/// Until nothing moves and all nodes agree on everything. Error timeout: what was missing last.
Result<Json> run_wait(const Command& command, const LookOptions& options, const Progress& progress);

/// Why the cluster is not stable; empty: it is. The look has the answers to kStableQuestions.
std::string unstable_because(const ClusterLook& look);
const std::vector<Question>& stable_questions();

}  // namespace processhub::hubctl
