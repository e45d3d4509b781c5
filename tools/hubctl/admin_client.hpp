// A connection to the first node that answers, over which hubctl asks its questions. One thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <processhub/result.hpp>

#include "core/protocol/client_session.hpp"
#include "transport/zmq/client_socket.hpp"

namespace processhub::hubctl {

class AdminClient {
 public:
  using Millis = std::chrono::milliseconds;

  /// Tries the addresses in turn until a node has answered our hello; all of them again for a moment if all
  /// refuse the connection, because a node that was just started does so. The error tells what became of each
  /// address.
  static Result<AdminClient> connect(const std::vector<std::string>& endpoints, Millis timeout,
                                     const ClientOptions& options);

  /// One question, one answer; a reply with a code other than 0 is an answer too. Errors: nobody answered in
  /// time, or the connection broke, in which case the request may have been carried out.
  Result<protocol::AdminReply> request(const std::string& verb, Bytes args, Millis timeout);

  /// Tells the node that nobody waits for anything any more, so that it need not keep the session.
  void close();

 private:
  AdminClient(ClientSocket socket, protocol::ClientSession session)
      : socket_(std::move(socket)), session_(std::move(session)) {}
  static Result<AdminClient> connect_to(const std::string& endpoint, Millis timeout,
                                        const ClientOptions& options);
  template <class Done>
  Result<void> pump_until(Done done, Time deadline);
  Result<void> send_due(Time now);

  ClientSocket socket_;
  protocol::ClientSession session_;
  std::uint64_t last_request_ = 0;
};

}  // namespace processhub::hubctl
