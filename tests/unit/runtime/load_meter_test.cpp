#include "core/runtime/load_meter.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace load_meter_test {

using processhub::runtime::LoadMeter;

namespace {

/// A /proc of our own.
class Proc {
 public:
  Proc() { std::filesystem::create_directory(path_); }
  ~Proc() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
  }

 private:
  std::string path_ =
      (std::filesystem::temp_directory_path() / ("load_meter_" + std::to_string(::getpid()))).string();
};

std::string stat(int user, int idle, int running) {
  return "cpu  " + std::to_string(user) + " 0 0 " + std::to_string(idle) +
         " 0 0 0 0 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nctxt 5\nprocs_running " + std::to_string(running) +
         "\nprocs_blocked 0\n";
}

}  // namespace

TEST_CASE("load meter: the processors' use since the last call, threads that wait, memory in use") {
  Proc proc;
  LoadMeter meter(proc.path());
  proc.write("stat", stat(100, 300, 1));
  proc.write("meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n");
  auto load = meter.measure();
  CHECK(load.cpu == doctest::Approx(0.25));
  CHECK(load.run_queue == 0);
  CHECK(load.memory == doctest::Approx(0.75));

  proc.write("stat", stat(190, 310, 7));
  load = meter.measure();
  CHECK(load.cpu == doctest::Approx(0.9));
  CHECK(load.run_queue == 5);
}

TEST_CASE("load meter: what cannot be read, or goes backwards, counts as nothing") {
  Proc proc;
  LoadMeter meter(proc.path());
  auto load = meter.measure();
  CHECK(load.cpu == 0);
  CHECK(load.run_queue == 0);
  CHECK(load.memory == 0);
  proc.write("stat", stat(100, 100, 1));
  CHECK(meter.measure().cpu == doctest::Approx(0.5));
  CHECK(meter.measure().cpu == 0);  // no tick has passed
  proc.write("stat", stat(90, 120, 1));
  CHECK(meter.measure().cpu == 0);
  proc.write("stat", "garbage");
  proc.write("meminfo", "MemTotal: none\n");
  load = meter.measure();
  CHECK(load.cpu == 0);
  CHECK(load.memory == 0);
}

TEST_CASE("load meter: this machine has something to say") {
  const auto load = LoadMeter().measure();
  CHECK(load.cpu >= 0);
  CHECK(load.cpu <= 1);
  CHECK(load.memory > 0);
  CHECK(load.memory < 1);
}

}  // namespace load_meter_test
