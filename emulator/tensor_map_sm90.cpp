// Driver API: tensor maps, of the one form that is modelled. What the driver would refuse is refused.
#include "tensor_map_sm90.h"

#include <cstring>

#include "driver_state.h"

using namespace infcl::emulator;

namespace {

std::string refuse(const void* map, CUdeviceptr base, const cuuint64_t* size, const cuuint64_t* stride,
                   const cuuint32_t* box) {
  if (reinterpret_cast<uintptr_t>(map) % 64) return "map not aligned to 64 bytes";
  if (base % 16) return "base not aligned to 16 bytes";
  if (stride[0] % 16 || stride[0] >= cuuint64_t{1} << 40) return "stride of rows";
  for (int d = 0; d < 2; d++) {
    if (size[d] == 0 || size[d] > cuuint64_t{1} << 32) return "size of the matrix";
    if (box[d] == 0 || box[d] > 256) return "size of the box";
  }
  if (stride[0] < size[0] * 2) return "rows overlap";
  if (box[0] * 2 != 128) return "box is not as wide as the swizzle: not modelled";
  return "";
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank,
                                           void* base, const cuuint64_t* size, const cuuint64_t* stride,
                                           const cuuint32_t* box, const cuuint32_t* element_stride,
                                           CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                                           CUtensorMapL2promotion, CUtensorMapFloatOOBfill fill) {
  return with_context([&](CUctx_st& context) {
    const auto invalid = [](const std::string& why) {
      return failed(CUDA_ERROR_INVALID_VALUE, "cuTensorMapEncodeTiled: " + why);
    };
    const bool modelled =
        (type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 || type == CU_TENSOR_MAP_DATA_TYPE_FLOAT16 ||
         type == CU_TENSOR_MAP_DATA_TYPE_UINT16) &&
        rank == 2 && interleave == CU_TENSOR_MAP_INTERLEAVE_NONE && swizzle == CU_TENSOR_MAP_SWIZZLE_128B &&
        fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE && element_stride[0] == 1 && element_stride[1] == 1;
    if (!modelled) return invalid("a form that is not modelled");
    const auto address = reinterpret_cast<CUdeviceptr>(base);
    if (const std::string why = refuse(map, address, size, stride, box); !why.empty()) return invalid(why);
    const Allocation* a = context.memory.find(address);
    if (!a || !a->contains(address, (size[1] - 1) * stride[0] + size[0] * 2))
      return invalid("the matrix is not within an allocation");
    const EncodedTensorMap encoded{
        EncodedTensorMap::kMagic, address, stride[0], size[0], size[1], box[0], box[1], {}};
    std::memcpy(map, &encoded, sizeof encoded);
    return CUDA_SUCCESS;
  });
}
#pragma GCC visibility pop
