#include "tools/hub-bench/board.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <new>
#include <system_error>
#include <utility>

namespace processhub::hub_bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void* map(int descriptor) {
  void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) fail("mmap of the board");
  return memory;
}

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

SharedBoard SharedBoard::create() {
  const int descriptor = ::memfd_create("hub-bench", 0);  // inherited on purpose
  if (descriptor < 0) fail("memfd_create");
  if (::ftruncate(descriptor, sizeof(Board)) != 0) fail("ftruncate of the board");
  return {descriptor, new (map(descriptor)) Board};
}

SharedBoard SharedBoard::open(int descriptor) {
  return {descriptor, std::launder(static_cast<Board*>(map(descriptor)))};
}

SharedBoard::SharedBoard(SharedBoard&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), board_(std::exchange(other.board_, nullptr)) {}

SharedBoard::~SharedBoard() {
  if (board_ == nullptr) return;
  ::munmap(board_, sizeof(Board));
  ::close(descriptor_);
}

}  // namespace processhub::hub_bench
