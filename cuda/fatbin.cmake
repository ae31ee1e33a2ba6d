# Packs images of kernels into fatbins, which a CUDA driver unpacks itself. A fatbin of an image is about a tenth of the
# image, and so is the library that has the images inside.

# fatbinary lies beside nvcc, which tells its own folder. The nvcc on PATH may be a script in another folder.
function(infcl_find_fatbinary nvcc)
  execute_process(COMMAND ${nvcc} --dryrun -E -x cu /dev/null ERROR_VARIABLE settings OUTPUT_QUIET)
  string(REGEX MATCH "_HERE_=([^\r\n]*)" _ "${settings}")
  find_program(INFCL_FATBINARY fatbinary HINTS ${CMAKE_MATCH_1})
  if(NOT INFCL_FATBINARY)
    message(FATAL_ERROR "The CUDA backend needs fatbinary, which the CUDA toolkit has beside nvcc, but ${nvcc} has none: "
      "install the toolkit's package nvcc, name the program with -DINFCL_FATBINARY=PATH, or leave the CUDA backend out with "
      "INFCL_CUDA=OFF")
  endif()
endfunction()

# The options that pack best, by the help text of fatbinary. `kind` is ptx or elf. A toolkit without --compress-mode
# packs by LZ4. The emulator does not read LZ4, and so its tests need PTX that is not packed.
function(infcl_fatbin_options help kind out)
  if(help MATCHES "--compress-mode")
    set(${out} --compress-all --compress-mode=size PARENT_SCOPE)
  elseif(kind STREQUAL "ptx")
    set(${out} --compress=false PARENT_SCOPE)
  else()
    set(${out} --compress-all PARENT_SCOPE)
  endif()
endfunction()

# Finds the tool and its options once for all images: INFCL_FATBINARY, INFCL_FATBIN_ptx_OPTIONS, INFCL_FATBIN_elf_OPTIONS.
# INFCL_FATBIN_MODES tells whether the tool can choose among ways of packing.
function(infcl_prepare_fatbins nvcc)
  infcl_find_fatbinary(${nvcc})
  execute_process(COMMAND ${INFCL_FATBINARY} --help OUTPUT_VARIABLE help ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  foreach(kind ptx elf)
    infcl_fatbin_options("${help}" ${kind} options)
    set(INFCL_FATBIN_${kind}_OPTIONS "${options}" CACHE INTERNAL "How fatbinary packs images of this kind")
  endforeach()
  set(modes ON)
  if(NOT help MATCHES "--compress-mode")
    set(modes OFF)
    message(STATUS "${INFCL_FATBINARY} has no --compress-mode, so the library is some MB larger than with CUDA 13")
  endif()
  set(INFCL_FATBIN_MODES ${modes} CACHE INTERNAL "Whether fatbinary has --compress-mode")
endfunction()

# Packs IMAGE, which `target` tells to be PTX (compute_80) or machine code (sm_90a). `name` is stored beside the image.
function(infcl_add_fatbin image name target out)
  string(REGEX MATCH "^(sm|compute)_(.+)$" _ ${target})
  set(architecture ${CMAKE_MATCH_2})
  set(kind elf)
  if(CMAKE_MATCH_1 STREQUAL "compute")
    set(kind ptx)
  endif()
  set(${out} ${image}.fatbin PARENT_SCOPE)
  add_custom_command(OUTPUT ${image}.fatbin
    COMMAND ${INFCL_FATBINARY} -64 --create=${image}.fatbin --ident=${name}
      --image3=kind=${kind},sm=${architecture},file=${image} ${INFCL_FATBIN_${kind}_OPTIONS}
    DEPENDS ${image} VERBATIM)
endfunction()
