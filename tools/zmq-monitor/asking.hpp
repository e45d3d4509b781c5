// What the views are made from, asked of all nodes of a cluster. Threads: see cluster_look.hpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/zmq-monitor/doctor.hpp"

namespace processhub::monitor {

using hubctl::LookOptions;
using ByNode = std::vector<std::pair<std::string, Json>>;

/// All that a node remembers of what happened.
Question journal_question();

/// The questions of every view, and more behind them.
std::vector<Question> look_questions_and(const std::vector<Question>& more);

/// What every node that answered said to the question of this index.
ByNode answers_of(const ClusterLook& look, std::size_t index);

/// Why a child is where it is, and what happened to it: asked of all nodes.
Result<Json> explain(const LookOptions& options, const std::string& id);
/// The same for those who ask more: these questions, and what is made of the answers from the index on at
/// which they begin.
std::vector<Question> explain_questions(const std::string& id);
Json explanation_of(const std::string& id, const ClusterLook& look, std::size_t first);

/// What every node answers to one question.
Result<ByNode> ask_all(const LookOptions& options, const Question& question);

/// Two looks, the second with the journals, and the time between them: rates are differences.
Result<Examination> look_twice(const LookOptions& options);

/// The same of two looks that there are; `now` has the journals behind the questions of every view.
Examination examination_of(ClusterLook before, ClusterLook now, double seconds);

}  // namespace processhub::monitor
