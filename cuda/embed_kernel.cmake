# cmake -DIMAGE=file -DSYMBOL=name -DOUTPUT=file.cpp -P embed_kernel.cmake: a file as an array of bytes. Ends with a
# zero, as text for the driver must.
file(READ ${IMAGE} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n"
  bytes "${bytes}")
file(WRITE ${OUTPUT} "namespace infcl::cuda {
extern const unsigned char ${SYMBOL}[];
alignas(16) const unsigned char ${SYMBOL}[] = {
${bytes}0};
}  // namespace infcl::cuda
")
