# Finds the C++ headers of msgpack and defines the target msgpackc-cxx, if it does not exist yet.
# Installed beside our package configuration, because our public headers include <msgpack.hpp>.
# The packages' own configuration file is not used: distributions ship one of the same name for the C library.

find_path(ph_msgpack_INCLUDE_DIR msgpack.hpp)
mark_as_advanced(ph_msgpack_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ph_msgpack REQUIRED_VARS ph_msgpack_INCLUDE_DIR)
if(ph_msgpack_FOUND AND NOT TARGET msgpackc-cxx)
  add_library(msgpackc-cxx INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgpackc-cxx PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${ph_msgpack_INCLUDE_DIR}")
endif()
