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

namespace {

double all_pairs(const std::vector<Grid>& similarities) {
  double pairs = 0;
  for (const Grid& s : similarities) pairs += s.pairs(s.tile_columns());
  return pairs;
}

// Pairs whose scores a backward pass need not form again.
double kept_pairs(const std::vector<Grid>& similarities, const WorkspacePlan& plan) {
  double pairs = plan.kept.pairs(similarities);
  for (const Grid& s : similarities) pairs += s.pairs(std::min(plan.kept_columns, s.tile_columns()));
  return pairs;
}

}  // namespace

double call_flops(const std::vector<Grid>& similarities, int64_t dim, bool gradient,
                  const WorkspacePlan& plan) {
  // dots or their counterparts in gradients, each of `dim` multiply-adds
  double products = all_pairs(similarities);
  if (gradient) {
    products = 4 * products - kept_pairs(similarities, plan);
    for (const Grid& s : similarities) products -= s.diagonal_pairs(s.tile_rows());
  }
  return 2 * products * static_cast<double>(dim);
}

double auxiliary_flops(const std::vector<Grid>& similarities, const AuxiliaryDims& dims, bool gradient,
                       const WorkspacePlan& plan) {
  const double pairs = all_pairs(similarities);
  const double again = gradient ? pairs - kept_pairs(similarities, plan) : 0;
  const double guide = static_cast<double>(dims[static_cast<size_t>(Auxiliary::kGuide)]),
               teacher = static_cast<double>(dims[static_cast<size_t>(Auxiliary::kTeacher)]);
  return 2 * ((pairs + again) * guide + pairs * (gradient ? 2 : 1) * teacher);
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
