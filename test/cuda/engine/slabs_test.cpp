// How passes are visited in shards, and what travels: every pair once, in the order that holds one side.
#include "cuda/operands/slabs.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "check.h"
#include "cuda/kernels/kernel_args.h"

using infcl::PassShape;
using infcl::Range;
using namespace infcl::cuda;

namespace {

// Shards of each side by number; every visit's ranges must be whole shards.
using Cells = std::map<std::pair<int64_t, int64_t>, int>;

Cells cells_of(const std::vector<ShardVisit>& visits, const PassShape& p, int64_t shard) {
  Cells cells;
  const auto number = [&](const Range& r, int64_t rows) {
    CHECK(r.begin % shard == 0 && r.end == std::min(rows, r.begin + shard), "%ld to %ld", (long)r.begin,
          (long)r.end);
    return r.begin / shard;
  };
  for (const ShardVisit& v : visits) ++cells[{number(v.rows, p.rows), number(v.columns, p.columns)}];
  return cells;
}

void test_every_pair_once() {
  for (const int64_t rows : {1, 128, 500, 1300})
    for (const int64_t columns : {100, 128, 1000})
      for (const int64_t held : {1, 2, 5})
        for (const HeldSide side : {HeldSide::kRows, HeldSide::kColumns}) {
          const PassShape p{rows, columns, false};
          const auto visits = shard_visits(p, {128, held}, side);
          const Cells cells = cells_of(visits, p, 128);
          const int64_t expected = infcl::ceil_div(rows, 128) * infcl::ceil_div(columns, 128);
          CHECK(static_cast<int64_t>(visits.size()) == expected &&
                    static_cast<int64_t>(cells.size()) == expected,
                "%zu visits to %zu cells of %ld", visits.size(), cells.size(), (long)expected);
          for (const ShardVisit& v : visits) CHECK(!v.triangle, "a rectangle");
        }
}

void test_triangles() {
  for (const int64_t rows : {1, 128, 500, 1300})
    for (const int64_t held : {1, 2, 5}) {
      const PassShape p{rows, rows, true};
      const auto visits = shard_visits(p, {128, held}, HeldSide::kRows);
      const int64_t shards = infcl::ceil_div(rows, 128);
      CHECK(static_cast<int64_t>(visits.size()) == shards * (shards + 1) / 2, "%zu visits", visits.size());
      for (const auto& [cell, count] : cells_of(visits, p, 128))
        CHECK(cell.first <= cell.second && count == 1, "%ld, %ld", (long)cell.first, (long)cell.second);
      for (const ShardVisit& v : visits)
        CHECK(v.triangle == (v.rows.begin == v.columns.begin), "the diagonal, and only that");
    }
}

void test_whole() {
  const auto visits = shard_visits({300, 200, false}, {}, HeldSide::kColumns);
  CHECK(visits.size() == 1 && visits[0].rows.size() == 300 && visits[0].columns.size() == 200, "%zu",
        visits.size());
  CHECK(private_visits(7, 3, {}).size() == 1 && private_visits(7, 3, {})[0].columns.size() == 21, "private");
}

// What a store that keeps `held` + 2 shards, and gives up the one that was needed longest ago, has to bring.
double loads_of(const std::vector<ShardVisit>& visits, int64_t slots) {
  std::vector<std::pair<int, int64_t>> there;  // by age
  double loads = 0;
  for (const ShardVisit& v : visits)
    for (const auto& wanted : {std::make_pair(0, v.rows.begin), std::make_pair(1, v.columns.begin)}) {
      const auto at = std::find(there.begin(), there.end(), wanted);
      if (at != there.end())
        there.erase(at);
      else
        loads += 1;
      there.push_back(wanted);
      if (static_cast<int64_t>(there.size()) > slots) there.erase(there.begin());
    }
  return loads;
}

void test_traffic() {
  const PassShape p{128 * 20, 128 * 12, false};
  const RowTraffic features{1, 0};
  for (const int64_t held : {1, 2, 4, 10}) {
    const ShardCut cut{128, held};
    for (const HeldSide side : {HeldSide::kRows, HeldSide::kColumns}) {
      const double loads = loads_of(shard_visits(p, cut, side), held + 2),
                   most = lap_traffic(p, cut, side, features, features) / 128;
      CHECK(loads <= most && loads >= 0.7 * most, "held=%ld: %g shards brought, at most %g", (long)held,
            loads, most);
    }
  }
  const ShardCut cut{128, 4};
  const RowTraffic both{2048, 2048}, alone{2048, 0}, nothing{};
  CHECK(choose_held(p, cut, both, nothing) == HeldSide::kRows, "what lies on the device passes by");
  CHECK(choose_held(p, cut, nothing, both) == HeldSide::kColumns, "whichever side it is");
  CHECK(choose_held(p, cut, alone, both) == HeldSide::kColumns, "gradients travel both ways, features one");
  CHECK(choose_held({100000, 300, false}, cut, both, both) == HeldSide::kColumns, "the side that fits");
}

void test_private() {
  for (const int64_t per_query : {1, 3, 100, 128, 129, 300}) {
    const int64_t queries = 300;
    int64_t next = 0;
    for (const ShardVisit& v : private_visits(queries, per_query, {128, 1})) {
      CHECK(v.columns.begin == next && v.columns.size() > 0 && v.columns.size() <= 128, "%ld to %ld",
            (long)v.columns.begin, (long)v.columns.end);
      const int64_t first = v.columns.begin / per_query, last = (v.columns.end - 1) / per_query;
      CHECK(v.rows.contains(first) && v.rows.contains(last), "queries %ld to %ld", (long)first, (long)last);
      CHECK(first == last || (v.columns.begin % per_query == 0 && v.columns.end % per_query == 0),
            "a query's own is split only where it is alone");
      next = v.columns.end;
    }
    CHECK(next == queries * per_query, "%ld pairs", (long)next);
  }
}

void test_labelled() {
  const PassShape p{300, 500, false};
  CHECK(labelled_visits(p, nullptr, {128, 1}).size() == 3, "the diagonal");
  std::vector<int32_t> labels(300);
  for (int32_t i = 0; i < 300; ++i) labels[i] = (i * 7 + 3) % 500;
  std::set<int64_t> seen;
  for (const ShardVisit& v : labelled_visits(p, labels.data(), {128, 1}))
    for (int64_t i = v.rows.begin; i < v.rows.end; ++i)
      if (v.columns.contains(labels[i])) seen.insert(i);
  CHECK(seen.size() == 300, "%zu rows meet their label", seen.size());
}

}  // namespace

int main() {
  test_every_pair_once();
  test_triangles();
  test_whole();
  test_traffic();
  test_private();
  test_labelled();
  return check::summary();
}
