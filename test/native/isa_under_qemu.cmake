# Runs isa_dispatch_test on emulated processors that lack one or the other feature. An instruction that such a processor
# does not have ends the program by SIGILL. Needs qemu-x86_64 (Debian: qemu-user); says so where that is missing.
# Emulates up to AVX2: qemu has no AVX-512, of which isa_dispatch_test checks the decisions alone.
find_program(QEMU qemu-x86_64)
if(NOT QEMU)
  message("NOT RUN: instruction sets are not tested on other processors than this one, for lack of qemu-x86_64 "
    "(Debian: apt-get install qemu-user)")
  return()
endif()

# Processor, and what is the fastest that it runs.
set(processors
  max=avx2 Haswell=avx2 Haswell,-f16c,-bmi1,-bmi2=avx2
  qemu64=scalar Nehalem=scalar SandyBridge=scalar
  max,-avx2=scalar max,-fma=scalar max,-avx=scalar max,-xsave=scalar max,-popcnt=scalar max,-sse4.2=scalar)
foreach(pair ${processors})
  string(REGEX MATCH "^(.*)=([a-z0-9]+)$" _ ${pair})
  set(processor ${CMAKE_MATCH_1})
  set(isa ${CMAKE_MATCH_2})
  execute_process(COMMAND ${QEMU} -cpu ${processor} ${PROGRAM} ${isa}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "on ${processor}, ${isa} expected: ${result}\n${output}${errors}")
  endif()
  message("${processor}: ${isa}, ${output}")
endforeach()
