// How similarities are visited in slabs, and what travels: every pair once, in the order that holds one side.
#include "cuda/operands/slabs.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "check.h"
#include "cuda/kernels/kernel_args.h"

using infcl::Range;
using infcl::SimilarityShape;
using namespace infcl::cuda;

namespace {

// Slabs of each side by number; every visit's ranges must be whole slabs.
using Tiles = std::map<std::pair<int64_t, int64_t>, int>;

Tiles tiles_of(const std::vector<SlabVisit>& visits, const SimilarityShape& p, int64_t slab) {
  Tiles tiles;
  const auto number = [&](const Range& r, int64_t rows) {
    CHECK(r.begin % slab == 0 && r.end == std::min(rows, r.begin + slab), "%ld to %ld", (long)r.begin,
          (long)r.end);
    return r.begin / slab;
  };
  for (const SlabVisit& v : visits) ++tiles[{number(v.rows, p.rows), number(v.columns, p.columns)}];
  return tiles;
}

void test_every_pair_once() {
  for (const int64_t rows : {1, 128, 500, 1300})
    for (const int64_t columns : {100, 128, 1000})
      for (const int64_t held : {1, 2, 5})
        for (const HeldSide side : {HeldSide::kRows, HeldSide::kColumns}) {
          const SimilarityShape p{rows, columns, false};
          const auto visits = slab_visits(p, {128, held}, side);
          const Tiles tiles = tiles_of(visits, p, 128);
          const int64_t expected = infcl::ceil_div(rows, 128) * infcl::ceil_div(columns, 128);
          CHECK(static_cast<int64_t>(visits.size()) == expected &&
                    static_cast<int64_t>(tiles.size()) == expected,
                "%zu visits to %zu tiles of %ld", visits.size(), tiles.size(), (long)expected);
          for (const SlabVisit& v : visits) CHECK(!v.triangle, "a rectangle");
        }
}

void test_triangles() {
  for (const int64_t rows : {1, 128, 500, 1300})
    for (const int64_t held : {1, 2, 5}) {
      const SimilarityShape p{rows, rows, true};
      const auto visits = slab_visits(p, {128, held}, HeldSide::kRows);
      const int64_t slabs = infcl::ceil_div(rows, 128);
      CHECK(static_cast<int64_t>(visits.size()) == slabs * (slabs + 1) / 2, "%zu visits", visits.size());
      for (const auto& [tile, count] : tiles_of(visits, p, 128))
        CHECK(tile.first <= tile.second && count == 1, "%ld, %ld", (long)tile.first, (long)tile.second);
      for (const SlabVisit& v : visits)
        CHECK(v.triangle == (v.rows.begin == v.columns.begin), "the diagonal, and only that");
    }
}

void test_whole() {
  const auto visits = slab_visits({300, 200, false}, {}, HeldSide::kColumns);
  CHECK(visits.size() == 1 && visits[0].rows.size() == 300 && visits[0].columns.size() == 200, "%zu",
        visits.size());
  CHECK(hard_negative_visits(7, 3, {}).size() == 1 && hard_negative_visits(7, 3, {})[0].columns.size() == 21,
        "hard negatives");
}

// What a store that keeps `held` + 2 slabs, and gives up the one that was needed longest ago, has to bring.
double loads_of(const std::vector<SlabVisit>& visits, int64_t slots) {
  std::vector<std::pair<int, int64_t>> there;  // by age
  double loads = 0;
  for (const SlabVisit& v : visits)
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
  const SimilarityShape p{128 * 20, 128 * 12, false};
  const RowTraffic features{1, 0};
  for (const int64_t held : {1, 2, 4, 10}) {
    const SlabCut cut{128, held};
    for (const HeldSide side : {HeldSide::kRows, HeldSide::kColumns}) {
      const double loads = loads_of(slab_visits(p, cut, side), held + 2),
                   most = pass_traffic(p, cut, side, features, features) / 128;
      CHECK(loads <= most && loads >= 0.7 * most, "held=%ld: %g slabs brought, at most %g", (long)held, loads,
            most);
    }
  }
  const SlabCut cut{128, 4};
  const RowTraffic both{2048, 2048}, alone{2048, 0}, nothing{};
  CHECK(choose_held(p, cut, both, nothing) == HeldSide::kRows, "what lies on the device passes by");
  CHECK(choose_held(p, cut, nothing, both) == HeldSide::kColumns, "whichever side it is");
  CHECK(choose_held(p, cut, alone, both) == HeldSide::kColumns, "gradients travel both ways, features one");
  CHECK(choose_held({100000, 300, false}, cut, both, both) == HeldSide::kColumns, "the side that fits");
}

void test_hard_negatives() {
  for (const int64_t per_query : {1, 3, 100, 128, 129, 300}) {
    const int64_t queries = 300;
    int64_t next = 0;
    for (const SlabVisit& v : hard_negative_visits(queries, per_query, {128, 1})) {
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
  const SimilarityShape p{300, 500, false};
  CHECK(labelled_visits(p, nullptr, {128, 1}).size() == 3, "the diagonal");
  std::vector<int32_t> labels(300);
  for (int32_t i = 0; i < 300; ++i) labels[i] = (i * 7 + 3) % 500;
  std::set<int64_t> seen;
  for (const SlabVisit& v : labelled_visits(p, labels.data(), {128, 1}))
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
  test_hard_negatives();
  test_labelled();
  return check::summary();
}
