// A client's connection to one node: a DEALER to the node's ROUTER, for programs that are no node themselves
// (hubctl). It speaks frames, nothing more. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/result.hpp"
#include "transport/zmq/curve_keys.hpp"

namespace processhub {

struct ClientOptions {
  /// The client's own pair and the public key the node presents; both or neither (curve_keys.hpp).
  std::optional<KeyPair> keys{};
  std::string server_public_key{};
  std::uint64_t max_frame_size = 64ULL << 20;  ///< bytes; a node that sends more is disconnected
  /// A node that is just starting does not listen yet: how long a refused connection is tried again.
  std::chrono::milliseconds refused_patience{0};
};

/// Reads the key files that `security` names: secret_key_file is the client's pair; server_key_file holds the
/// public key nodes present (empty: the client has the very pair that all nodes share). Without a
/// secret_key_file: no encryption.
PROCESSHUB_API Result<ClientOptions> client_options(const SecurityConfig& security);

class PROCESSHUB_API ClientSocket {
 public:
  /// Returns once connected and, with keys, let in. Errors: invalid (address, keys), refused (the node does
  /// not accept our key), node_down (nobody listens there), system (no ZeroMQ node there, or no such host),
  /// timeout.
  static Result<ClientSocket> connect(const std::string& endpoint, std::chrono::milliseconds timeout,
                                      const ClientOptions& options = {});

  ClientSocket(ClientSocket&&) noexcept;
  ClientSocket& operator=(ClientSocket&&) noexcept;
  ~ClientSocket();

  /// Errors: node_down (the connection broke), overloaded (the node has not taken frames for five seconds).
  Result<void> send(std::string_view frame);
  /// The next frame; nothing if none came in time. Errors: node_down once the connection broke and all frames
  /// are read.
  Result<std::optional<std::string>> receive(std::chrono::milliseconds timeout);

 private:
  class Impl;
  explicit ClientSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub
