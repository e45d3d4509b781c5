# Language, build types, output folders, warnings and sanitizers. Included once, before any target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
# Assertions stay on in every build type (no NDEBUG). -O2 and not -O3: g++ 12 has false -Wrestrict alarms at -O3.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
if(PROCESSHUB_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -g1")
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

# Everything that runs lies side by side in the root of the build folder, and finds its libraries there.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
# One run path serves the build folder and the installed tree, so that installing rewrites no binary.
file(RELATIVE_PATH ph_bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/${ph_bin_to_lib}")
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)

# A new machine starts from nothing, and so does CI: parts compiled as a few large units take a third of the time.
# The presets debug and clang-release compile each file by itself, which finds missing includes.
if(NOT DEFINED CMAKE_UNITY_BUILD)
  set(CMAKE_UNITY_BUILD ON)
endif()
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

# Linked privately by every target of this tree.
add_library(ph_build_options INTERFACE)
target_compile_options(ph_build_options INTERFACE -Wall -Wextra)
if(PROCESSHUB_WERROR)
  target_compile_options(ph_build_options INTERFACE -Werror)
endif()

if(PROCESSHUB_SANITIZE STREQUAL "address")
  # vptr opens a pipe for each look: a false alarm where a test leaves no descriptors. GCC's -Wmaybe-uninitialized
  # sees false paths in the library's headers when it compiles for this sanitizer.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=address,undefined)
elseif(PROCESSHUB_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(PROCESSHUB_SANITIZE)
  message(FATAL_ERROR "PROCESSHUB_SANITIZE is '${PROCESSHUB_SANITIZE}': use address, thread or nothing")
endif()
if(PROCESSHUB_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
