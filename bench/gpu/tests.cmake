# Tests of gpu-check and gpu-bench on the emulator. No program depends on the libraries here, or a machine with a GPU
# would build them for nothing.
add_library(infcl_fake_cublas SHARED fake_cublas.cpp)
# The emulator without its own symbols: rules for a real driver apply.
add_library(infcl_plain_driver SHARED $<TARGET_OBJECTS:infcl_cuda_emulator>)
set_target_properties(infcl_plain_driver PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(infcl_plain_driver PRIVATE Threads::Threads ${INFCL_ZSTD_LIBRARY})
target_link_options(infcl_plain_driver PRIVATE "-Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/driver_api.map")
set(emulator INFCL_CUDA_LIBRARY=$<TARGET_FILE:infcl_cuda_emulator>)
set(plain_driver INFCL_CUDA_LIBRARY=$<TARGET_FILE:infcl_plain_driver>)

# A run of gpu-check --quick on `driver`: its exit status, and what its output has to match.
function(infcl_test_gpu_check name driver status output)
  add_test(NAME gpu_check_${name} COMMAND ${CMAKE_COMMAND} "-DCOMMAND=$<TARGET_FILE:gpu-check>;--quick;${ARGN}"
    -DSTATUS=${status} "-DOUTPUT=${output}" -P ${CMAKE_CURRENT_SOURCE_DIR}/expect.cmake)
  set_tests_properties(gpu_check_${name} PROPERTIES ENVIRONMENT "${driver}")
endfunction()

infcl_test_gpu_check(quick "${emulator}" 0 "PASSED: 17 passed, 0 failed, 0 not run\n$")
infcl_test_gpu_check(list "${emulator}" 0
  "^suite:cuda_pairs_test\nshape:clip:float32:130x64\n.*device:leaks\ndevice:abort\ndevice:slabs\ndevice:memory\n$" --list)
infcl_test_gpu_check(list_sm90 "${emulator};INFCL_EMULATOR_SM=90" 0
  "^suite:cuda_pairs_test:sm80\nsuite:cuda_pairs_test:sm90\n$" --list --only suite:cuda_pairs_test)
infcl_test_gpu_check(one_suite "${emulator}" 0 "\nok       suite:cuda_pairs_test +[0-9.]+ s\nPASSED: 1 passed.*" --only suites)
infcl_test_gpu_check(one_shape "${emulator}" 0 "\nok       shape:siglip:bfloat16:130x64 .*PASSED: 1 passed"
  --only shape:siglip:bfloat16:130x64)
infcl_test_gpu_check(one_device "${emulator}" 0 "every byte.*\nok       device:leaks .*PASSED: 1 passed" --only device:leaks)
infcl_test_gpu_check(plain_driver "${plain_driver}" 0 "a driver may keep 16 MiB.*PASSED: 5 passed" --only suites,device)
infcl_test_gpu_check(unknown_name "${emulator}" 2 "no check is named 'device:leak'.*\n  device:leaks\n" --only device:leak)
infcl_test_gpu_check(unknown_option "${emulator}" 2 "--seconds takes a number of seconds above 0 but received 'x'" --seconds x)
infcl_test_gpu_check(no_driver "INFCL_CUDA_LIBRARY=/nowhere.so" 1 "^gpu-check: .*/nowhere.so" --list)
# A check starts a process and the emulator, which takes longer than a hundredth of a second.
infcl_test_gpu_check(over_limit "${emulator}" 1
  "\nBAD      device:abort .* over 0.01 s\nBAD      device:memory .* over 0.01 s\nFAILED: 0 passed, 2 failed, 0 not run\n$"
  --only device:abort,device:memory --check-seconds 0.01)
infcl_test_gpu_check(no_time_left "${emulator}" 3
  "\nNOT RUN  device:abort +0.0 s  no time left\n.*INCOMPLETE: 0 passed, 0 failed, 4 not run\n$" --only device --seconds 0.001)

# A device of no memory worth the name: the suite crashes and the check throws.
infcl_test_gpu_check(failed "${emulator};INFCL_EMULATOR_MEMORY=16384" 1
  "\nBAD      suite:cuda_pairs_test .* ended by signal 6 .*cuMemAlloc.*\nBAD      device:leaks .* exit status 1: BAD .*needs .* bytes.*\nFAILED: 0 passed, 2 failed, 0 not run\n$"
  --only suites,device:leaks)
if(INFCL_EMULATES_SM90)
  infcl_test_gpu_check(quick_sm90 "${emulator};INFCL_EMULATOR_SM=90" 0
    "kernels +compute_90a, compiled by the driver; products use sm_90a\n.*\nok       suite:cuda_pairs_test:sm80 .*suite:cuda_pairs_test:sm90 .*PASSED: 9 passed"
    --only suites,device,shape:clip)
endif()

# Every shipped image, out of the file. A build for text alone has nothing that the emulator cannot load.
function(infcl_test_images name driver status output file)
  add_test(NAME gpu_check_images_${name} COMMAND ${CMAKE_COMMAND}
    "-DCOMMAND=$<TARGET_FILE:gpu-check>;--images;${file};${ARGN}" -DSTATUS=${status} "-DOUTPUT=${output}"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/expect.cmake)
  set_tests_properties(gpu_check_images_${name} PROPERTIES ENVIRONMENT "${driver}")
endfunction()
infcl_test_images(self "${emulator}" 0 "\nok +compute_80 split.cu +[0-9]+ bytes  loaded\n.*PASSED: [1-9]" self)
infcl_test_images(of_program "${emulator}" 0 "\nok +compute_80 split.cu .*\nPASSED: [1-9]" $<TARGET_FILE:gpu-bench>)
infcl_test_images(older_device "${emulator};INFCL_EMULATOR_SM=75" 1
  "\n- +compute_80 split.cu .* not for this device .CUDA_ERROR_NO_BINARY_FOR_GPU.\nFAILED: 0 images loaded, [1-9]" self)
infcl_test_images(none "${emulator}" 2 "has no CUDA image" ${CMAKE_SOURCE_DIR}/LICENSE)
infcl_test_images(no_file "${emulator}" 2 "cannot read '/nowhere.node': No such file" /nowhere.node)
infcl_test_images(and_more "${emulator}" 2 "--images takes no other option beside it" self --quick)
if(INFCL_EMULATES_SM90)
  infcl_test_images(on_sm90 "${emulator};INFCL_EMULATOR_SM=90" 0
    "\nok +compute_90a scores_forward_sm90.cu .*\nPASSED: [0-9]+ images loaded, [0-9]+ not for this device, 0 failed\n$" self)
  infcl_test_images(of_sm90_on_sm80 "${emulator}" 0 "\n- +compute_90a scores_forward_sm90.cu .* not for this device .*PASSED" self)
endif()
# A file that was cut off in the middle of its images, and one whose text is damaged.
add_test(NAME gpu_check_images_damaged COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:gpu-check>
  -DFOLDER=${CMAKE_CURRENT_BINARY_DIR} -DIMAGES=${CMAKE_BINARY_DIR}/cuda -P ${CMAKE_CURRENT_SOURCE_DIR}/damaged_images_test.cmake)
set_tests_properties(gpu_check_images_damaged PROPERTIES ENVIRONMENT "${emulator}")

# Asked to end in the middle of a check, gpu-check ends the check and still prints its list.
find_program(INFCL_TIMEOUT timeout)
if(INFCL_TIMEOUT)
  add_test(NAME gpu_check_stopped COMMAND ${CMAKE_COMMAND} -DSTATUS=3
    "-DCOMMAND=${INFCL_TIMEOUT};--preserve-status;3;$<TARGET_FILE:gpu-check>;--quick;--rows;3000;--only;shape:clip:float32"
    "-DOUTPUT=NOT RUN  shape:clip:float32:3000x64 .*stopped by a signal\nINCOMPLETE: 0 passed, 0 failed, 1 not run\n$"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/expect.cmake)
  set_tests_properties(gpu_check_stopped PROPERTIES ENVIRONMENT ${emulator})
endif()

get_property(emulator_suites GLOBAL PROPERTY INFCL_EMULATOR_SUITES)
list(JOIN emulator_suites " " emulator_suites)
add_test(NAME gpu_check_suites COMMAND ${CMAKE_COMMAND} "-DLIST_COMMAND=$<TARGET_FILE:gpu-check>;--list;--only;suites"
  -DFOLDER=${CMAKE_BINARY_DIR} -DLIBRARY=$<TARGET_FILE:infcl_fake_cublas> "-DCARD_SUITES=${suite_paths}"
  "-DEMULATOR_SUITES=${emulator_suites}" -P ${CMAKE_CURRENT_SOURCE_DIR}/suites_test.cmake)
set_tests_properties(gpu_check_suites PROPERTIES ENVIRONMENT ${emulator})

# A run of gpu-bench --quick: its exit status, and what its output and then its report have to match.
function(infcl_test_gpu_bench name status output)
  set(report ${CMAKE_CURRENT_BINARY_DIR}/${name}.json)
  add_test(NAME gpu_bench_${name} COMMAND ${CMAKE_COMMAND} "-DCOMMAND=$<TARGET_FILE:gpu-bench>;--quick;--out;${report};${ARGN}"
    -DSTATUS=${status} "-DOUTPUT=${output}" -DFILE=${report} -P ${CMAKE_CURRENT_SOURCE_DIR}/expect.cmake)
  set_tests_properties(gpu_bench_${name} PROPERTIES
    ENVIRONMENT "${emulator};INFCL_CUBLAS_LIBRARY=$<TARGET_FILE:infcl_fake_cublas>")
endfunction()

# The bench itself compares the losses of both places, and ends with status 1 where they differ.
infcl_test_gpu_bench(quick 0
  "kernels +compute_80, compiled by the driver; products use sm_80\n.*bfloat16 +200 +64 host   [|].*bfloat16 +200 +64 device [|].*\"kernels\": \"compute_80, compiled.*\"place\": \"host\".*\"place\": \"device\".*\"skipped\": \\[\\]\n}\n$"
  --place host,device)
infcl_test_gpu_bench(no_time_left 1 "skipped: no time left\n.*\"cases\": \\[\\],\n *\"skipped\": .*\"why\": \"no time left\"" --seconds 0.001)
infcl_test_gpu_bench(unknown_place 2 "--place takes host, device or both but received 'hots'" --place hots)
infcl_test_gpu_bench(unwritable 1 "cannot write /nowhere/report.json" --out /nowhere/report.json)

add_executable(gpu_call_memory_test call_memory_test.cpp call_memory.cpp)
target_include_directories(gpu_call_memory_test PRIVATE ${CMAKE_SOURCE_DIR}/test/native ${CMAKE_SOURCE_DIR}/test/cuda/engine)
target_link_libraries(gpu_call_memory_test PRIVATE infcl_gpu_bench)
add_dependencies(gpu_call_memory_test infcl_cuda_emulator)
add_test(NAME gpu_call_memory_test COMMAND gpu_call_memory_test)
set_tests_properties(gpu_call_memory_test PROPERTIES ENVIRONMENT ${emulator})
