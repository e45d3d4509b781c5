# What comes from outside, all of it from distribution packages.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(ph_msgpack REQUIRED MODULE)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(absl REQUIRED)

# The pkg-config files of these two name include folders of their own private dependencies, which we neither
# need nor want in front of ours: take the library and the plain header folder only.
function(ph_pkg_config_library target module header)
  pkg_check_modules(${module} REQUIRED QUIET ${module})
  find_path(${module}_header_dir ${header} HINTS ${${module}_INCLUDEDIR} REQUIRED)
  mark_as_advanced(${module}_header_dir)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${${module}_header_dir}"
    INTERFACE_LINK_LIBRARIES "${${module}_LINK_LIBRARIES}")
endfunction()
ph_pkg_config_library(ph_dep_zmq libzmq zmq.h)
ph_pkg_config_library(ph_dep_xxhash libxxhash xxhash.h)

# For hubd alone. Their own package files ask for what only its parts that push need.
find_path(ph_prometheus_header_dir prometheus/exposer.h REQUIRED)
find_library(ph_prometheus_core prometheus-cpp-core REQUIRED)
find_library(ph_prometheus_pull prometheus-cpp-pull REQUIRED)
mark_as_advanced(ph_prometheus_header_dir ph_prometheus_core ph_prometheus_pull)
add_library(ph_dep_prometheus INTERFACE IMPORTED GLOBAL)
set_target_properties(ph_dep_prometheus PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${ph_prometheus_header_dir}"
  INTERFACE_LINK_LIBRARIES "${ph_prometheus_pull};${ph_prometheus_core}")

# For zmq-monitor alone; the wide one shows names that are not ASCII.
find_path(ph_ncurses_header_dir ncurses.h REQUIRED)
find_library(ph_ncurses_library ncursesw REQUIRED)
mark_as_advanced(ph_ncurses_header_dir ph_ncurses_library)
add_library(ph_dep_ncurses INTERFACE IMPORTED GLOBAL)
set_target_properties(ph_dep_ncurses PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${ph_ncurses_header_dir}"
  INTERFACE_LINK_LIBRARIES "${ph_ncurses_library}")

# For zmq-monitor alone. Its classes have other members if it was built for TLS and compression, which it was.
pkg_check_modules(cpp_httplib REQUIRED QUIET IMPORTED_TARGET GLOBAL cpp-httplib)
add_library(ph_dep_httplib INTERFACE IMPORTED GLOBAL)
target_link_libraries(ph_dep_httplib INTERFACE PkgConfig::cpp_httplib)

find_path(cppzmq_header_dir zmq.hpp REQUIRED)  # cppzmq: one header on top of libzmq
mark_as_advanced(cppzmq_header_dir)
set_property(TARGET ph_dep_zmq APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${cppzmq_header_dir}")
