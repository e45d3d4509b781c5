// A relay on loopback that stands between processes and treats what they say as a bad network would. It knows
// who opened a connection (the kernel tells), so each direction of each pair of nodes has a shape of its own,
// though every node is told one address only. One thread serves all; any thread may command. An order is in
// force when its call returns.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/live/support/process.hpp"

namespace live {

/// An IPv4 address of this machine; throws std::runtime_error if `endpoint` is not tcp://A.B.C.D:PORT.
sockaddr_in ipv4_address(const std::string& endpoint);
std::string endpoint_of(const sockaddr_in& address);
/// An address for this test process alone: a loopback host that comes from its pid, and a new port each time.
std::string own_endpoint();

/// What one direction does with bytes. The default lets them pass.
struct Shape {
  bool cut = false;                  ///< nothing passes, nothing is lost, connections stay open
  Millis delay{0};                   ///< each byte arrives this much later
  std::uint64_t bytes_a_second = 0;  ///< 0: as fast as the machine can
};

class TcpRelay {
 public:
  TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;
  ~TcpRelay();

  /// A new address that leads to `target`, where `owner` listens (or will).
  std::string open(const std::string& owner, const std::string& target);
  /// What `process` connects to is connected by `name`. Connections of unknown processes wait until known.
  void know(const std::string& name, pid_t process);

  void shape(const std::string& from, const std::string& to, Shape shape);
  /// Ends every connection between the two, as a router that forgot them would. Returns how many.
  std::size_t reset(const std::string& one, const std::string& other);
  /// The addresses of `owner` refuse connections, and those that exist end; or they accept again.
  void refuse(const std::string& owner, bool refuse);
  /// Bytes that passed one way so far.
  std::uint64_t passed(const std::string& from, const std::string& to) const;

 private:
  using Way = std::pair<std::string, std::string>;
  struct Listener {
    Fd fd{};
    std::string owner{};
    sockaddr_in address{};
    sockaddr_in target{};
    bool refusing = false;
  };
  struct Chunk {
    Clock::time_point due{};
    std::string bytes{};
  };
  /// One direction of one connection.
  struct Flow {
    Way way{};
    Shape shape{};
    std::deque<Chunk> waiting{};
    std::size_t held = 0;           ///< bytes in `waiting`
    Clock::time_point wire_free{};  ///< when a narrow line is done with what it has
    bool ended = false;             ///< its sender closed
    bool lost = false;              ///< its receiver is gone: bytes lead nowhere
    bool wants_bytes() const;
    bool sends_at(Clock::time_point now) const;
    bool over() const { return ended && waiting.empty() && !shape.cut; }
  };
  struct Connection {
    std::string owner{};
    sockaddr_in target{};
    std::uint64_t inode = 0;  ///< of the opener's socket
    Fd client{};
    Fd server{};  ///< none until the opener is known and nothing is cut
    Flow up{};    ///< client to server
    Flow down{};
    bool dead = false;
    bool known() const { return !up.way.first.empty(); }
  };

  void run();
  int wait_ms(Clock::time_point now) const;
  std::vector<pollfd> interests(Clock::time_point now) const;
  void accept_all(Listener& listener);
  void take_up(Connection& connection);
  void identify(Connection& connection);
  void pump(Connection& connection, const pollfd& client, const pollfd& server);
  void read_some(int fd, Flow& flow);
  void write_some(int fd, Flow& flow);
  Shape shape_of(const Way& way) const;
  void wake() const;

  mutable std::mutex mutex_{};
  std::vector<std::unique_ptr<Listener>> listeners_{};
  std::vector<std::unique_ptr<Connection>> connections_{};  ///< only the relay's thread removes any
  std::map<std::string, std::vector<pid_t>> processes_{};
  std::map<Way, Shape> shapes_{};
  std::map<Way, std::uint64_t> passed_{};
  bool stopping_ = false;
  Fd wake_{};
  std::thread thread_{};
};

}  // namespace live
