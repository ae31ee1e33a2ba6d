# cmake -P fatbin_options_test.cmake: the options of fatbinary, by the help of a toolkit that has ways of packing and of one that
# has not.
cmake_minimum_required(VERSION 3.18)
include(${CMAKE_CURRENT_LIST_DIR}/../../cuda/fatbin.cmake)

function(expect help kind expected)
  infcl_fatbin_options("${help}" ${kind} options)
  if(NOT options STREQUAL expected)
    message(FATAL_ERROR "${kind}: '${options}', expected '${expected}'")
  endif()
endfunction()

set(new "--compress [true,false]\n--compress-all\n--compress-mode [default,size,speed,balance,none]")
set(old "--compress [true,false]\n--compress-all\n")
foreach(kind ptx elf)
  expect("${new}" ${kind} "--compress-all;--compress-mode=size")
endforeach()
expect("${old}" ptx "--compress=false")
expect("${old}" elf "--compress-all")
