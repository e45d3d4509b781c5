#include "tests/live/support/socket_owner.hpp"

#include <arpa/inet.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace live {

std::uint64_t socket_inode(const sockaddr_in& local, const sockaddr_in& remote) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    in_addr_t from = 0;
    in_addr_t to = 0;
    unsigned from_port = 0;
    unsigned to_port = 0;
    unsigned long inode = 0;
    const auto fields = std::sscanf(line.c_str(), " %*d: %8X:%4X %8X:%4X %*X %*X:%*X %*X:%*X %*X %*u %*u %lu",
                                    &from, &from_port, &to, &to_port, &inode);
    if (fields == 5 && from == local.sin_addr.s_addr && from_port == ntohs(local.sin_port) &&
        to == remote.sin_addr.s_addr && to_port == ntohs(remote.sin_port))
      return inode;
  }
  return 0;
}

bool holds_socket(pid_t process, std::uint64_t inode) {
  const auto wanted = "socket:[" + std::to_string(inode) + "]";
  std::error_code gone;  // the process, or a descriptor that it closes meanwhile
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(process) + "/fd", gone);
       !gone && at != end; at.increment(gone)) {
    std::error_code closed;
    if (std::filesystem::read_symlink(at->path(), closed) == wanted) return true;
  }
  return false;
}

}  // namespace live
