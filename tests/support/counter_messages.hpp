// What the counters of tests are asked; those of examples/counter answer the same.
#pragma once

#include <cstdint>

#include "processhub/message.hpp"

namespace counter_messages {

struct CounterArgs {
  std::int64_t start = 0;
  PROCESSHUB_FIELDS(start)
};
struct Add {
  std::int64_t by = 0;
  PROCESSHUB_FIELDS(by)
};
struct Get {
  PROCESSHUB_FIELDS()
};
struct Crash {
  PROCESSHUB_FIELDS()
};
struct Total {
  std::int64_t total = 0;
  PROCESSHUB_FIELDS(total)
};

}  // namespace counter_messages
