#include "tools/zmq-monitor/end_signals.hpp"

#include <pthread.h>

#include <ctime>

namespace processhub::monitor {

EndSignals::EndSignals() {
  ::sigemptyset(&these_);
  ::sigaddset(&these_, SIGINT);
  ::sigaddset(&these_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &these_, nullptr);
}

bool EndSignals::come(std::chrono::milliseconds time) const {
  const timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
  return ::sigtimedwait(&these_, nullptr, &limit) > 0;
}

void EndSignals::wait() const {
  int signal = 0;
  ::sigwait(&these_, &signal);
}

}  // namespace processhub::monitor
