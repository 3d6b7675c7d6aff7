# Installs sluice into a prefix of its own; builds and runs a program for each component against it twice: by find_package,
# where no other package can be found than the component needs, and by pkg-config; both with headers of the consumer's own
# first in the include path that are called like some of sluice. Also holds the installed tree to its promises: it names no
# folder it was built in, and its headers are complete.
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

# The libraries may be shared, and the prefix is in no path of the system.
set(ENV{PKG_CONFIG_PATH} "${prefix}/${SLUICE_LIBDIR}/pkgconfig:$ENV{PKG_CONFIG_PATH}")
set(ENV{LD_LIBRARY_PATH} "${prefix}/${SLUICE_LIBDIR}:$ENV{LD_LIBRARY_PATH}")
separate_arguments(flags UNIX_COMMAND "${CXX_FLAGS}")

set(project ${CMAKE_CURRENT_LIST_DIR}/project)
set(every_package TBB fmt ZLIB BZip2 OpenSSL Eigen3 nlohmann_json PkgConfig)

# configure(program source COMPONENTS... PACKAGES...): sets `command`, which configures the consumer where only those packages can
# be found.
function(configure program source)
  cmake_parse_arguments(PARSE_ARGV 2 its "" "" "COMPONENTS;PACKAGES")
  set(hidden ${every_package})
  list(REMOVE_ITEM hidden ${its_PACKAGES})
  list(TRANSFORM hidden REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=TRUE")
  list(JOIN its_COMPONENTS "," components)
  set(command ${CMAKE_COMMAND} -S ${project} -B ${WORK}/${program} -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
      -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${CXX_FLAGS} -DPROGRAM=${program}
      -DSOURCE=${source} -DCOMPONENTS=${components} ${hidden} PARENT_SCOPE)
endfunction()

# use(program source ARGUMENTS... COMPONENTS... PACKAGES...): the program is built by CMake and by pkg-config and prints the same.
function(use program source)
  cmake_parse_arguments(PARSE_ARGV 2 its "" "" "ARGUMENTS;COMPONENTS;PACKAGES")
  configure(${program} ${source} COMPONENTS ${its_COMPONENTS} PACKAGES ${its_PACKAGES})
  run(${command})
  run(${CMAKE_COMMAND} --build ${WORK}/${program})
  run(${WORK}/${program}/${program} ${its_ARGUMENTS})
  set(by_cmake "${output}")

  list(TRANSFORM its_COMPONENTS PREPEND sluice- OUTPUT_VARIABLE modules)
  run(pkg-config --cflags --libs ${modules})
  separate_arguments(options UNIX_COMMAND "${output}")
  run(${CXX} -std=c++20 ${flags} -I${project}/own ${source} -o ${WORK}/by_pkg_config ${options})
  run(${WORK}/by_pkg_config ${its_ARGUMENTS})
  if(by_cmake STREQUAL "" OR NOT output STREQUAL by_cmake)
    message(FATAL_ERROR "${program}, built by CMake, prints\n${by_cmake}\nand by pkg-config\n${output}")
  endif()
endfunction()

set(text "one two two three three three\n")
file(WRITE ${WORK}/words.txt "${text}")
file(ARCHIVE_CREATE OUTPUT ${WORK}/words.gz PATHS ${WORK}/words.txt FORMAT raw COMPRESSION GZip)

use(use_pipeline ${project}/use_pipeline.cpp COMPONENTS pipeline PACKAGES TBB fmt)
use(word_count ${SLUICE_SOURCE_DIR}/apps/examples/word_count.cpp ARGUMENTS ${WORK}/words.gz
    COMPONENTS pipeline input PACKAGES TBB fmt ZLIB BZip2 PkgConfig)
use(use_stages ${project}/use_stages.cpp COMPONENTS stages
    PACKAGES fmt ZLIB BZip2 OpenSSL Eigen3 nlohmann_json PkgConfig)

# A package that is hidden is seen to be missing.
configure(without_eigen ${project}/use_stages.cpp COMPONENTS stages PACKAGES fmt ZLIB BZip2 OpenSSL nlohmann_json PkgConfig)
execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
if(code EQUAL 0)
  message(FATAL_ERROR "The stages were found without Eigen: hiding a package shows nothing")
endif()

# Every public header, with nothing but the installed ones to include: one that was left out is missed here. (In one
# file: that a header needs no other before it is what tests/headers sees.)
function(all_headers component)
  run(pkg-config --cflags sluice-${component})
  separate_arguments(options UNIX_COMMAND "${output}")
  list(FILTER ARGN EXCLUDE REGEX "/detail/")
  list(TRANSFORM ARGN REPLACE "(.+)" "#include <\\1>\n")
  list(JOIN ARGN "" includes)
  file(WRITE ${WORK}/all_${component}.cpp "#include \"pipeline/errors.hpp\"\n#include \"stages/errors.hpp\"\n${includes}")
  run(${CXX} -std=c++20 -fsyntax-only -I${project}/own ${options} ${WORK}/all_${component}.cpp)
endfunction()

foreach(component pipeline stages)
  file(GLOB_RECURSE headers RELATIVE "${prefix}/${SLUICE_INCLUDEDIR}"
       "${prefix}/${SLUICE_INCLUDEDIR}/sluice/${component}/*.hpp")
  all_headers(${component} ${headers})
endforeach()
set(headers array_header block_pieces blocks chunk codec each_file errors foreign_content fortran_order gzip huge_pages idx
            inflate inflate_whole input_files item_layout judge npy npz_keys readable_file regular_file set_format shared
            zip_member)
list(TRANSFORM headers REPLACE "(.+)" "sluice/stages/\\1.hpp")
all_headers(input ${headers})
