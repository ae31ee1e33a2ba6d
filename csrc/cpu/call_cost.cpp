#include "cpu/call_cost.h"

#include <algorithm>

#include "cpu/usable_threads.h"

namespace infcl {

std::vector<Schedule> cut(const PassShape* passes, int count, const CellShape& cell) {
  std::vector<Schedule> schedules;
  for (int p = 0; p < count; ++p)
    schedules.emplace_back(passes[p].rows, passes[p].columns, cell, passes[p].triangle);
  return schedules;
}

double call_flops(const std::vector<Schedule>& passes, int64_t dim, bool gradient, const Layout& layout) {
  double products = 0;  // of pairs
  for (const Schedule& s : passes) {
    const double pairs = s.pairs(s.column_blocks());
    products += gradient ? 4 * pairs - s.diagonal_pairs(s.row_blocks()) : pairs;
    if (gradient) products -= s.pairs(std::min(layout.kept_columns, s.column_blocks()));
  }
  if (gradient) products -= layout.kept.pairs(passes);
  return 2 * products * static_cast<double>(dim);
}

int choose_threads(int wanted, double flops) {
  // a share of less than some milliseconds is done before its thread has started
  constexpr double kFlopsPerThread = 2.5e8;
  if (wanted > 0) return wanted;
  if (flops < 2 * kFlopsPerThread) return 1;  // without asking the system
  return static_cast<int>(std::min(flops / kFlopsPerThread, static_cast<double>(usable_threads())));
}

}  // namespace infcl
