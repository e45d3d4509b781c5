#include "core/runtime/open_answers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace processhub::runtime {

void OpenAnswers::end_call(CallbackPool& callbacks, const CallAnswer& call, Result<Bytes>&& result) {
  // Decoding a large answer is work for the pool, too.
  constexpr std::size_t kSmall = 64U << 10;
  if ((!result || result->size() <= kSmall) && call->finish(result, false)) return;
  callbacks.post([call, result = std::move(result)]() mutable { call->finish(result, true); });
}

void OpenAnswers::end(CallbackPool& callbacks, Answer answer, const Error& error) {
  struct Ender {
    CallbackPool& callbacks;
    const Error& error;
    void operator()(std::monostate) const {}
    void operator()(Promise<StartResult>& p) const { end_promise<StartResult>(callbacks, p, error); }
    void operator()(Promise<StopResult>& p) const { end_promise<StopResult>(callbacks, p, error); }
    void operator()(Promise<void>& p) const { end_promise<void>(callbacks, p, error); }
    void operator()(Promise<std::uint64_t>& p) const { end_promise<std::uint64_t>(callbacks, p, error); }
    void operator()(CallAnswer& c) const { end_call(callbacks, c, error); }
  };
  std::visit(Ender{callbacks, error}, answer);
}

void OpenAnswers::end_all(const Error& error) {
  std::vector<std::pair<protocol::Token, Answer>> all;
  all.reserve(open_.size());
  for (auto& [token, answer] : open_) all.emplace_back(token, std::move(answer));
  open_.clear();
  // In the order of the requests, whatever the order of the table.
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [token, answer] : all) end(callbacks_, std::move(answer), error);
}

}  // namespace processhub::runtime
