// Which process holds the other end of a TCP connection of this machine. Linux tells by /proc.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>

namespace live {

/// The inode of the IPv4 socket that is bound to `local` and connected to `remote`; 0 if nobody holds it.
std::uint64_t socket_inode(const sockaddr_in& local, const sockaddr_in& remote);
bool holds_socket(pid_t process, std::uint64_t inode);

}  // namespace live
