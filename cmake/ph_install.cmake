# What `cmake --install` puts where, and how other projects find it: find_package(processhub) and processhub.pc.
include(CMakePackageConfigHelpers)
set(ph_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/processhub")

install(TARGETS processhub processhub_testing EXPORT processhub-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/core/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp")
foreach(program hubd hubctl zmq-monitor)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_SOURCE_DIR}/README.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/tools/python/processhub.py" DESTINATION "${CMAKE_INSTALL_DATADIR}/processhub/python")
# Side by side as in the source, because the pages link to the examples.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" "${PROJECT_SOURCE_DIR}/examples"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" PATTERN CMakeLists.txt EXCLUDE)

install(EXPORT processhub-targets NAMESPACE processhub:: DESTINATION "${ph_config_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/processhub-config.cmake.in"
  "${PROJECT_BINARY_DIR}/package/processhub-config.cmake" INSTALL_DESTINATION "${ph_config_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/processhub-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/package/processhub-config.cmake"
  "${PROJECT_BINARY_DIR}/package/processhub-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/Findph_msgpack.cmake"
  DESTINATION "${ph_config_dir}")

file(RELATIVE_PATH ph_pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/processhub.pc.in" "${PROJECT_BINARY_DIR}/package/processhub.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/processhub.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
