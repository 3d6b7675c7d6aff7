# One compile-fail case: cmake -DMESSAGE=regex -P check.cmake -- compiler flags... source
cmake_minimum_required(VERSION 3.25)

set(command "")
set(seen FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(seen TRUE)
  endif()
endforeach()

# Messages in the language that the cases are written in.
set(ENV{LC_ALL} C)

# The correction first: where it fails, the failure of the mistake would mean nothing.
execute_process(COMMAND ${command} -DSLUICE_VALID RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "with SLUICE_VALID, it does not compile either:\n${output}")
endif()

execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
  message(FATAL_ERROR "the case compiles, and should not")
endif()
if(NOT output MATCHES "error: [^\n]*(${MESSAGE})")
  message(FATAL_ERROR "no error says \"${MESSAGE}\":\n${output}")
endif()

# One mistake is one error.
string(REGEX MATCHALL "error: " errors "${output}")
list(LENGTH errors count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${count} errors of one mistake:\n${output}")
endif()
