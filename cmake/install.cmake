# Installs the libraries with their headers, the CMake package `sluice` (components pipeline, input and stages), a pkg-config
# file for each library, and the program. The project's own include lines, <sluice/pipeline/graph.hpp>, are those of its users: a
# header has one name everywhere, and that name is nobody else's. What is installed is of the component `program` or of
# `development` (cmake --install --component), of which debian/ makes a package each.
include(CMakePackageConfigHelpers)

set(sluice_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
set(sluice_include_dir ${CMAKE_INSTALL_INCLUDEDIR}/sluice)

# How an installed sluice finds what its libraries link: link item | arguments of find_dependency | pkg-config module, or the
# options that link it, where it has none.
set(sluice_dependencies
    "TBB::tbb|TBB 2021|tbb"
    "fmt::fmt|fmt|fmt"
    "Threads::Threads|Threads|-pthread"
    "Eigen3::Eigen|Eigen3 NO_MODULE|eigen3"
    "ZLIB::ZLIB|ZLIB|zlib"
    "OpenSSL::Crypto|OpenSSL COMPONENTS Crypto|libcrypto"
    "nlohmann_json::nlohmann_json|nlohmann_json|nlohmann_json"
    "PkgConfig::libdeflate|PkgConfig|libdeflate"
    "BZip2::BZip2|BZip2|-lbz2"
    "PkgConfig::liblzma|PkgConfig|liblzma"
    "PkgConfig::libzstd|PkgConfig|libzstd"
    "PkgConfig::libzip|PkgConfig|libzip")

# sluice_needs(component): sets sluice_<component>_find (lines of sluice-config.cmake), and sluice_requires and sluice_libs (fields of
# the pkg-config file) from what the target links, so that they cannot fall behind it.
function(sluice_needs component)
  # This lists the private ones of a static library too, as $<LINK_ONLY:...>: its users have to link them.
  get_target_property(items sluice_${component} INTERFACE_LINK_LIBRARIES)
  set(find "")
  set(requires "")
  set(libs "")
  if(NOT items)
    set(items "")
  endif()
  foreach(item IN LISTS items)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" item "${item}")
    if(item MATCHES "^\\$<BUILD_INTERFACE:" OR item MATCHES "^::@")  # ::@ only marks the directory that linked it
      continue()
    endif()
    if(item MATCHES "^sluice(::|_)(pipeline|input|stages)$")
      list(APPEND requires "sluice-${CMAKE_MATCH_2} = ${PROJECT_VERSION}")
      string(APPEND find "list(APPEND sluice_FIND_COMPONENTS ${CMAKE_MATCH_2})\n")
      continue()
    endif()
    set(known FALSE)
    foreach(dependency IN LISTS sluice_dependencies)
      string(REPLACE "|" ";" dependency "${dependency}")
      list(GET dependency 0 name)
      if(item STREQUAL name)
        set(known TRUE)
        list(GET dependency 1 package)
        list(GET dependency 2 module)
        string(APPEND find "find_dependency(${package})\n")
        if(item MATCHES "^PkgConfig::(.*)")
          string(APPEND find "pkg_check_modules(${CMAKE_MATCH_1} REQUIRED QUIET IMPORTED_TARGET ${module})\n")
        endif()
        if(module MATCHES "^-")
          list(APPEND libs "${module}")
        else()
          list(APPEND requires "${module}")
        endif()
      endif()
    endforeach()
    if(NOT known)
      message(FATAL_ERROR "sluice_${component} links ${item}: say in cmake/install.cmake how an installed sluice finds it")
    endif()
  endforeach()
  list(JOIN requires ", " requires)
  list(JOIN libs " " libs)
  set(sluice_${component}_find "${find}" PARENT_SCOPE)
  set(sluice_requires "${requires}" PARENT_SCOPE)
  set(sluice_libs "${libs}" PARENT_SCOPE)
endfunction()

# A pkg-config file names its prefix relative to itself, so that the installed tree can be moved.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(sluice_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH sluice_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" sluice_prefix "\${pcfiledir}/${sluice_prefix}")
endif()
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE sluice_pc_libdir)
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE sluice_pc_includedir)

function(sluice_install component description)
  set(target sluice_${component})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${component}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    INSTALL_RPATH $ORIGIN)
  install(TARGETS ${target} EXPORT sluice-${component}-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT sluice-${component}-targets NAMESPACE sluice:: DESTINATION ${sluice_package_dir}
    COMPONENT development)
  sluice_needs(${component})
  set(sluice_${component}_find "${sluice_${component}_find}" PARENT_SCOPE)
  set(sluice_name sluice-${component})
  set(sluice_description "${description}")
  set(sluice_library ${target})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/sluice.pc.in ${PROJECT_BINARY_DIR}/sluice-${component}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/sluice-${component}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT development)
endfunction()

sluice_install(pipeline "Bounded, ordered dataflow pipelines on oneTBB (C++20)")
sluice_install(input "Stages that read compressed files, zip files and arrays of NumPy's, and write gzip (C++20)")
sluice_install(stages "Stages for softmax regression from the files that people have (C++20)")

# With sluice/pipeline/detail: the templates need it.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/sluice/pipeline ${PROJECT_SOURCE_DIR}/sluice/stages DESTINATION ${sluice_include_dir}
  COMPONENT development FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sluice-config.cmake.in ${PROJECT_BINARY_DIR}/sluice-config.cmake
  INSTALL_DESTINATION ${sluice_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sluice-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sluice-config.cmake ${PROJECT_BINARY_DIR}/sluice-config-version.cmake
  DESTINATION ${sluice_package_dir} COMPONENT development)

if(SLUICE_BUILD_APPS)
  file(RELATIVE_PATH sluice_lib_from_bin "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(sluice_program PROPERTIES INSTALL_RPATH "$ORIGIN/${sluice_lib_from_bin}")
  install(TARGETS sluice_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
