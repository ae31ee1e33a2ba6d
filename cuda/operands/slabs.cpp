#include "cuda/operands/slabs.h"

#include <algorithm>
#include <set>

namespace infcl::cuda {

namespace {

// Slabs of one side.
struct Side {
  int64_t rows, slab_rows;
  int64_t count() const { return ceil_div(rows, slab_rows); }
  Range at(int64_t slab) const { return {slab * slab_rows, std::min(rows, (slab + 1) * slab_rows)}; }
};

SlabVisit whole(const SimilarityShape& p) { return {{0, p.rows}, {0, p.columns}, p.triangle}; }

}  // namespace

std::vector<SlabVisit> slab_visits(const SimilarityShape& p, const SlabCut& cut, HeldSide held_side) {
  if (cut.rows == 0) return {whole(p)};
  const bool holds_rows = p.triangle || held_side == HeldSide::kRows;
  const Side rows{p.rows, cut.rows}, columns{p.columns, cut.rows};
  const Side &held = holds_rows ? rows : columns, &passing = holds_rows ? columns : rows;
  std::vector<SlabVisit> visits;
  for (int64_t group = 0; group * cut.held < held.count(); ++group) {
    const int64_t begin = group * cut.held, end = std::min(held.count(), begin + cut.held);
    const int64_t first = p.triangle ? begin : 0, count = passing.count() - first;
    for (int64_t turn = 0; turn < count; ++turn) {
      const int64_t other = first + (group % 2 ? count - 1 - turn : turn);
      for (int64_t slab = begin; slab < (p.triangle ? std::min(end, other + 1) : end); ++slab) {
        const Range near = held.at(slab), far = passing.at(other);
        visits.push_back({holds_rows ? near : far, holds_rows ? far : near, p.triangle && slab == other});
      }
    }
  }
  return visits;
}

std::vector<SlabVisit> hard_negative_visits(int64_t queries, int64_t per_query, const SlabCut& cut) {
  const int64_t pairs = queries * per_query;
  if (cut.rows == 0) return {{{0, queries}, {0, pairs}, false}};
  const Side rows{queries, cut.rows};
  // A visit has whole queries, or some pairs of one query.
  const int64_t most = std::max<int64_t>(1, cut.rows / per_query);
  std::vector<SlabVisit> visits;
  for (int64_t slab = 0; slab < rows.count(); ++slab)
    for (int64_t query = rows.at(slab).begin; query < rows.at(slab).end; query += most) {
      const int64_t end = std::min(rows.at(slab).end, query + most) * per_query;
      for (int64_t pair = query * per_query; pair < end; pair += cut.rows)
        visits.push_back({rows.at(slab), {pair, std::min(end, pair + cut.rows)}, false});
    }
  return visits;
}

std::vector<SlabVisit> labelled_visits(const SimilarityShape& p, const int32_t* labels, const SlabCut& cut) {
  if (cut.rows == 0) return {whole(p)};
  const Side rows{p.rows, cut.rows}, columns{p.columns, cut.rows};
  std::vector<SlabVisit> visits;
  for (int64_t slab = 0; slab < rows.count(); ++slab) {
    std::set<int64_t> met;
    for (int64_t i = rows.at(slab).begin; i < rows.at(slab).end; ++i)
      met.insert((labels ? labels[i] : i) / cut.rows);
    for (const int64_t other : met) visits.push_back({rows.at(slab), columns.at(other), false});
  }
  return visits;
}

double pass_traffic(const SimilarityShape& p, const SlabCut& cut, HeldSide held_side, const RowTraffic& rows,
                    const RowTraffic& columns) {
  const bool holds_rows = p.triangle || held_side == HeldSide::kRows;
  const RowTraffic &held = holds_rows ? rows : columns, &passing = holds_rows ? columns : rows;
  const double held_rows = static_cast<double>(holds_rows ? p.rows : p.columns),
               passing_rows = static_cast<double>(holds_rows ? p.columns : p.rows);
  const Side side{holds_rows ? p.rows : p.columns, std::max<int64_t>(1, cut.rows)};
  const double groups = cut.rows == 0 ? 1 : static_cast<double>(ceil_div(side.count(), cut.held));
  // A group of a triangle meets only the slabs after it.
  const double meetings = p.triangle ? (groups - 1) / 2 : groups;
  return held_rows * (held.features + 2 * held.gradient) +
         passing_rows * meetings * (passing.features + 2 * passing.gradient);
}

HeldSide choose_held(const SimilarityShape& p, const SlabCut& cut, const RowTraffic& rows,
                     const RowTraffic& columns) {
  return pass_traffic(p, cut, HeldSide::kColumns, rows, columns) <
                 pass_traffic(p, cut, HeldSide::kRows, rows, columns)
             ? HeldSide::kColumns
             : HeldSide::kRows;
}

}  // namespace infcl::cuda
