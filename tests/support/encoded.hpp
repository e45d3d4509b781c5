// The wire form of a value, for tests of messages.
#pragma once

#include "core/protocol/codec.hpp"

namespace processhub::protocol {

template <class M>
Bytes encoded(const M& m) {
  Bytes out;
  Writer w(out);
  put(w, m);
  return out;
}

}  // namespace processhub::protocol
