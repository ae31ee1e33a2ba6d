# gpu-check --images on files that it must not take for whole: cut off within an image, or damaged inside the image. And
# on a file of two images with other bytes between them.
# PROGRAM: gpu-check. IMAGES: a folder with split_compute_80.ptx.fatbin. FOLDER: where the files are written.
set(whole ${IMAGES}/split_compute_80.ptx.fatbin)
file(SIZE ${whole} bytes)

# Runs gpu-check on what a line of shell writes.
function(expect name shell status output)
  set(file ${FOLDER}/${name}.node)
  execute_process(COMMAND sh -c "${shell}" OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${PROGRAM} --images ${file} RESULT_VARIABLE found OUTPUT_VARIABLE text ERROR_VARIABLE text)
  file(REMOVE ${file})
  if(NOT found EQUAL status OR NOT text MATCHES "${output}")
    message(FATAL_ERROR "${name}: exit status ${found}, ${status} expected; expected to match ${output}\n${text}")
  endif()
endfunction()

math(EXPR shorter "${bytes} - 100")
expect(whole "cat '${whole}'" 0 "\nok +compute_80 split.cu +${bytes} bytes  loaded\nPASSED: 1 images loaded")
expect(two "printf 12345; cat '${whole}'; printf P; cat '${whole}'" 0 "\nPASSED: 2 images loaded, 0 not for this device, 0 failed")
expect(cut_off "cat '${whole}'; head -c ${shorter} '${whole}'" 1
  "\nBAD +fatbin at byte ${bytes} .* bytes follow its header, but [0-9]+ are there\nFAILED: 1 images loaded, 0 not for this device, 1 failed")
# The name of the file ends at byte 112, where the packed text begins.
expect(damaged "head -c 112 '${whole}'; printf 12345678; tail -c +121 '${whole}'" 1
  "\nBAD +compute_80 split.cu .*is for this device, but does not load .CUDA_ERROR_INVALID_IMAGE.\nFAILED: 0 images loaded")
