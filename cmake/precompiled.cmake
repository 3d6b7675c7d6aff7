# Headers that many sources of a target include are read once for all of them. A source includes what it names all the same:
# the preset asan builds with CMAKE_DISABLE_PRECOMPILE_HEADERS, where an include that is missing is an error.
#
# sluice_precompile(TARGET [HEADER...]): those of the standard library and these. Worth its three seconds for six sources or more.
# sluice_precompile(TARGET REUSE_FROM OTHER): those of another target, which is compiled with the same options.
function(sluice_precompile target)
  if(ARGV1 STREQUAL "REUSE_FROM")
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <cstdint> <cstring> <functional> <limits> <memory> <optional> <stdexcept> <string> <string_view>
      <utility> <vector> ${ARGN})
  endif()
  # g++ 12 keeps false warnings of its own std::string to itself, but not of one that comes from a precompiled header.
  if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
  endif()
endfunction()
