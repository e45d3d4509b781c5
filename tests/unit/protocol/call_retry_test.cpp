// When a call is sent again, and what its last error may say.
#include "core/protocol/call_retry.hpp"

#include <doctest/doctest.h>

namespace call_retry_test {

using namespace processhub;
using namespace std::chrono_literals;
using protocol::CallRetry;

TEST_CASE("call retry: pauses grow, and none ends behind the deadline") {
  CallRetry retry;
  Time now{0};
  const Time deadline = 10s;
  Duration last{0};
  int times = 0;
  for (; retry.again({ErrorCode::overloaded, "full"}, now, deadline); ++times) {
    const auto pause = retry.due() - now;
    CHECK(pause >= last);
    CHECK(pause <= 500ms);
    CHECK(retry.due() < deadline);
    last = pause;
    now = retry.due();
  }
  CHECK(times > 15);
  CHECK(times < 40);
  CHECK(now > deadline - 1s);
}

TEST_CASE("call retry: what another attempt cannot mend is told at once") {
  for (const auto code :
       {ErrorCode::no_such_child, ErrorCode::no_such_message, ErrorCode::invalid, ErrorCode::worker_crashed,
        ErrorCode::no_reply, ErrorCode::timeout, ErrorCode::refused}) {
    CallRetry retry;
    CHECK_FALSE(retry.again({code, "no"}, Time(0), 10s));
  }
  for (const auto code : {ErrorCode::node_down, ErrorCode::unknown, ErrorCode::overloaded, ErrorCode::moved,
                          ErrorCode::stopped, ErrorCode::partitioned}) {
    CallRetry retry;
    CHECK(retry.again({code, "perhaps"}, Time(0), 10s));
    retry.give_up();
    CHECK_FALSE(retry.again({code, "perhaps"}, Time(0), 10s));
  }
}

TEST_CASE("call retry: the last error does not deny what an earlier attempt may have done") {
  CallRetry retry;
  const Error gone{ErrorCode::no_such_child, "no child 'x'"};
  CHECK(retry.truth(gone) == gone);
  CHECK(retry.again({ErrorCode::overloaded, "full"}, Time(0), 10s));
  CHECK(retry.truth(gone) == gone);
  CHECK(retry.again({ErrorCode::node_down, "b is down"}, Time(0), 10s));
  CHECK(retry.truth(gone).code == ErrorCode::unknown);
  CHECK(retry.truth(gone).message == "no child 'x'; an earlier attempt may have been handled");
  const Error late{ErrorCode::timeout, "no answer"};
  CHECK(retry.truth(late) == late);
}

}  // namespace call_retry_test
