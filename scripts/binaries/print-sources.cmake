# cmake -DPROCESSOR=x86_64 -DSYSTEM=WINDOWS -DNO_CUDA=WINDOWS -DROOT=folder -P print-sources.cmake: prints the sources of
# a build without CUDA, one a line, with the flags of each after a bar. For compilers that CMake does not drive. NO_CUDA
# names the list that says why: users of musl need another answer than users of Linux with glibc.
set(CMAKE_SYSTEM_PROCESSOR ${PROCESSOR})
set(INFCL_SYSTEM ${SYSTEM})
include(${ROOT}/sources.cmake)
foreach(list INFCL_CORE INFCL_${SYSTEM} INFCL_${SYSTEM}_BINDING INFCL_${INFCL_PROCESSOR} INFCL_NO_CUDA INFCL_${NO_CUDA}_NO_CUDA)
  if(NOT ${list}_SOURCES)
    message(FATAL_ERROR "sources.cmake has no list ${list}_SOURCES")
  endif()
  foreach(source IN LISTS ${list}_SOURCES)
    message(STATUS "${source}|${${list}_FLAGS}")
  endforeach()
endforeach()
foreach(isa IN LISTS INFCL_ISAS)
  foreach(source IN LISTS INFCL_${isa}_SOURCES)
    message(STATUS "${source}|${INFCL_${isa}_FLAGS}")
  endforeach()
endforeach()
