// hub-bench measures ProcessHub on this machine, with real processes, and raw ZeroMQ beside it.
//
//   hub-bench                              everything: two minutes or more
//   hub-bench --quick                      less of everything: half a minute
//   hub-bench --rows 'calls|kill'          the cases whose name matches; --list names them
//   hub-bench --json result.json           the rows for programs
#include <signal.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include "tools/hub-bench/board.hpp"
#include "tools/hub-bench/cases.hpp"
#include "tools/hub-bench/node_program.hpp"

namespace po = boost::program_options;
using namespace processhub::hub_bench;

namespace {

struct Arguments {
  Options bench{};
  std::string rows{};
  std::string json{};
  double limit = 0;  // s
  bool list = false;
  bool help = false;
  std::string usage{};
};

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  po::options_description options("hub-bench measures ProcessHub with real processes on this machine");
  options.add_options()("help", "this text")  //
      ("rows", po::value(&arguments.rows)->default_value(""),
       "only cases whose name matches this regular expression")                                          //
      ("list", po::bool_switch(&arguments.list), "name the cases")                                       //
      ("quick", po::bool_switch(&arguments.bench.quick), "fewer cases, a tenth of the messages")         //
      ("runs", po::value(&arguments.bench.runs)->default_value(5), "runs of which the median is taken")  //
      ("limit", po::value(&arguments.limit)->default_value(900),
       "begin no case after so many seconds")  //
      ("json", po::value(&arguments.json)->default_value(""), "write the rows to this file");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);
  if (arguments.bench.runs == 0) throw std::invalid_argument("--runs takes 1 or more");
  arguments.help = values.contains("help");
  arguments.usage = (std::ostringstream() << options).str();
  return arguments;
}

double seconds_since(std::int64_t begin) { return static_cast<double>(now_ns() - begin) / 1e9; }

std::vector<Case> wanted_cases(const Arguments& arguments) {
  const std::regex wanted(arguments.rows);
  auto cases = all_cases();
  std::erase_if(cases, [&](const Case& one) {
    return (arguments.bench.quick && !one.in_quick) || !std::regex_search(one.name, wanted);
  });
  return cases;
}

/// A case that fails is told and does not keep the others from running; a bench that takes too long ends with
/// what it has. Every wait inside a case has a limit of its own.
bool run_cases(const Arguments& arguments, Bench& bench) {
  const auto cases = wanted_cases(arguments);
  const auto begin = now_ns();
  bool good = true;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& name = cases[i].name;
    if (seconds_since(begin) > arguments.limit) {
      std::fprintf(stderr, "hub-bench: %zu cases left out, from %s on: %.0f s have passed\n",
                   cases.size() - i, name.c_str(), arguments.limit);
      return false;
    }
    std::fprintf(stderr, "hub-bench: %zu of %zu, %s (%.0f s so far)\n", i + 1, cases.size(), name.c_str(),
                 seconds_since(begin));
    try {
      cases[i].run(bench);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "hub-bench: case %s failed: %s\n", name.c_str(), error.what());
      good = false;
    }
  }
  return good;
}

int measure(const Arguments& arguments) {
  Bench bench(arguments.bench);
  const bool good = run_cases(arguments, bench);
  std::printf("%s", bench.report().table().c_str());
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    file << bench.report().json().dump(2) << "\n";
    if (!file.flush()) throw std::runtime_error("cannot write " + arguments.json);
  }
  return good ? 0 : 1;
}

int list_cases() {
  for (const auto& one : all_cases())
    std::printf("%s%s\n", one.name.c_str(), one.in_quick ? "" : "  (not with --quick)");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a node that ended is an error of that case
  try {
    if (argc == 4 && std::strcmp(argv[1], kNodeVerb) == 0) {
      return NodeProgram(static_cast<std::uint32_t>(std::stoul(argv[2])), std::stoi(argv[3])).run();
    }
    const auto arguments = read_arguments(argc, argv);
    if (arguments.help) return std::fputs(arguments.usage.c_str(), stdout), 0;
    return arguments.list ? list_cases() : measure(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hub-bench: %s\n", error.what());
    return 2;
  }
}
