# Which room may see which: reads the includes of every file and fails at an arrow that points upwards.
#   main -> commands -> {fetch, flags, ranks, report} -> job -> pictures -> terminal, and any arrow further down
# Linking alone would not see a header of plain data. -DSOURCE=<the project's folder>
cmake_minimum_required(VERSION 3.25)

# A room and what it may see beside itself; stages/ know nothing of the pipeline but its verbs, the framework of nobody.
set(apps/terminal sluice/pipeline sluice/stages)
set(apps/pictures apps/terminal ${apps/terminal})
set(apps/job apps/pictures ${apps/pictures})
set(apps/ranks apps/job ${apps/job})
set(apps/fetch apps/job ${apps/job})
set(apps/report apps/job ${apps/job})
set(apps/flags apps/job ${apps/job})
set(apps/commands apps/fetch apps/flags apps/ranks apps/report ${apps/job} apps/job)
set(apps apps/commands ${apps/commands})
set(apps/examples sluice/pipeline sluice/stages)
set(sluice/stages sluice/pipeline)
set(sluice/pipeline)
set(rooms apps/terminal apps/pictures apps/fetch apps/job apps/ranks apps/report apps/flags apps/commands apps apps/examples sluice/stages sluice/pipeline)

# What only some may include: a pattern, and the rooms (or files) that may.
set(only
    "CLI/|^apps/flags/"
    "(oneapi/)?tbb/(flow_graph|task_group|detail)|^sluice/pipeline/detail/"
    "(oneapi/)?tbb/|^(sluice/pipeline/|apps/main.cpp)"
    "(Eigen/|zlib.h|zip.h|openssl/|nlohmann/)|^(sluice/stages/|apps/)"
    "curl/|^apps/fetch/transfers.cpp"
    "mpi\\.h|^apps/ranks/mpi_engine.cpp"
    "sluice/pipeline/detail/|^sluice/pipeline/")

set(wrong "")
set(arrows 0)
file(GLOB_RECURSE files RELATIVE "${SOURCE}" "${SOURCE}/apps/*" "${SOURCE}/sluice/*")
list(FILTER files INCLUDE REGEX "\\.(hpp|cpp|inl)$")
foreach(file IN LISTS files)
  get_filename_component(room "${file}" DIRECTORY)
  string(REGEX REPLACE "^sluice/(pipeline|stages)/.*" "sluice/\\1" room "${room}")
  if(NOT room IN_LIST rooms)
    list(APPEND wrong "${file} is in no room: say here which others ${room} may see")
  endif()
  file(STRINGS "${SOURCE}/${file}" lines REGEX "^ *# *include")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^ *# *include *([<\"])([^>\"]*)[>\"]")
      list(APPEND wrong "${file}: ${line}")
      continue()
    endif()
    set(quote "${CMAKE_MATCH_1}")
    set(to "${CMAKE_MATCH_2}")
    foreach(rule IN LISTS only)
      string(REGEX REPLACE "^(.*)\\|(\\^.*)$" "\\1;\\2" parts "${rule}")
      list(GET parts 0 pattern)
      list(GET parts 1 allowed)
      if(to MATCHES "^${pattern}" AND NOT file MATCHES "${allowed}")
        list(APPEND wrong "${file} includes ${to}")
      endif()
    endforeach()
    if(NOT to MATCHES "^((apps|sluice)(/[a-z_]+)?)/")
      if(NOT quote STREQUAL "<")
        list(APPEND wrong "${file} includes ${to}, and not by its whole name")
      endif()
      continue()
    endif()
    set(target "${CMAKE_MATCH_1}")
    math(EXPR arrows "${arrows} + 1")
    if(NOT target STREQUAL room AND NOT target IN_LIST "${room}")
      list(APPEND wrong "${file} includes ${to}, and ${room} may see only: ${${room}}")
    endif()
    # A stage's only header of the framework is the one with the verbs.
    if(room STREQUAL "sluice/stages" AND to MATCHES "^sluice/pipeline/" AND NOT to STREQUAL "sluice/pipeline/verbs.hpp")
      list(APPEND wrong "${file} includes ${to}, a stage only sluice/pipeline/verbs.hpp")
    endif()
  endforeach()
endforeach()
if(arrows LESS 300)
  message(FATAL_ERROR "only ${arrows} includes were read: this test looks in the wrong place")
endif()
if(wrong)
  list(JOIN wrong "\n" wrong)
  message(FATAL_ERROR "arrows that point upwards, or at what is not theirs:\n${wrong}")
endif()
message(STATUS "${arrows} includes, all downwards")
