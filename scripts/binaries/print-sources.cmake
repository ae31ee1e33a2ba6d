# cmake -DPROCESSOR=x86_64 -DROOT=folder -P print-sources.cmake: prints the sources of a build without CUDA, one a line,
# with the flags of each after a bar. For compilers that CMake does not drive.
set(CMAKE_SYSTEM_PROCESSOR ${PROCESSOR})
include(${ROOT}/sources.cmake)
foreach(source IN LISTS INFCL_CORE_SOURCES INFCL_NO_CUDA_SOURCES)
  message(STATUS "${source}|")
endforeach()
foreach(isa IN LISTS INFCL_ISAS)
  foreach(source IN LISTS INFCL_${isa}_SOURCES)
    message(STATUS "${source}|${INFCL_${isa}_FLAGS}")
  endforeach()
endforeach()
