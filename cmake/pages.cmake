# Writes what is installed beside the program, as the program prints it: the pages of its manual, and what shells complete it by.
# -DPROGRAM=<the words that run it> -DFOLDER=<is made anew>
cmake_minimum_required(VERSION 3.25)

function(write file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE "${FOLDER}/${file}" RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: ended with ${code}")
  endif()
endfunction()

file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${FOLDER}/man1")
write(sluice.bash completions bash)
write(_sluice completions zsh)
write(sluice.fish completions fish)
# sluice(1) names the page of each command.
write(man1/sluice.1 help --man)
file(READ "${FOLDER}/man1/sluice.1" page)
string(REGEX MATCHALL "\\.It Xr sluice-[a-z]+ 1" items "${page}")
if(NOT items)
  message(FATAL_ERROR "sluice.1 names no page of a command")
endif()
foreach(item IN LISTS items)
  string(REGEX REPLACE "\\.It Xr sluice-([a-z]+) 1" "\\1" command "${item}")
  write(man1/sluice-${command}.1 help --man ${command})
endforeach()
