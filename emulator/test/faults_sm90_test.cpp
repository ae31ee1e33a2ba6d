// Wrong programs of sm_90a must be found out, with a message that says what; right ones must not.
#include <cmath>
#include <cstring>

#include "../emulator_api.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;

namespace {

constexpr int kColumns = 128, kRows = 128;  // of the matrix, in 16-bit elements

// Small numbers that bfloat16 has exactly.
float value(int row, int column) { return static_cast<float>((row * 5 + column * 3) % 16 - 8); }

uint16_t bits(float x) {
  uint32_t word;
  std::memcpy(&word, &x, sizeof word);
  return static_cast<uint16_t>(word >> 16);
}

struct MapShape {
  cuuint64_t base_offset = 0, width = kColumns, height = kRows, stride = kColumns * 2;
  cuuint32_t box_columns = 64, box_rows = 64;
  CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_128B;
};

CUresult encode(CUtensorMap* map, CUdeviceptr matrix, const MapShape& s) {
  const cuuint64_t sizes[] = {s.width, s.height}, strides[] = {s.stride};
  const cuuint32_t box[] = {s.box_columns, s.box_rows}, ones[] = {1, 1};
  return cuTensorMapEncodeTiled(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2,
                                reinterpret_cast<void*>(matrix + s.base_offset), sizes, strides, box, ones,
                                CU_TENSOR_MAP_INTERLEAVE_NONE, s.swizzle, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

CUdeviceptr upload_matrix(Device& device) {
  std::vector<uint16_t> matrix;
  for (int i = 0; i < kRows; i++)
    for (int j = 0; j < kColumns; j++) matrix.push_back(bits(value(i, j)));
  return device.upload(matrix);
}

struct Fault {
  const char* kernel;
  int mistake;
  const char* setting;  // the mode that finds it; null: always
  CUresult code;
  std::vector<std::string> message;
};

const std::vector<Fault> kFaults = {
    {"box", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"box", 1, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"mbarrier", "was not initialised"}},
    {"box", 2, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"mbarrier", "was not fenced for copies"}},
    {"box", 3, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"more bytes than announced"}},
    {"box", 4, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"deadlock", "misses 0 arrivals and 16 bytes", "warp 1"}},
    {"box", 5, nullptr, CUDA_ERROR_MISALIGNED_ADDRESS, {"box not aligned to 128 bytes"}},
    {"box", 6, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for", "cp.async.bulk"}},
    {"box", 7, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"box", 7, "INFCL_EMULATOR_EARLY", CUDA_SUCCESS, {}},
    {"box", 8, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for", "cp.async.bulk"}},
    {"box", 9, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"deadlock", "misses 1 arrivals"}},
    {"box", 10, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"more arrivals than the phase has"}},
    {"box", 11, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for", "cp.async.bulk"}},
    {"box", 12, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte"}},
    {"box", 13, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"ends while tensor copies are under way"}},
    {"box", 14, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for"}},
    {"box", 14, "INFCL_EMULATOR_EARLY", CUDA_ERROR_LAUNCH_FAILED, {"more bytes than announced"}},
    {"box", 15, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"initialised twice"}},
    {"box", 16, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"box", 17, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"parity 2"}},
    {"box", 18, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"box", 19, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for"}},
    {"product", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"product", 1, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte", "wgmma"}},
    {"product", 2, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"wgmma without wgmma.fence"}},
    {"product", 3, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"exits while wgmma is under way"}},
    {"product", 4, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"was written while under way"}},
    {"product", 5, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"layout that is not modelled"}},
    {"product", 6, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"does not begin where its swizzle does"}},
    {"product", 7, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"lanes disagree about a descriptor"}},
    {"product", 8, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"divergence", "wgmma"}},
    {"product", 9, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"race on shared byte", "wgmma"}},
    {"product", 10, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"warps of a warpgroup disagree"}},
    {"cluster", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"cluster", 0, nullptr, CUDA_SUCCESS, {}},
    {"cluster", 0, "INFCL_EMULATOR_EARLY", CUDA_SUCCESS, {}},
    {"cluster", 1, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte"}},
    {"cluster", 2, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"deadlock", "8192 bytes", "block 1 warp 0"}},
    {"cluster", 3, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"block 2 of a cluster of 2"}},
    {"cluster", 4, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"deadlock", "misses 1 arrivals"}},
    {"cluster", 5, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte", "cp.async.bulk"}},
    {"cluster", 6, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"shared memory of block", "which has exited"}},
    {"cluster",
     10,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"block exits without knowing that warp 2"}},
    {"cluster", 7, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"barrier.cluster.wait without an arrival"}},
    {"cluster", 8, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"barrier.cluster.arrive again"}},
    {"cluster", 9, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"block 2 of a cluster of 2"}},
    {"cluster", 11, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"race on shared byte", "ld.shared"}},
    {"cluster",
     12,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"race on shared byte", "mbarrier.init"}},
    {"cluster", 13, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"race on shared byte", "st.volatile"}},
    {"cluster", 14, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"cluster",
     15,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"block exits without knowing that warp"}},
    {"cluster", 16, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"is not of block"}},
    {"cluster", 17, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"is not of block"}},
    {"cluster", 18, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"is not of block"}},
    {"registers", 0, nullptr, CUDA_SUCCESS, {}},
    {"registers", 1, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"deadlock", "registers that nobody gives"}},
    {"registers", 2, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"setmaxnreg.inc to 32 registers from 40"}},
    {"registers", 3, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"setmaxnreg.dec to 48 registers from 40"}},
};

// Checks the output of a run without a fault. Zeros are beyond the matrix.
void check_box(const std::vector<uint16_t>& got, int x, int y) {
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) {
      const bool inside = y + i < kRows && x + j < kColumns;
      const uint16_t want = inside ? bits(value(y + i, x + j)) : 0;
      CHECK(got[static_cast<size_t>(i * 64 + j)] == want, "box at %d, %d: element %d, %d", x, y, i, j);
    }
}

// Both blocks have all of the matrix, half of its columns at a time, and each of it was read once.
void check_cluster(const std::vector<uint16_t>& got) {
  for (int block = 0; block < 2; block++)
    for (int i = 0; i < kRows; i++)
      for (int j = 0; j < kColumns; j++) {
        const int at = ((block * 2 + j / 64) * 128 + i) * 64 + j % 64;
        CHECK(got[static_cast<size_t>(at)] == bits(value(i, j)), "block %d: element %d, %d", block, i, j);
      }
  CHECK(last_statistic("copiedBytes") == kRows * kColumns * 2, "%g bytes", last_statistic("copiedBytes"));
}

void check_product(const std::vector<float>& got) {
  for (int i = 0; i < 64; i++) {
    float want = 0;
    for (int k = 0; k < 16; k++) want += value(i, k) * value(0, k);
    CHECK(got[static_cast<size_t>(i)] == want, "row %d: %g, not %g", i, got[static_cast<size_t>(i)], want);
  }
}

void check_fault(const Fault& fault) {
  Setting setting(fault.setting ? fault.setting : "INFCL_EMULATOR_UNUSED", "1");
  Device device;
  device.load(read_ptx("faults_sm90"));
  alignas(64) CUtensorMap map;
  CHECK(encode(&map, upload_matrix(device), {}) == CUDA_SUCCESS, "%s", infcl_emulator_last_error());
  const std::string kernel = fault.kernel;
  const CUdeviceptr out = device.buffer<float>(2 * 2 * 128 * 64);
  const unsigned blocks = kernel == "cluster" ? 2 : 1;
  const unsigned threads = kernel == "product" ? 128 : kernel == "registers" ? 384 : 64;
  const std::string why =
      kernel == "registers"
          ? device.launch("registers_kernel", {blocks, threads}, {&fault.mistake, &out})
          : device.launch(kernel + "_kernel", {blocks, threads}, {&fault.mistake, &map, &out});
  const CUresult code = cuStreamSynchronize(nullptr);
  CHECK(code == fault.code, "%s %d: %d, not %d: %s", fault.kernel, fault.mistake, static_cast<int>(code),
        static_cast<int>(fault.code), why.c_str());
  for (const std::string& part : fault.message)
    CHECK(contains(why, part), "%s %d: no \"%s\" in \"%s\"", fault.kernel, fault.mistake, part.c_str(),
          why.c_str());
  if (code != CUDA_SUCCESS) return;
  if (kernel == "box")
    check_box(device.download<uint16_t>(out, 64 * 64), fault.mistake == 16 ? 32 : 0,
              fault.mistake == 16 ? 70 : 0);
  if (kernel == "cluster") check_cluster(device.download<uint16_t>(out, 2 * 2 * 128 * 64));
  if (kernel == "product") check_product(device.download<float>(out, 64));
}

// Without the mode that reports it, a box not waited for is still NaN.
void check_poison() {
  Device device;
  device.load(read_ptx("faults_sm90"));
  alignas(64) CUtensorMap map;
  encode(&map, upload_matrix(device), {});
  const CUdeviceptr out = device.buffer<uint16_t>(64 * 64);
  const int mistake = 6;
  const std::string why = device.launch("box_kernel", {1, 32}, {&mistake, &map, &out});
  CHECK(why.empty(), "%s", why.c_str());
  const std::vector<uint16_t> got = device.download<uint16_t>(out, 32 * 64);
  CHECK(got[0] == 0xffff && got.back() == 0xffff, "%x %x", got[0], got.back());
}

void check_maps() {
  const auto refused = [](const char* what, MapShape shape, const char* why) {
    Device device;
    alignas(64) CUtensorMap map;
    CHECK(encode(&map, upload_matrix(device), shape) == CUDA_ERROR_INVALID_VALUE, "%s", what);
    CHECK(contains(infcl_emulator_last_error(), why), "%s: %s", what, infcl_emulator_last_error());
  };
  MapShape s;
  s.base_offset = 8;
  refused("base", s, "base not aligned to 16 bytes");
  s = {};
  s.stride = kColumns * 2 + 8;
  refused("stride", s, "stride of rows");
  s = {};
  s.box_rows = 257;
  refused("box", s, "size of the box");
  s = {};
  s.box_columns = 32;
  refused("narrow box", s, "not as wide as the swizzle");
  s = {};
  s.height = kRows + 1;
  refused("height", s, "not within an allocation");
  s = {};
  s.swizzle = CU_TENSOR_MAP_SWIZZLE_64B;
  refused("swizzle", s, "not modelled");

  Device device;
  device.load(read_ptx("faults_sm90"));
  alignas(64) CUtensorMap map{};  // nobody encoded it
  const int mistake = 0;
  const CUdeviceptr out = device.buffer<uint16_t>(64 * 64);
  const std::string why = device.launch("box_kernel", {1, 64}, {&mistake, &map, &out});
  CHECK(contains(why, "no tensor map there"), "%s", why.c_str());
}

}  // namespace

int main() {
  Setting hopper("INFCL_EMULATOR_SM", "90");
  for (const Fault& fault : kFaults) check_fault(fault);
  check_poison();
  check_maps();
  return check::summary();
}
