# cmake -DIMAGE=file -DSYMBOL=name -DOUTPUT=file.cpp -P embed_kernel.cmake: writes a file as an array of bytes. Any
# compiler takes an array. An assembler's .incbin would need other words for each system, and a mark against an
# executable stack.
file(READ ${IMAGE} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n"
  bytes "${bytes}")
file(WRITE ${OUTPUT} "namespace infcl::cuda {
extern const unsigned char ${SYMBOL}[];
alignas(16) const unsigned char ${SYMBOL}[] = {
${bytes}};
}  // namespace infcl::cuda
")
