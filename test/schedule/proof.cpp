// Proves the simulator: runs the real engine with kernels that sleep, and compares the time on the clock with
// the simulated time. Threads, order, gates and waiting are the product's; only the kernels are made up.
//
//   schedule_proof [threads]...      by default 8 16 32 64; 128 threads take three minutes
//
// Exit status: 1 where a measured time differs from the simulated time by more than 5 %.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/native/schedule/call.h"
#include "core/engine.h"
#include "cpu/backend.h"
#include "sleeping_kernels.h"

namespace {

using infcl::ObjectiveKind;

constexpr double kMostDifference = 0.05;
constexpr int kAttempts = 3;

struct Case {
  const char* name;
  ObjectiveKind kind;
  int64_t rows;
};

// The relative costs of this project's kernels on AVX-512 with 256 features (docs/threads.md), made so long
// that the longest kernel takes 20 ms for the largest tile.
schedule::Costs costs(int64_t rows, const infcl::cpu::Kernels& k) {
  const infcl::Grid grid(rows, rows, k.tile);
  const double unit = 20e-3 / static_cast<double>(grid.max_rows() * grid.max_columns()) / 4.7;
  schedule::Costs c;
  c.scores = 4.46 * unit;
  c.fold = 0.21 * unit;
  c.logit_grad = 4.7 * unit;
  c.logit_grad_kept = 0.26 * unit;
  c.row_gradient = 4.42 * unit;
  c.column_gradient = 4.5 * unit;
  c.pack_panels = 40 * unit;
  c.pack_transposed = 115 * unit;
  c.pack_values = 27 * unit;
  return c;
}

double measure(const schedule::Call& call, const infcl::cpu::Kernels& k) {
  const size_t floats = static_cast<size_t>(call.rows * call.dim);
  const std::vector<float> features(floats);
  const infcl::MatrixView view{features.data(), infcl::DType::kFloat32, call.rows, call.dim, call.dim, {}};
  std::vector<int32_t> classes(static_cast<size_t>(call.rows));
  for (int64_t i = 0; i < call.rows; ++i) classes[static_cast<size_t>(i)] = static_cast<int32_t>(i / 4);
  // Kernels do not write to gradients.
  std::vector<float> d_queries(floats), d_keys(floats);
  infcl::ContrastiveRequest r;
  r.objective = infcl::make_objective(call.kind);
  r.queries = r.keys = view;
  if (!r.objective.labelled()) r.query_classes = r.key_classes = classes.data();
  r.gradient = true;
  r.d_queries = d_queries.data();
  r.d_keys = d_keys.data();
  r.d_key_rows = call.rows;
  r.threads = call.threads;
  r.workspace_bytes = call.workspace;
  infcl::cpu::CpuBackend backend(k);
  const auto start = std::chrono::steady_clock::now();
  const infcl::ContrastiveResult out = infcl::contrastive(r, backend);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (out.stats.threads != call.threads) {
    std::printf("%d threads ran, not %d\n", out.stats.threads, call.threads);
    std::exit(1);
  }
  return taken.count();
}

// A machine that is busy makes a call slower, never faster, so the best of some attempts counts.
bool prove(const Case& one, int threads, const infcl::cpu::Kernels& k) {
  const schedule::Call call{one.kind, one.rows, 256, threads, int64_t{192} << 20};
  sleeping::costs = costs(one.rows, k);
  const schedule::Times simulated = schedule::simulate(call, sleeping::costs, k);
  double difference = 1;
  for (int attempt = 0; attempt < kAttempts && difference > kMostDifference; ++attempt) {
    const double measured = measure(call, k);
    difference = measured / simulated.wall - 1;
    std::printf("%-8s B = %ld T = %d: busy %.3f, simulated %.3f s, measured %.3f s, %+.1f %%\n", one.name,
                static_cast<long>(one.rows), threads, simulated.work / (simulated.wall * threads),
                simulated.wall, measured, 100 * difference);
    std::fflush(stdout);
    if (difference < -kMostDifference) return false;  // the simulation is wrong
  }
  return difference <= kMostDifference;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int n = 1; n < argc; ++n) threads.push_back(std::atoi(argv[n]));
  if (threads.empty()) threads = {8, 16, 32, 64};
#if defined(__x86_64__)
  const infcl::cpu::Kernels& like = infcl::cpu::kAvx512Kernels;
#else
  const infcl::cpu::Kernels& like = infcl::cpu::kScalarKernels;
#endif
  const infcl::cpu::Kernels k = sleeping::table(like);
  int failed = 0, passed = 0;
  // The shapes of which docs/threads.md promises how busy so many threads are.
  for (const int count : threads) {
    const int64_t rows = count <= 16 ? 4096 : count <= 32 ? 8192 : count <= 64 ? 32768 : 65536;
    for (const Case& one : {Case{"clip", ObjectiveKind::kClip, rows},
                            {"ntxent", ObjectiveKind::kNtXent, rows},
                            {"supcon", ObjectiveKind::kSupCon, rows},
                            {"infonce", ObjectiveKind::kInfoNce, rows},
                            {"siglip", ObjectiveKind::kSigLip, rows}})
      ++(prove(one, count, k) ? passed : failed);
  }
  std::printf("%d within 5 %%, %d not\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
