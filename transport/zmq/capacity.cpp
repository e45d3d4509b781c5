#include "transport/zmq/capacity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>

#include "transport/zmq/unique_fd.hpp"
#include "transport/zmq/zmq_transport.hpp"

namespace processhub {
namespace zmq_detail {
namespace {

// DEALER and SUB: mailbox, TCP connection, both ends of the monitor each; the two connections the peer opens;
// a probe.
constexpr std::uint64_t kFilesPerPeer = 11;
constexpr int kSocketsPerPeer = 6;              // DEALER, SUB and both ends of their monitors
constexpr std::uint64_t kFilesForOthers = 256;  // the program itself, epoll, bound sockets, clients
constexpr int kSocketsForOthers = 32;
// libzmq reserves a slot per socket in advance (some 12 bytes) and allows 65,535 at most.
constexpr int kMostSockets = 16'384;
constexpr int kFewestSockets = 256;

std::uint64_t raised_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

// Each time the kernel doubles the descriptor table of a process with several threads it waits for all cores
// (an RCU grace period), and the thread that opened the descriptor waits with it: some 20 ms that the loop
// does not have. One descriptor with a high number, closed again, makes the table large enough for a few
// hundred peers from the start (8 bytes each).
void reserve_descriptor_table(std::uint64_t open_files) {
  constexpr std::uint64_t kReserved = 4'096;
  const UniqueFd any(::eventfd(0, EFD_CLOEXEC));
  if (!any || open_files == 0) return;
  const int highest = static_cast<int>(std::min(open_files, kReserved) - 1);
  const UniqueFd placeholder(::fcntl(any.get(), F_DUPFD_CLOEXEC, highest));
}

std::uint64_t prepare_descriptors() {
  const std::uint64_t open_files = raised_file_limit();
  reserve_descriptor_table(open_files);
  return open_files;
}

}  // namespace

Capacity claim_capacity() {
  static const std::uint64_t open_files = prepare_descriptors();
  const std::uint64_t for_peers = open_files > kFilesForOthers ? open_files - kFilesForOthers : 0;
  Capacity capacity;
  capacity.open_files = open_files;
  capacity.peers = std::min<std::uint64_t>(for_peers / kFilesPerPeer,
                                           (kMostSockets - kSocketsForOthers) / kSocketsPerPeer);
  capacity.sockets = std::clamp(static_cast<int>(capacity.peers) * kSocketsPerPeer + kSocketsForOthers,
                                kFewestSockets, kMostSockets);
  return capacity;
}

bool has_descriptors_for_a_context() {
  // The reaper, the I/O thread and the context itself take six; the bound sockets, their monitors and ZAP the
  // rest.
  constexpr std::size_t kNeeded = 24;
  std::array<UniqueFd, kNeeded> taken;
  return std::all_of(taken.begin(), taken.end(), [](UniqueFd& fd) {
    fd.reset(::eventfd(0, EFD_CLOEXEC));
    return static_cast<bool>(fd);
  });
}

}  // namespace zmq_detail

std::string capacity_note() {
  const auto capacity = zmq_detail::claim_capacity();
  return fmt::format("room for about {} peers ({} open files, {} ZeroMQ sockets per hub)", capacity.peers,
                     capacity.open_files, capacity.sockets);
}

}  // namespace processhub
