# Helpers for the folders: sources are found by pattern, so adding a file needs no edit of any CMake file.

# ph_library(<name> GLOBS <pattern>... [PUBLIC <lib>...] [PRIVATE <lib>...])
# A static library that sees the repository root for internal includes ("core/protocol/x.hpp").
# A folder without sources yet still gives a (nearly empty) library, so that others can link it.
function(ph_library name)
  cmake_parse_arguments(arg "" "" "GLOBS;PUBLIC;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${arg_GLOBS})
  if(NOT sources)
    set(sources "${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp")
    file(CONFIGURE OUTPUT "${sources}" CONTENT "// No sources in this part yet.\n")
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ph_build_options ${arg_PRIVATE})
endfunction()

# ph_executable(<name> SOURCES <file>... LIBS <lib>...): an executable that sees the repository root.
function(ph_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/core/include")
  target_link_libraries(${name} PRIVATE ph_build_options ${arg_LIBS} Threads::Threads)
endfunction()

# ph_subfolders(<out>): the names of the folders directly below the current one.
function(ph_subfolders out)
  file(GLOB entries CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/*")
  set(folders "")
  foreach(entry IN LISTS entries)
    if(IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/${entry}")
      list(APPEND folders "${entry}")
    endif()
  endforeach()
  set(${out} "${folders}" PARENT_SCOPE)
endfunction()
