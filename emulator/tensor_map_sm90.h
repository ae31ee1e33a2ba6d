// What cuTensorMapEncodeTiled leaves in a tensor map here: an encoding of our own, since the hardware's is
// secret.
#pragma once

#include <cstdint>

namespace infcl::emulator {

struct alignas(64) EncodedTensorMap {
  static constexpr uint64_t kMagic = 0x70616d726f736e65;
  uint64_t magic, base, row_bytes, width, height;
  uint32_t box_columns, box_rows;
  uint64_t unused[10];
};
static_assert(sizeof(EncodedTensorMap) == 128, "a CUtensorMap");

}  // namespace infcl::emulator
