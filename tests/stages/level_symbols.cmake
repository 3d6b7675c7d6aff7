# Fails if an object of one instruction-set level defines any symbol for others than its table's function. Names of types,
# which a sanitizer asks for, are no code.
# cmake -D NM=nm -D OBJECTS=a.o|b.o -P level_symbols.cmake
string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
if(NOT OBJECTS)
  message(FATAL_ERROR "no object of a level given")
endif()
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} -C --defined-only --extern-only ${object} OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(STRIP "${symbols}" symbols)
  string(REPLACE "\n" ";" lines "${symbols}")
  list(FILTER lines EXCLUDE REGEX " V typeinfo (name )?for ")
  list(LENGTH lines count)
  if(NOT count EQUAL 1 OR NOT lines MATCHES " T sluice::kernels::level_[a-z0-9]+\\(\\)$")
    message(FATAL_ERROR "${object} defines, expected its table's function only:\n${symbols}")
  endif()
endforeach()
