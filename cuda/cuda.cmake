# Decides whether a build has the CUDA backend, compiles the kernels for every target and embeds them in the library.
# The library links nothing of CUDA: it looks for the driver when a caller first uses the backend. Both settings can
# also come from the environment, because npm passes no options on.
if(DEFINED ENV{INFCL_CUDA})
  set(default $ENV{INFCL_CUDA})
else()
  set(default AUTO)
endif()
set(INFCL_CUDA ${default} CACHE STRING "The CUDA backend: ON, OFF, or AUTO for where nvcc is found")
set(INFCL_CUDA_TARGETS "$ENV{INFCL_CUDA_TARGETS}" CACHE STRING
  "What to compile kernels for, such as sm_80;sm_90a;compute_80; default: all that are shipped and nvcc knows")
# Images do not depend on the processor of the host. So builds for two processors may have one folder of images.
set(INFCL_IMAGES_DIR ${CMAKE_BINARY_DIR}/cuda CACHE PATH "Where the kernels' images are written")

include(${CMAKE_CURRENT_LIST_DIR}/fatbin.cmake)

function(infcl_find_nvcc out)
  if(INFCL_CUDA STREQUAL "OFF")
    set(${out} "" PARENT_SCOPE)
    return()
  endif()
  find_program(INFCL_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  if(NOT INFCL_NVCC AND INFCL_CUDA STREQUAL "ON")
    message(FATAL_ERROR "INFCL_CUDA=ON needs nvcc, which was not found: put it on PATH, set CUDA_HOME, "
      "or leave the CUDA backend out with INFCL_CUDA=OFF")
  endif()
  if(INFCL_NVCC)
    set(${out} ${INFCL_NVCC} PARENT_SCOPE)
  else()
    set(${out} "" PARENT_SCOPE)
  endif()
endfunction()

# Cubins for the generations that the package ships, and text that the driver compiles for all later ones. The tests
# need text for Hopper, because the emulator executes text. A device of that generation takes the cubin. Text for Hopper
# is shipped as well, so that tests can execute the package's own bytes.
function(infcl_default_targets nvcc out)
  execute_process(COMMAND ${nvcc} --list-gpu-code OUTPUT_VARIABLE known COMMAND_ERROR_IS_FATAL ANY)
  set(targets compute_80)
  foreach(code sm_80 sm_86 sm_89 sm_90a sm_100 sm_120)
    string(REGEX REPLACE "a$" "" base ${code})
    if(known MATCHES "${base}[^0-9]")
      list(APPEND targets ${code})
      if(code STREQUAL "sm_90a")
        list(APPEND targets compute_90a)
      endif()
    endif()
  endforeach()
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

# Compiles one .cu file into one image, and writes the image's fatbin as an array of bytes into a source file of its own.
function(infcl_embed_kernel nvcc source target out)
  get_filename_component(name ${source} NAME_WE)
  set(symbol ${name}_${target})
  if(target MATCHES "^compute_")
    set(image ${INFCL_IMAGES_DIR}/${symbol}.ptx)
    set(kind -ptx)
  else()
    set(image ${INFCL_IMAGES_DIR}/${symbol}.cubin)
    set(kind -cubin)
  endif()
  # -gencode names exactly one architecture. -arch stands for a list that nvcc chooses, and Hopper's kernels compile
  # for 90a alone.
  string(REGEX REPLACE "^(sm|compute)_" "" architecture ${target})
  file(GLOB headers CONFIGURE_DEPENDS cuda/kernels/*.h cuda/kernels/*.cuh csrc/core/numerics.h)
  add_custom_command(OUTPUT ${image}
    COMMAND ${nvcc} ${kind} -gencode=arch=compute_${architecture},code=${target} -std=c++17 -O3 -I${CMAKE_SOURCE_DIR}/csrc
      -o ${image} ${CMAKE_SOURCE_DIR}/${source}
    DEPENDS ${source} ${headers} COMMENT "Compiling ${name} for ${target}" VERBATIM)
  set(script ${CMAKE_SOURCE_DIR}/cuda/embed_kernel.cmake)
  infcl_add_fatbin(${image} ${name}.cu ${target} fatbin)
  add_custom_command(OUTPUT ${INFCL_IMAGES_DIR}/${symbol}.cpp
    COMMAND ${CMAKE_COMMAND} -DIMAGE=${fatbin} -DSYMBOL=${symbol} -DOUTPUT=${INFCL_IMAGES_DIR}/${symbol}.cpp
      -P ${script}
    DEPENDS ${fatbin} ${script} VERBATIM)
  set(${out} ${symbol} PARENT_SCOPE)
endfunction()

# Whether a kernel file has an image of its own for a target. NAME_sm90.cu has instructions that only Hopper knows. Of
# the other files nvcc writes the same PTX for compute_90a as for compute_80, but for the name of the target. So the
# backend takes them from compute_80 (images_for in kernel_images.h).
function(infcl_has_image source target targets out)
  set(${out} ON PARENT_SCOPE)
  if(source MATCHES "_sm90\\.cu$")
    if(NOT target MATCHES "_90a$")
      set(${out} OFF PARENT_SCOPE)
    endif()
  elseif(target STREQUAL "compute_90a" AND "compute_80" IN_LIST targets)
    set(${out} OFF PARENT_SCOPE)
  endif()
endfunction()

# Writes the list that kernel_images() returns.
function(infcl_list_images symbols_and_sources)
  set(declarations "")
  set(entries "")
  foreach(entry ${symbols_and_sources})
    string(REGEX MATCH "^([^|]+)[|]([^|]+)[|]([^|]+)$" _ ${entry})
    set(symbol ${CMAKE_MATCH_1})
    set(source ${CMAKE_MATCH_2})
    set(target ${CMAKE_MATCH_3})
    string(REGEX REPLACE "^(sm|compute)_" "" architecture ${target})
    if(target MATCHES "^compute_")
      set(is_ptx true)
    else()
      set(is_ptx false)
    endif()
    string(APPEND declarations "extern const unsigned char ${symbol}[];\n")
    string(APPEND entries "      {\"${source}\", \"${architecture}\", ${is_ptx}, ${symbol}},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${INFCL_IMAGES_DIR}/kernel_images.cpp @ONLY CONTENT
"// Written by cuda/cuda.cmake.
#include \"cuda/kernel_images.h\"

namespace infcl::cuda {

@declarations@
const std::vector<KernelImage>& kernel_images() {
  static const std::vector<KernelImage> images = {
@entries@  };
  return images;
}

}  // namespace infcl::cuda
")
endfunction()

# Adds the CUDA backend or its stand-in to a library.
function(infcl_add_cuda library)
  infcl_find_nvcc(nvcc)
  if(NOT nvcc)
    target_sources(${library} PRIVATE ${INFCL_NO_CUDA_SOURCES} ${INFCL_${INFCL_SYSTEM}_NO_CUDA_SOURCES})
    set(INFCL_HAS_CUDA OFF PARENT_SCOPE)
    return()
  endif()
  set(targets ${INFCL_CUDA_TARGETS})
  if(NOT targets)
    infcl_default_targets(${nvcc} targets)
  endif()
  message(STATUS "CUDA backend for ${targets}")
  file(MAKE_DIRECTORY ${INFCL_IMAGES_DIR})
  infcl_prepare_fatbins(${nvcc})
  file(GLOB sources RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS cuda/kernels/*.cu)
  set(images "")
  foreach(source ${sources})
    get_filename_component(file ${source} NAME)
    foreach(target ${targets})
      infcl_has_image(${source} ${target} "${targets}" has_image)
      if(NOT has_image)
        continue()
      endif()
      infcl_embed_kernel(${nvcc} ${source} ${target} symbol)
      list(APPEND images "${symbol}|${file}|${target}")
      target_sources(${library} PRIVATE ${INFCL_IMAGES_DIR}/${symbol}.cpp)
    endforeach()
  endforeach()
  list(FIND targets compute_90a at)
  if(at GREATER -1)
    set(INFCL_EMULATES_SM90 ON PARENT_SCOPE)  # emulators execute text, not machine code
  endif()
  infcl_list_images("${images}")
  target_sources(${library} PRIVATE ${INFCL_CUDA_SOURCES} ${INFCL_IMAGES_DIR}/kernel_images.cpp)
  target_link_libraries(${library} PUBLIC ${CMAKE_DL_LIBS})
  set(INFCL_HAS_CUDA ON PARENT_SCOPE)
endfunction()
