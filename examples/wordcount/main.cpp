// example_wordcount PREFIX CHILDREN ADDRESS...: sends the words on its standard input, one a line, to the
// children PREFIX-0, PREFIX-1 ... of the cluster at ADDRESS, each word to the child that has its counts: two
// of three as calls, at most 64 at a time, the third as a cast. Ends when the input ends and every word has
// arrived: with 0 if no call failed and no cast was refused.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <vector>

#include "messages.hpp"
#include "words.hpp"

namespace ph = processhub;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kWindow = 64;

class Feeder {
 public:
  Feeder(ph::Client& client, std::string prefix, std::uint64_t children)
      : client_(client), prefix_(std::move(prefix)), children_(children) {}

  void send(const std::string& word) {
    const auto id = child(wordcount::child_of(word, children_));
    if (++words_ % 3 == 0) {
      if (const auto sent = client_.cast(id, wordcount::Word{word}); !sent) failed(id, sent.error());
      return;
    }
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return open_ < kWindow; });
      ++open_;
    }
    client_.call<wordcount::CountOf>(id, wordcount::Word{word}, 10s)
        .then([this, id](const ph::Result<wordcount::CountOf>& answer) {
          if (!answer) failed(id, answer.error());
          std::lock_guard lock(mutex_);
          --open_;
          room_.notify_all();
        });
  }

  /// Until all calls have ended and all casts have arrived: what one program sends to one child stays in
  /// order, so they have when a later call is answered.
  bool finish() {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return open_ == 0; });
    }
    std::vector<ph::Future<wordcount::TopWords>> asked;
    for (std::uint64_t i = 0; i < children_; ++i)
      asked.push_back(client_.call<wordcount::TopWords>(child(i), wordcount::Top{0}, 10s));
    for (std::uint64_t i = 0; i < children_; ++i)
      if (const auto answer = asked[i].get(); !answer) failed(child(i), answer.error());
    std::lock_guard lock(mutex_);
    std::printf("%llu words, %llu failed\n", static_cast<unsigned long long>(words_),
                static_cast<unsigned long long>(failed_));
    return failed_ == 0;
  }

 private:
  std::string child(std::uint64_t index) const { return prefix_ + "-" + std::to_string(index); }
  void failed(const std::string& id, const ph::Error& why) {
    std::lock_guard lock(mutex_);
    if (++failed_ <= 10) std::fprintf(stderr, "%s: %s\n", id.c_str(), why.c_str());
  }

  ph::Client& client_;
  const std::string prefix_;
  const std::uint64_t children_;
  std::uint64_t words_ = 0;

  std::mutex mutex_{};  // answers come on a thread of the client
  std::condition_variable room_{};
  std::uint64_t open_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto children = argc < 4 ? 0 : std::strtoull(argv[2], nullptr, 10);
  if (children == 0) return std::fprintf(stderr, "usage: example_wordcount PREFIX CHILDREN ADDRESS...\n"), 2;
  ph::ClientConfig config;
  config.nodes.assign(argv + 3, argv + argc);
  auto client = ph::Client::connect(config);
  if (!client) return std::fprintf(stderr, "%s\n", client.error().c_str()), 2;
  Feeder feeder(*client, argv[1], children);
  for (std::string word; std::getline(std::cin, word);) feeder.send(word);
  return feeder.finish() ? 0 : 1;
}
