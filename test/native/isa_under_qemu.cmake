# Runs isa_dispatch_test on emulated processors that lack one or the other feature. An instruction that such a processor
# does not have ends the program by SIGILL. PROGRAM is the test, FAMILY is X64 or ARM64, and QEMU is the emulator with its
# first arguments (Debian: qemu-user). Says so where the emulator is missing.
separate_arguments(QEMU)
list(POP_FRONT QEMU name)
unset(emulator)
find_program(emulator ${name})
if(NOT emulator)
  message("NOT RUN: instruction sets are not tested on other processors than this one, for lack of ${name} "
    "(Debian: apt-get install qemu-user)")
  return()
endif()

# Processor, and the fastest that it runs: for float32 products, then for bfloat16 products.
# Up to AVX2: qemu has no AVX-512, of which isa_dispatch_test checks the decisions alone.
set(processors_X64
  max=avx2=avx2 Haswell=avx2=avx2 Haswell,-f16c,-bmi1,-bmi2=avx2=avx2
  qemu64=scalar=scalar Nehalem=scalar=scalar SandyBridge=scalar=scalar
  max,-avx2=scalar=scalar max,-fma=scalar=scalar max,-avx=scalar=scalar max,-xsave=scalar=scalar
  max,-popcnt=scalar=scalar max,-sse4.2=scalar=scalar)
set(processors_ARM64
  max=neon=neonbf16 cortex-a53=neon=neon cortex-a72=neon=neon cortex-a76=neon=neon neoverse-n1=neon=neon)
foreach(line ${processors_${FAMILY}})
  string(REGEX MATCH "^(.*)=([a-z0-9]+)=([a-z0-9]+)$" _ ${line})
  set(processor ${CMAKE_MATCH_1})
  set(isas ${CMAKE_MATCH_2} ${CMAKE_MATCH_3})
  execute_process(COMMAND ${emulator} ${QEMU} -cpu ${processor} ${PROGRAM} ${isas}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "on ${processor}, ${isas} expected: ${result}\n${output}${errors}")
  endif()
  message("${processor}: ${isas}, ${output}")
endforeach()
