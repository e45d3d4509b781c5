// Trace contexts as text.
#include "processhub/trace.hpp"

#include <doctest/doctest.h>

#include <string>

namespace trace_test {

using namespace processhub;

TEST_CASE("trace: text and back, as the standard wants it") {
  const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto trace = Trace::parse(text);
  REQUIRE(trace);
  CHECK(trace->str() == text);
  CHECK(trace->flags == 1);
  CHECK(Trace::parse("cc" + text.substr(2) + "-what-the-future-adds").value().str() == text);
  const std::string id = text.substr(3, 32);
  for (const auto& bad :
       {std::string(), text.substr(1), text + "-x", "ff" + text.substr(2),
        "00-" + std::string(32, '0') + text.substr(35),
        text.substr(0, 36) + std::string(16, '0') + text.substr(52), "00-" + id + "-00F067aa0ba902b7-01",
        "00_" + text.substr(3), "00-" + id + "-00f067aa0ba902b7-0"})
    CHECK_FALSE(Trace::parse(bad).ok());
}

TEST_CASE("trace: a new one is like no other, the next is of the same request") {
  const auto a = Trace::start();
  const auto b = Trace::start();
  REQUIRE(a);
  CHECK(a.id != b.id);
  CHECK(a.next().id == a.id);
  CHECK(a.next().span != a.span);
  CHECK(a.next().span != a.next().span);
  CHECK(Trace{}.str().empty());
  CHECK_FALSE(present_trace());
  {
    const TraceScope outer(a);
    const TraceScope inner(b);
    CHECK(present_trace() == b);
    const TraceScope none(Trace{});
    CHECK_FALSE(present_trace());
  }
  CHECK_FALSE(present_trace());
}

}  // namespace trace_test
