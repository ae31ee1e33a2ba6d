// A tensor-core product, as the library's kernels make it, against one in double; and what it costs.
#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>

#include "../half.h"
#include "../tensor_core_sums.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;
using namespace infcl::emulator;

namespace {

constexpr unsigned kSharedBytes = 3 * 2 * 128 * 32 * 2;

struct Problem {
  int m, n, dim;
  bool bfloat;
};

double value_of(uint16_t bits, bool bfloat) {
  return bfloat ? bfloat16_to_float(bits) : float16_to_float(bits);
}

std::vector<uint16_t> random_features(int rows, int dim, bool bfloat, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> out(static_cast<size_t>(rows) * static_cast<size_t>(dim));
  for (uint16_t& x : out) x = bfloat ? float_to_bfloat16(normal(random)) : float_to_float16(normal(random));
  return out;
}

void compare(const Problem& p, const std::vector<uint16_t>& a, const std::vector<uint16_t>& b,
             const std::vector<float>& c) {
  double worst = 0;
  for (int i = 0; i < p.m; i++)
    for (int j = 0; j < p.n; j++) {
      double sum = 0, size = 0;
      for (int k = 0; k < p.dim; k++) {
        double x = value_of(a[static_cast<size_t>(i * p.dim + k)], p.bfloat) *
                   value_of(b[static_cast<size_t>(j * p.dim + k)], p.bfloat);
        sum += x;
        size += std::fabs(x);
      }
      double error = std::fabs(c[static_cast<size_t>(i * p.n + j)] - sum) / size;
      if (!(error <= worst)) worst = error;
    }
  CHECK(worst < p.dim * 6e-8, "%dx%dx%d: error %g", p.m, p.n, p.dim, worst);
}

// With INFCL_EMULATOR_TRUNCATE: the bits that a tensor core's steps make of each dot.
void compare_truncated(const Problem& p, const std::vector<uint16_t>& a, const std::vector<uint16_t>& b,
                       const std::vector<float>& c) {
  constexpr int kDepth = 16;
  int wrong = 0, changed = 0;
  for (int i = 0; i < p.m; i++)
    for (int j = 0; j < p.n; j++) {
      float sum[1] = {0}, nearest = 0;
      for (int first = 0; first < p.dim; first += kDepth) {
        float row[kDepth] = {}, column[kDepth][1] = {};
        for (int k = first; k < std::min(first + kDepth, p.dim); k++) {
          row[k - first] = static_cast<float>(value_of(a[static_cast<size_t>(i * p.dim + k)], p.bfloat));
          column[k - first][0] =
              static_cast<float>(value_of(b[static_cast<size_t>(j * p.dim + k)], p.bfloat));
          nearest += row[k - first] * column[k - first][0];
        }
        TruncatedSums<kDepth, 1>(column, tensor_core_step(80)).add(row, sum);
      }
      wrong += sum[0] != c[static_cast<size_t>(i * p.n + j)];
      changed += sum[0] != nearest;
    }
  CHECK(wrong == 0 && changed > p.m * p.n / 4, "%d wrong, %d of %d unlike sums rounded to nearest", wrong,
        changed, p.m * p.n);
}

void run(const Problem& p, bool truncated = false) {
  Device device;
  device.load(read_ptx("gemm"));
  std::vector<uint16_t> a = random_features(p.m, p.dim, p.bfloat, 1),
                        b = random_features(p.n, p.dim, p.bfloat, 2);
  CUdeviceptr da = device.upload(a), db = device.upload(b);
  const size_t size = static_cast<size_t>(p.m) * static_cast<size_t>(p.n);
  CUdeviceptr dc = device.buffer<float>(size);
  const unsigned rows = static_cast<unsigned>(p.m + 127) / 128;
  const std::clock_t begin = std::clock();  // the processor's time: the machine may be busy
  std::string why = device.launch(p.bfloat ? "gemm_bfloat16" : "gemm_float16", {rows, 256, kSharedBytes},
                                  {&da, &db, &dc, &p.m, &p.n, &p.dim});
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  CHECK(why.empty(), "%s", why.c_str());
  if (!why.empty()) return;
  const std::vector<float> c = device.download<float>(dc, size);
  if (truncated) return compare_truncated(p, a, b, c);
  compare(p, a, b, c);
  CHECK(last_statistic("ldmatrixWaves") == last_statistic("ldmatrixPhases"), "ldmatrix without conflicts");
  CHECK(last_statistic("divergentInstructions") == 0 || p.m % 128 || p.n % 128, "diverged");
  std::printf("%dx%dx%d: %.1f ms, %.2f GFLOP/s\n", p.m, p.n, p.dim, seconds * 1e3,
              last_statistic("mma") * 4096 / seconds * 1e-9);
}

}  // namespace

int main() {
  run({128, 128, 64, true});
  run({128, 128, 512, true});
  run({512, 128, 1024, true});
  run({100, 70, 72, true});
  run({200, 128, 96, false});
  for (const char* mode : {"INFCL_EMULATOR_RACE", "INFCL_EMULATOR_CHECK"}) {
    Setting setting(mode, "1");
    run({100, 128, 200, true});
  }
  Setting truncate("INFCL_EMULATOR_TRUNCATE", "1");
  run({100, 70, 72, true}, true);
  run({100, 70, 72, false}, true);
  return check::summary();
}
