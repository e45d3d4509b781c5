# libprocesshub_testing.so: the test kit of <processhub/testing.hpp>: the simulator, with the hidden parts of the core
# that it drives. What users name comes from libprocesshub.so, so that their types exist once in a program.

set(ph_testing_stub "${CMAKE_BINARY_DIR}/processhub_testing.cpp")
file(CONFIGURE OUTPUT "${ph_testing_stub}" CONTENT "// The test kit consists of the simulator, whole.\n")
add_library(processhub_testing SHARED "${ph_testing_stub}")
add_library(processhub::testing ALIAS processhub_testing)
target_link_libraries(processhub_testing
  PUBLIC processhub
  PRIVATE ph_build_options ph_sim ph_strategies ph_core)
# Where the linker is told --as-needed, it would forget the shared library before anything has asked for it.
set(CMAKE_CXX_LINK_LIBRARY_USING_PH_NEEDED
  "LINKER:--push-state,--no-as-needed" "<LINK_ITEM>" "LINKER:--pop-state")
set(CMAKE_CXX_LINK_LIBRARY_USING_PH_NEEDED_SUPPORTED TRUE)
set_target_properties(processhub_testing PROPERTIES
  LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,ph_sim"
  LINK_LIBRARY_OVERRIDE_processhub PH_NEEDED
  VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}" EXPORT_NAME testing)
if(NOT PROCESSHUB_SANITIZE)  # a sanitizer's symbols come from the program
  target_link_options(processhub_testing PRIVATE -Wl,--no-undefined)
endif()
