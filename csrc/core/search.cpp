#include "core/search.h"

#include <chrono>
#include <vector>

#include "core/abort.h"
#include "core/backend.h"
#include "core/backend_session.h"
#include "core/column_groups.h"
#include "core/float_range.h"

namespace infcl {

namespace {

Problem problem_of(const SearchRequest& r) {
  Problem p;
  p.similarity_count = 1;
  p.similarities[0] = {Operand::kQueries, Operand::kKeys, {r.queries.rows, r.keys.rows, false}};
  p.matrix(Operand::kQueries) = {r.queries, nullptr, 0, {}};
  p.matrix(Operand::kKeys) = {r.keys, nullptr, 0, {}};
  p.dim = r.queries.dim;
  p.threads = r.threads;
  p.workspace_bytes = r.workspace_bytes;
  p.control = r.control;
  return p;
}

void bring_both(Backend& backend) {
  RowLengths lengths;
  lengths.queries = backend.bring(Operand::kQueries);
  lengths.keys = backend.bring(Operand::kKeys);
  refuse_dot_overflow(lengths);
}

void find_top_k(const SearchRequest& r, Backend& backend) {
  Problem problem = problem_of(r);
  problem.search.k = r.top_k.k;
  problem.search.groups = r.key_groups != nullptr;
  const BackendSession session(backend, problem);
  bring_both(backend);
  TopKArgs args;
  args.k = r.top_k.k;
  args.mask.row_ids = r.query_ids;
  args.mask.column_ids = r.key_ids;
  args.groups = r.key_groups;
  args.limits = r.top_k.limits;
  args.scores = r.top_k.scores;
  args.indices = r.top_k.indices;
  backend.top_k(args);
}

void find_ranks(const SearchRequest& r, Backend& backend) {
  const ColumnGroups groups(r.key_groups, r.keys.rows);
  Problem problem = problem_of(r);
  problem.search.column_order = groups.order();
  const BackendSession session(backend, problem);
  bring_both(backend);
  const size_t rows = static_cast<size_t>(r.queries.rows);
  std::vector<float> dots(rows);
  backend.best_dots(r.ranks.offsets, r.ranks.positives, dots.data());
  const std::vector<ColumnRange> excluded =
      groups.ranges_of(r.ranks.offsets, r.ranks.positives, r.queries.rows);
  std::vector<int32_t> ids, greater(rows), equal(rows);
  RanksArgs args;
  args.dots = dots.data();
  args.mask.row_ids = r.query_ids;
  args.mask.column_ids = groups.by_position(r.key_ids, ids);
  args.offsets = r.ranks.offsets;
  args.excluded = excluded.data();
  args.group_begins = groups.begins();
  args.greater = greater.data();
  args.equal = equal.data();
  backend.count_ranks(args);
  for_each_unless_aborted(r.queries.rows, r.control, [&](int64_t i) {
    r.ranks.optimistic[i] = 1. + greater[i];
    r.ranks.pessimistic[i] = 1. + greater[i] + equal[i];
  });
}

}  // namespace

Stats search(const SearchRequest& r, Backend& backend) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  if (r.wants_ranks) {
    find_ranks(r, backend);
  } else {
    find_top_k(r, backend);
  }
  Stats stats;
  static_cast<BackendStats&>(stats) = backend.stats();
  stats.peak_bytes = stats.workspace_bytes;
  stats.seconds = stats.forward_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return stats;
}

}  // namespace infcl
