// A stand-in for libcublas beside the emulated driver, whose device pointers are the host's: multiplies in
// plain loops, so that the test of gpu-bench runs the calls that a real one would get. Test only.
#include <cstdint>
#include <cstring>

namespace {

constexpr int kFloat32 = 0, kBFloat16 = 14;
constexpr int kNotSupported = 15;

float load(const void* data, int type, int64_t index) {
  float v;
  if (type == kFloat32) {
    std::memcpy(&v, static_cast<const char*>(data) + 4 * index, sizeof v);
    return v;
  }
  uint16_t bits;
  std::memcpy(&bits, static_cast<const char*>(data) + 2 * index, sizeof bits);
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  std::memcpy(&v, &word, sizeof v);
  return v;
}

void store(void* data, int type, int64_t index, float v) {
  if (type == kFloat32) {
    std::memcpy(static_cast<char*>(data) + 4 * index, &v, sizeof v);
    return;
  }
  uint32_t word;
  std::memcpy(&word, &v, sizeof v);
  const uint16_t bits = static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
  std::memcpy(static_cast<char*>(data) + 2 * index, &bits, sizeof bits);
}

bool known(int type) { return type == kFloat32 || type == kBFloat16; }

int handle;

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int cublasCreate_v2(void** out) {
  *out = &handle;
  return 0;
}
EXPORT int cublasDestroy_v2(void*) { return 0; }
EXPORT int cublasSetStream_v2(void*, void*) { return 0; }

EXPORT int cublasGemmEx(void*, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha,
                        const void* a, int a_type, int lda, const void* b, int b_type, int ldb,
                        const void* beta, void* c, int c_type, int ldc, int compute, int algorithm) {
  const bool sound = lda >= (transpose_a ? k : m) && ldb >= (transpose_b ? n : k) && ldc >= m;
  if (!sound || !known(a_type) || a_type != b_type || !known(c_type) || (compute != 68 && compute != 77) ||
      algorithm != -1)
    return kNotSupported;
  const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i) {
      float sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += load(a, a_type, transpose_a ? i * lda + p : p * lda + i) *
               load(b, b_type, transpose_b ? p * ldb + j : j * ldb + p);
      const int64_t at = j * ldc + i;
      store(c, c_type, at, scale * sum + (keep != 0 ? keep * load(c, c_type, at) : 0));
    }
  return 0;
}
