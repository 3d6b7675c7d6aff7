# Installs sluice into a prefix of its own; builds and runs the consumer against it twice: by find_package and by pkg-config.
# Also holds the installed tree to its promises: it names no folder it was built in, and its headers are complete.
cmake_minimum_required(VERSION 3.25)

# run(COMMAND...): the command's output is in `output`; a failure ends the check with it.
macro(run)
  set(command ${ARGN})
  execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT code EQUAL 0)
    list(JOIN command " " command)
    message(FATAL_ERROR "${command}\nended with ${code}:\n${output}")
  endif()
endmacro()

set(prefix "${WORK}/prefix")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
unset(ENV{DESTDIR})
run(${CMAKE_COMMAND} --install ${SLUICE_BUILD_DIR} --prefix ${prefix})

file(GLOB_RECURSE texts "${prefix}/*.cmake" "${prefix}/*.pc")
foreach(text IN LISTS texts)
  file(READ "${text}" content)
  string(FIND "${content}" "${SLUICE_SOURCE_DIR}" found)
  if(NOT found EQUAL -1)
    message(FATAL_ERROR "${text} names the source tree, ${SLUICE_SOURCE_DIR}")
  endif()
endforeach()

# By CMake.
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/project -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${CXX_FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)

# The libraries may be shared, and the prefix is in no path of the system.
set(ENV{PKG_CONFIG_PATH} "${prefix}/${SLUICE_LIBDIR}/pkgconfig:$ENV{PKG_CONFIG_PATH}")
set(ENV{LD_LIBRARY_PATH} "${prefix}/${SLUICE_LIBDIR}:$ENV{LD_LIBRARY_PATH}")
separate_arguments(flags UNIX_COMMAND "${CXX_FLAGS}")

foreach(component pipeline stages)
  run(${WORK}/build/use_${component})
  set(by_cmake "${output}")

  # By pkg-config.
  run(pkg-config --cflags --libs sluice-${component})
  separate_arguments(options UNIX_COMMAND "${output}")
  run(${CXX} -std=c++20 ${flags} ${CMAKE_CURRENT_LIST_DIR}/project/use_${component}.cpp
      -o ${WORK}/by_pkg_config ${options})
  run(${WORK}/by_pkg_config)
  if(NOT output STREQUAL by_cmake)
    message(FATAL_ERROR "use_${component}, built by CMake, prints\n${by_cmake}\nand by pkg-config\n${output}")
  endif()
endforeach()

# Every public header, with nothing but the installed ones to include: one that was left out is missed here. (In one
# file: that a header needs no other before it is seen where its .cpp includes it first.)
foreach(component pipeline stages)
  run(pkg-config --cflags sluice-${component})
  separate_arguments(options UNIX_COMMAND "${output}")
  file(GLOB_RECURSE headers RELATIVE "${prefix}/${SLUICE_INCLUDEDIR}"
       "${prefix}/${SLUICE_INCLUDEDIR}/sluice/${component}/*.hpp")
  list(FILTER headers EXCLUDE REGEX "/detail/")
  list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
  list(JOIN headers "" includes)
  file(WRITE ${WORK}/all_${component}.cpp "${includes}")
  run(${CXX} -std=c++20 -fsyntax-only ${options} ${WORK}/all_${component}.cpp)
endforeach()
