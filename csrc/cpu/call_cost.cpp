// All counts come from the sizes of grids in closed form.
#include "cpu/call_cost.h"

#include <algorithm>

#include "cpu/usable_threads.h"

namespace infcl::cpu {

std::vector<Grid> cut(const SimilarityShape* similarities, int count, const TileShape& tile) {
  std::vector<Grid> grids;
  for (int n = 0; n < count; ++n)
    grids.emplace_back(similarities[n].rows, similarities[n].columns, tile, similarities[n].triangle);
  return grids;
}

double call_flops(const std::vector<Grid>& similarities, int64_t dim, bool gradient,
                  const WorkspacePlan& plan) {
  double products = 0;  // dots or their counterparts in gradients, each of `dim` multiply-adds
  for (const Grid& s : similarities) {
    const double pairs = s.pairs(s.tile_columns());
    products += gradient ? 4 * pairs - s.diagonal_pairs(s.tile_rows()) : pairs;
    if (gradient) products -= s.pairs(std::min(plan.kept_columns, s.tile_columns()));
  }
  if (gradient) products -= plan.kept.pairs(similarities);
  return 2 * products * static_cast<double>(dim);
}

int choose_threads(int wanted, double flops, const std::string& variable) {
  // a piece of work shorter than some milliseconds is done before its thread has started
  constexpr double kFlopsPerThread = 2.5e8;
  check_default_threads(variable);
  if (wanted > 0) return wanted;
  if (flops < 2 * kFlopsPerThread) return 1;  // without asking the system
  return static_cast<int>(std::min(flops / kFlopsPerThread, static_cast<double>(default_threads(variable))));
}

}  // namespace infcl::cpu
