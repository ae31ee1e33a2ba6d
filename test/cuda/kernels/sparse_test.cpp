// Offsets beyond 2^31 elements: rows at the end of a huge matrix result in the same bits as at its beginning,
// where other tests hold them to dense loops.
#include <algorithm>
#include <cstdlib>

#include "../../native/check.h"
#include "gpu.h"
#include "sparse_runs.h"

namespace {

void check_run(const char* name, sparse::Run run) {
  const sparse::Bits near = run(0), far = run(sparse::kFar);
  size_t differ = 0;
  for (size_t i = 0; i < near.size(); ++i) differ += near[i] != far.at(i);
  CHECK(!near.empty() && differ == 0, "%s: %zu of %zu results", name, differ, near.size());
  const bool any = std::any_of(near.begin(), near.end(), [&](uint64_t x) { return x != near[0]; });
  CHECK(any, "%s: results say nothing", name);
}

}  // namespace

int main() {
  setenv("INFCL_EMULATOR_MEMORY", "0x2000000000", 1);  // 128 GiB, of which a few MiB are touched
  // A GPU has neither the memory nor the patience.
  if (!gpu::available() || !gpu::counts()) return 77;  // ctest: skipped
  check_run("scores_forward", sparse::scores_forward);
  check_run("scores_backward", sparse::scores_backward);
  check_run("accumulate, rows", sparse::accumulate_rows);
  check_run("accumulate, columns", sparse::accumulate_columns);
  check_run("split", sparse::split);
  check_run("pair_dots", sparse::pair_dots);
  check_run("pair_gradients", sparse::pair_gradients);
  return check::summary();
}
