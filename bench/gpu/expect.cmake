# Runs COMMAND, a list, and fails unless its exit status is STATUS and its output matches OUTPUT. The text of FILE,
# where one is named and written, counts as the end of the output.
if(FILE)
  file(REMOVE ${FILE})
endif()
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(FILE AND EXISTS ${FILE})
  file(READ ${FILE} text)
  string(APPEND output "${text}")
endif()
if(NOT status EQUAL "${STATUS}" OR NOT output MATCHES "${OUTPUT}")
  message(FATAL_ERROR "exit status ${status}, ${STATUS} expected; output expected to match ${OUTPUT}\n${output}")
endif()
