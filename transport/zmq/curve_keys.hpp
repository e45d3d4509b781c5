// CURVE keys and the files they live in.
//
// A key pair file (mode 0600, `hubctl keygen NAME` writes NAME.key)      A public key file (NAME.pub)
//     public = <40 characters of Z85>                                       public = <40 characters of Z85>
//     secret = <40 characters of Z85>
// Blank lines and lines that start with # are skipped. Z85 has '#' and '=' in it: neither ends a value.
//
// Two ways to use them in a cluster; in both, every connection proves its own key pair and the allow-list
// decides:
//  1. One pair for all (simplest). All nodes have the same file as security.secret_key_file. The pair is both
//  what a
//     node presents to those that connect to it and what it proves when it connects. Whoever proves this pair
//     may enter; others (hubctl users) may if their public key is in security.allow_dir.
//  2. A pair per node. security.secret_key_file is the node's own pair, proved when it connects.
//  security.server_key_file
//     is a second pair file that all nodes share: what they present when others connect. security.allow_dir
//     holds the .pub of every node and every user that may enter; removing a file locks its owner out (open
//     connections stay).
// In both, a client (hubctl) needs a pair of its own and the public key that nodes present: the .pub of the
// shared pair. The shared secret lets its holder pose as a node to others, so it belongs on nodes only; users
// get the .pub.
#pragma once

#include <string>

#include "processhub/export.hpp"
#include "processhub/result.hpp"

namespace processhub {

struct KeyPair {
  std::string public_key{};  ///< Z85
  std::string secret_key{};  ///< Z85

  friend bool operator==(const KeyPair&, const KeyPair&) = default;
};

/// A new pair from the operating system's random numbers.
PROCESSHUB_API Result<KeyPair> generate_key_pair();

/// Writes PREFIX.key (mode 0600) and PREFIX.pub. Never overwrites: an existing file is an error and nothing
/// is left behind.
PROCESSHUB_API Result<void> write_key_pair(const std::string& path_prefix, const KeyPair& keys);

/// Errors: unreadable (system); malformed, halves that do not belong together, or readable by group or others
/// (invalid).
PROCESSHUB_API Result<KeyPair> read_key_file(const std::string& path);

/// The public half alone, from a .pub or a pair file.
PROCESSHUB_API Result<std::string> read_public_key(const std::string& path);

}  // namespace processhub
