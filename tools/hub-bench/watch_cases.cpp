// What it costs a cluster under full call load to be watched: by `zmq-monitor top`, by `tail`, by its page,
// and by a tap of every message. Plain and watched stretches follow each other as ABBA, so that what changes
// on the machine meanwhile meets both; a sample is one such round. CPU time per call holds on a machine that
// others use, too.
#include <fcntl.h>
#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tools/hub-bench/cases.hpp"
#include "tools/hub-bench/cluster.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::uint32_t kNodes = 5;
constexpr std::uint64_t kWorkers = 100;
constexpr std::uint64_t kInFlight = 1'000;             // of each node
constexpr std::chrono::milliseconds kAttached{1'500};  // by then it has asked every node more than once

/// Of a process and its ended threads, in seconds.
double cpu_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// The two ends of what a monitor writes to: ours, and its own.
std::array<int, 2> open_output(bool terminal) {
  std::array<int, 2> out{};
  const winsize size{24, 80, 0, 0};
  if (!terminal && ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  if (terminal && ::openpty(&out[0], &out[1], nullptr, nullptr, &size) != 0)
    throw std::runtime_error("openpty");
  for (const int end : out) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  return out;
}

/// zmq-monitor beside this program, until the object ends.
class Monitor {
 public:
  Monitor(const std::string& endpoint, const std::vector<std::string>& arguments) {
    const bool terminal = arguments.front() == "top";
    const auto out = open_output(terminal);
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "zmq-monitor";
    std::vector<std::string> words = {program.string(), endpoint};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(out[1], STDOUT_FILENO);
      if (terminal) {
        ::dup2(out[1], STDIN_FILENO);
        ::setenv("TERM", "xterm", 1);
      }
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    out_ = out[0];
    reader_ = std::thread([this] { read(); });
    std::this_thread::sleep_for(kAttached);
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) throw std::runtime_error("zmq-monitor ended");
  }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    reader_.join();
    ::close(out_);
  }
  double cpu() const { return cpu_of(pid_); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  /// Reads what it prints; a page's address is a stream to be read instead.
  void read() {
    std::string first;
    int from = out_;
    std::array<char, 65'536> part{};
    for (ssize_t n = 0; (n = ::read(from, part.data(), part.size())) > 0;) {
      bytes_ += static_cast<std::uint64_t>(n);
      if (from != out_ || first.size() > 200) continue;
      first.append(part.data(), static_cast<std::size_t>(n));
      const auto at = first.find("http://127.0.0.1:");
      if (at != std::string::npos) from = open_stream(first.substr(at + 17));
    }
    if (from != out_) ::close(from);
  }
  static int open_stream(const std::string& port) {
    const int stream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (::connect(stream, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::send(stream, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      std::fprintf(stderr, "hub-bench: the page does not answer\n");
    return stream;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  std::atomic<std::uint64_t> bytes_{0};
  std::thread reader_{};
};

/// One stretch of load.
struct Stretch {
  double calls_per_s = 0;
  double nodes_us = 0;    ///< CPU time of the nodes for a call
  double watcher_us = 0;  ///< that of who watches
};

class Load {
 public:
  explicit Load(std::uint64_t calls) : calls_(calls) {
    cluster_.node(0).ask({{"do", "start_busy"}, {"count", kWorkers}});
    const auto deadline = now_ns() + 10'000'000'000LL;
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      do {
        targets_[i] = cluster_.node(0)
                          .ask({{"do", "find_on"}, {"node", Cluster::name(i)}})
                          .at("ids")
                          .get<std::vector<std::string>>();
        if (now_ns() > deadline) throw std::runtime_error("a node has no worker");
      } while (targets_[i].empty());
    }
  }
  const std::string& endpoint() const { return cluster_.endpoint(0); }

  /// Every node calls a worker on the next one.
  Stretch run(const Monitor* watcher) {
    const double before = nodes_cpu();
    const double watched = watcher == nullptr ? 0 : watcher->cpu();
    const auto since = now_ns();
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      cluster_.node(i).send({{"do", "pipelined_calls"},
                             {"id", targets_[(i + 1) % kNodes][0]},
                             {"handler", "pool"},
                             {"count", calls_},
                             {"in_flight", kInFlight}});
    }
    for (std::uint32_t i = 0; i < kNodes; ++i) cluster_.node(i).receive();
    const double seconds = static_cast<double>(now_ns() - since) / 1e9;
    const auto all = static_cast<double>(calls_ * kNodes);
    Stretch out;
    out.calls_per_s = all / seconds;
    out.nodes_us = (nodes_cpu() - before) * 1e6 / all;
    out.watcher_us = watcher == nullptr ? 0 : (watcher->cpu() - watched) * 1e6 / all;
    return out;
  }

 private:
  double nodes_cpu() {
    double sum = 0;
    for (std::uint32_t i = 0; i < kNodes; ++i) sum += cpu_of(cluster_.node(i).pid());
    return sum;
  }

  const std::uint64_t calls_;
  Cluster cluster_{kNodes};
  std::array<std::vector<std::string>, kNodes> targets_{};
};

double percent(double watched, double plain) { return 100 * (watched / plain - 1); }

void watched(Bench& bench, const char* name, const std::vector<std::string>& arguments, double budget) {
  Load load(bench.amount(200'000));
  load.run(nullptr);  // routes, caches and pools get warm
  std::vector<double> nodes;
  std::vector<double> all;
  std::vector<double> slower;
  std::uint64_t seen = 0;
  for (std::uint32_t round = 0; round < bench.options().runs; ++round) {
    const auto before = load.run(nullptr);
    std::array<Stretch, 2> with{};
    {
      const Monitor monitor(load.endpoint(), arguments);
      for (auto& stretch : with) stretch = load.run(&monitor);
      seen += monitor.bytes();
    }
    const auto after = load.run(nullptr);
    const double plain_us = before.nodes_us + after.nodes_us;
    const double node_us = with[0].nodes_us + with[1].nodes_us;
    nodes.push_back(percent(node_us, plain_us));
    all.push_back(percent(node_us + with[0].watcher_us + with[1].watcher_us, plain_us));
    slower.push_back(
        -percent(with[0].calls_per_s + with[1].calls_per_s, before.calls_per_s + after.calls_per_s));
  }
  if (seen == 0 && arguments != std::vector<std::string>{"tail"})  // a quiet cluster has no events
    throw std::runtime_error("nothing was seen of the cluster");
  const auto add = [&](const char* what, std::vector<double> samples, std::optional<double> limit) {
    bench.report().add(
        {std::string(name) + ": " + what, "%", Better::lower, std::move(samples), limit, {}, ""});
  };
  add("CPU of the nodes for a call", nodes, budget);
  add("with that of zmq-monitor", all, {});
  add("fewer calls a second", slower, budget);
}

}  // namespace

void add_watch_cases(std::vector<Case>& cases) {
  cases.push_back({"watched, top", false, [](Bench& b) { watched(b, "top", {"top"}, 3); }});
  cases.push_back({"watched, events", false, [](Bench& b) { watched(b, "tail", {"tail"}, 3); }});
  cases.push_back({"watched, page", false, [](Bench& b) {
                     watched(b, "web page", {"web", "--listen", "127.0.0.1:0"}, 3);
                   }});
  cases.push_back({"watched, tap", false, [](Bench& b) {
                     watched(b, "tail --messages", {"tail", "--messages"}, 10);
                   }});
}

}  // namespace processhub::hub_bench
