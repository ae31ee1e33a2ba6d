// ldmatrix and mma.sync.
//
// An operand register of 32 lanes of two 16-bit elements, seen as memory, is a row-major 8x8 matrix: lane l
// holds columns 2 (l % 4) and one more of row l / 4. Products accumulate in float, in the order of k, or as
// on a device, see tensor_core_sums.h: compare with tolerances.
#include <algorithm>

#include "block.h"
#include "half.h"
#include "instruction_builder.h"
#include "memory.h"
#include "tensor_core_sums.h"

namespace infcl::emulator {
namespace {

constexpr int kSide = 8;  // of the 8x8 matrices that registers hold

// Lane l gives the row address of row l % 8 of matrix l / 8.
void load_matrices(Warp& warp, const Instruction& in, uint32_t) {
  LaneAddresses addresses = read_addresses(warp, in, in.operands[in.count], kFullMask);
  uint16_t matrices[4][kSide][kSide];
  for (int i = 0; i < in.count; i++) {
    uint32_t rows_at[kSide] = {}, worst = 0;  // of a wave, each 16-byte column of the banks serves one row
    uint32_t seen[kSide][kSide];
    for (int r = 0; r < kSide; r++) {
      const uint32_t offset = own_offset(warp, addresses.at[i * kSide + r]);
      const uint8_t* row = shared_pointer(warp, offset, 16, 16);
      if (warp.block().shadow()) touch_shared(warp, offset, 16, Access::kRead);
      std::memcpy(matrices[i][r], row, 16);
      const uint32_t column = offset / 16 % kSide;
      uint32_t* others = seen[column];
      if (std::find(others, others + rows_at[column], offset) == others + rows_at[column])
        others[rows_at[column]++] = offset;
      worst = std::max(worst, rows_at[column]);
    }
    warp.statistics().ldmatrix_phases++;
    warp.statistics().ldmatrix_waves += worst;
  }
  for (int i = 0; i < in.count; i++) {
    auto* d = warp.lanes<uint16_t>(in.operands[static_cast<size_t>(i)]);
    if (in.variant == 0) {
      std::memcpy(d, matrices[i], sizeof matrices[i]);
      continue;
    }
    for (int r = 0; r < kSide; r++)
      for (int c = 0; c < kSide; c++) d[r * kSide + c] = matrices[i][c][r];
  }
}

void decode_ldmatrix(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("sync");
  b.require("aligned");
  b.require("m8n8");
  constexpr uint8_t kCounts[] = {1, 2, 4};
  in.count = kCounts[b.require_one_of({"x1", "x2", "x4"})];
  in.variant = b.take("trans");
  if (!b.take("shared")) b.require("shared::cta");
  b.require("b16");
  b.fixed_destinations(0, in.count, Type::kB32);
  b.address(1);
  in.rendezvous = Rendezvous::kWholeWarp;
  in.execute = load_matrices;
}

template <float (*kWiden)(uint16_t)>
void widen_matrix(const uint16_t* from, float* to, int row_stride) {
  for (int r = 0; r < kSide; r++)
    for (int c = 0; c < kSide; c++) to[r * row_stride + c] = kWiden(from[r * kSide + c]);
}

using Row = float __attribute__((vector_size(kSide * sizeof(float))));

inline Row load_row(const float* from) {
  Row row;
  std::memcpy(&row, from, sizeof row);
  return row;
}

// D[16][8] = A[16][16] B[16][8] + C. Operands: 4 of d, 4 of a, 2 of b, 4 of c.
template <float (*kWiden)(uint16_t)>
void multiply_m16n8k16(Warp& warp, const Instruction& in, uint32_t) {
  constexpr int kM = 16, kN = 8, kK = 16;
  alignas(64) float a[kM][kK], b_by_column[kN][kK], b[kK][kN], acc[kM][kN];
  const uint32_t* operands = in.operands.data();
  for (int i = 0; i < 4; i++)  // a0 a2 / a1 a3
    widen_matrix<kWiden>(warp.lanes<uint16_t>(operands[4 + i]), &a[i % 2 * kSide][i / 2 * kSide], kK);
  for (int i = 0; i < 2; i++)
    widen_matrix<kWiden>(warp.lanes<uint16_t>(operands[8 + i]), &b_by_column[0][i * kSide], kK);
  for (int k = 0; k < kK; k++)
    for (int n = 0; n < kN; n++) b[k][n] = b_by_column[n][k];
  for (int i = 0; i < 4; i++) {
    const float* c = warp.lanes<float>(operands[10 + i]);
    for (int lane = 0; lane < kWarpSize; lane++)
      acc[lane / 4 + i / 2 * kSide][lane % 4 * 2 + i % 2] = c[lane];
  }
  if (warp.launch().options.truncate) {
    const TruncatedSums<kK, kN> products(b, tensor_core_step(warp.launch().options.sm));
    for (int m = 0; m < kM; m++) products.add(a[m], acc[m]);
  } else {
    for (int m = 0; m < kM; m++) {
      Row sum = load_row(acc[m]);
      for (int k = 0; k < kK; k++) sum += a[m][k] * load_row(b[k]);
      std::memcpy(acc[m], &sum, sizeof sum);
    }
  }
  for (int i = 0; i < 4; i++) {
    float* d = warp.lanes<float>(operands[i]);
    for (int lane = 0; lane < kWarpSize; lane++)
      d[lane] = acc[lane / 4 + i / 2 * kSide][lane % 4 * 2 + i % 2];
  }
  warp.statistics().mma++;
}

void decode_mma(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  for (const char* m : {"sync", "aligned", "m16n8k16", "row", "col", "f32"}) b.require(m);
  const bool bfloat = b.require_one_of({"bf16", "f16"}) == 0;
  b.require(bfloat ? "bf16" : "f16");
  b.require("f32");
  b.fixed_destinations(0, 4, Type::kF32);
  b.fixed_sources(1, 4, Type::kB32);
  b.fixed_sources(2, 2, Type::kB32);
  b.fixed_sources(3, 4, Type::kF32);
  in.rendezvous = Rendezvous::kWholeWarp;
  in.execute = bfloat ? multiply_m16n8k16<bfloat16_to_float> : multiply_m16n8k16<float16_to_float>;
}

}  // namespace

void add_matrix_opcodes(DecodeTable& table) {
  table["ldmatrix"] = decode_ldmatrix;
  table["mma"] = decode_mma;
}

}  // namespace infcl::emulator
