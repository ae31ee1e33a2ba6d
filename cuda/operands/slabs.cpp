#include "cuda/operands/slabs.h"

#include <algorithm>
#include <set>

namespace infcl::cuda {

namespace {

// Shards of one side.
struct Side {
  int64_t rows, shard_rows;
  int64_t count() const { return ceil_div(rows, shard_rows); }
  Range at(int64_t shard) const { return {shard * shard_rows, std::min(rows, (shard + 1) * shard_rows)}; }
};

ShardVisit whole(const PassShape& p) { return {{0, p.rows}, {0, p.columns}, p.triangle}; }

}  // namespace

std::vector<ShardVisit> shard_visits(const PassShape& p, const ShardCut& cut, HeldSide held_side) {
  if (cut.rows == 0) return {whole(p)};
  const bool holds_rows = p.triangle || held_side == HeldSide::kRows;
  const Side rows{p.rows, cut.rows}, columns{p.columns, cut.rows};
  const Side &held = holds_rows ? rows : columns, &passing = holds_rows ? columns : rows;
  std::vector<ShardVisit> visits;
  for (int64_t group = 0; group * cut.held < held.count(); ++group) {
    const int64_t begin = group * cut.held, end = std::min(held.count(), begin + cut.held);
    const int64_t first = p.triangle ? begin : 0, count = passing.count() - first;
    for (int64_t turn = 0; turn < count; ++turn) {
      const int64_t other = first + (group % 2 ? count - 1 - turn : turn);
      for (int64_t shard = begin; shard < (p.triangle ? std::min(end, other + 1) : end); ++shard) {
        const Range near = held.at(shard), far = passing.at(other);
        visits.push_back({holds_rows ? near : far, holds_rows ? far : near, p.triangle && shard == other});
      }
    }
  }
  return visits;
}

std::vector<ShardVisit> private_visits(int64_t queries, int64_t per_query, const ShardCut& cut) {
  const int64_t pairs = queries * per_query;
  if (cut.rows == 0) return {{{0, queries}, {0, pairs}, false}};
  const Side rows{queries, cut.rows};
  // whole queries at a time, or the pairs of one query in several
  const int64_t most = std::max<int64_t>(1, cut.rows / per_query);
  std::vector<ShardVisit> visits;
  for (int64_t shard = 0; shard < rows.count(); ++shard)
    for (int64_t query = rows.at(shard).begin; query < rows.at(shard).end; query += most) {
      const int64_t end = std::min(rows.at(shard).end, query + most) * per_query;
      for (int64_t pair = query * per_query; pair < end; pair += cut.rows)
        visits.push_back({rows.at(shard), {pair, std::min(end, pair + cut.rows)}, false});
    }
  return visits;
}

std::vector<ShardVisit> labelled_visits(const PassShape& p, const int32_t* labels, const ShardCut& cut) {
  if (cut.rows == 0) return {whole(p)};
  const Side rows{p.rows, cut.rows}, columns{p.columns, cut.rows};
  std::vector<ShardVisit> visits;
  for (int64_t shard = 0; shard < rows.count(); ++shard) {
    std::set<int64_t> met;
    for (int64_t i = rows.at(shard).begin; i < rows.at(shard).end; ++i)
      met.insert((labels ? labels[i] : i) / cut.rows);
    for (const int64_t other : met) visits.push_back({rows.at(shard), columns.at(other), false});
  }
  return visits;
}

double lap_traffic(const PassShape& p, const ShardCut& cut, HeldSide held_side, const RowTraffic& rows,
                   const RowTraffic& columns) {
  const bool holds_rows = p.triangle || held_side == HeldSide::kRows;
  const RowTraffic &held = holds_rows ? rows : columns, &passing = holds_rows ? columns : rows;
  const double held_rows = static_cast<double>(holds_rows ? p.rows : p.columns),
               passing_rows = static_cast<double>(holds_rows ? p.columns : p.rows);
  const Side side{holds_rows ? p.rows : p.columns, std::max<int64_t>(1, cut.rows)};
  const double groups = cut.rows == 0 ? 1 : static_cast<double>(ceil_div(side.count(), cut.held));
  // Of a triangle, a group meets only what comes after it.
  const double meetings = p.triangle ? (groups - 1) / 2 : groups;
  return held_rows * (held.features + 2 * held.gradient) +
         passing_rows * meetings * (passing.features + 2 * passing.gradient);
}

HeldSide choose_held(const PassShape& p, const ShardCut& cut, const RowTraffic& rows,
                     const RowTraffic& columns) {
  return lap_traffic(p, cut, HeldSide::kColumns, rows, columns) <
                 lap_traffic(p, cut, HeldSide::kRows, rows, columns)
             ? HeldSide::kColumns
             : HeldSide::kRows;
}

}  // namespace infcl::cuda
