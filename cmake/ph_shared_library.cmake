# libprocesshub.so: what programs, hubd and plugins link. Only what carries PROCESSHUB_API is exported.

set(ph_shared_stub "${CMAKE_BINARY_DIR}/processhub_shared.cpp")
file(CONFIGURE OUTPUT "${ph_shared_stub}" CONTENT "// The shared library consists of the static ones, whole.\n")
add_library(processhub SHARED "${ph_shared_stub}")
add_library(processhub::processhub ALIAS processhub)
target_link_libraries(processhub
  PUBLIC msgpackc-cxx
  PRIVATE ph_build_options ph_assembly ph_zmq ph_strategies ph_core)
# Whole: what only a plugin uses must be in it, too.
set_target_properties(processhub PROPERTIES
  LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,ph_assembly,ph_zmq,ph_strategies,ph_core")
if(NOT PROCESSHUB_SANITIZE)  # a sanitizer's symbols come from the program
  target_link_options(processhub PRIVATE -Wl,--no-undefined)
endif()
target_include_directories(processhub INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/core/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_definitions(processhub INTERFACE MSGPACK_NO_BOOST)
target_compile_features(processhub INTERFACE cxx_std_20)
set_target_properties(processhub PROPERTIES VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}")
