// The kernels of a search on every instruction set, against loops over single scores. Tiles have ragged
// edges, scores equal to limits, masked scores, and rows of padding that hold anything.
#include <cstdint>
#include <vector>

#include "check.h"
#include "core/numerics.h"
#include "cpu/isa_dispatch.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

unsigned state = 1;
unsigned next(unsigned below) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % below;
}

// Scores and limits of few values, so that many are equal.
struct Example {
  TileOperands tile{};
  int64_t stride;
  std::vector<float> scores, least, most;

  Example(const Kernels& k, int64_t rows, int64_t columns)
      : stride(k.tile.rows), scores(stride * columns), least(stride), most(stride) {
    tile.rows = rows;
    tile.columns = columns;
    for (float& score : scores) score = next(20) == 0 ? kMaskedDot : static_cast<float>(next(9)) - 4;
    for (int64_t i = 0; i < stride; ++i) {
      least[i] = static_cast<float>(next(9)) - 4;
      most[i] = least[i] + static_cast<float>(next(4));
    }
  }
  float at(int64_t i, int64_t j) const { return scores[j * stride + i]; }
};

void check_list(const Kernels& k, const Example& e, Range columns, bool with_most) {
  std::vector<uint32_t> listed(e.tile.rows * columns.size() + 1, 0xabcd);
  const int64_t count = k.list_greater(e.tile, columns, e.scores.data(), e.stride,
                                       {e.least.data(), with_most ? e.most.data() : nullptr}, listed.data());
  std::vector<int64_t> before(e.tile.rows, columns.begin - 1), found(e.tile.rows, 0);
  bool right = true;
  for (int64_t n = 0; n < count; ++n) {
    const int64_t i = listed_row(listed[n]), j = listed_column(listed[n]);
    right = right && i < e.tile.rows && columns.contains(j) && j > before[i];
    if (!right) break;
    before[i] = j;
    ++found[i];
    right = e.at(i, j) > e.least[i] && (!with_most || e.at(i, j) <= e.most[i]);
  }
  for (int64_t i = 0; right && i < e.tile.rows; ++i) {
    int64_t expected = 0;
    for (int64_t j = columns.begin; j < columns.end; ++j)
      expected += e.at(i, j) > e.least[i] && (!with_most || e.at(i, j) <= e.most[i]);
    right = expected == found[i];
  }
  CHECK(right && listed[count] == 0xabcd, "%s: %ld x %ld, columns %ld to %ld", k.isa, (long)e.tile.rows,
        (long)e.tile.columns, (long)columns.begin, (long)columns.end);
}

void check_counts(const Kernels& k, const Example& e) {
  std::vector<int32_t> greater(e.stride), below(e.stride);
  k.count_greater(e.tile, e.scores.data(), e.stride, e.least.data(), greater.data(), below.data());
  bool right = true;
  for (int64_t i = 0; i < e.tile.rows; ++i) {
    int64_t above = 0, under = 0;
    for (int64_t j = 0; j < e.tile.columns; ++j) {
      above += e.at(i, j) > e.least[i];
      under += e.at(i, j) < e.least[i];
    }
    right = right && greater[i] == above && below[i] == under;
  }
  CHECK(right, "%s: counts of %ld x %ld", k.isa, (long)e.tile.rows, (long)e.tile.columns);
}

}  // namespace

int main() {
  for (const Kernels* k : available_kernels()) {
    const int64_t most = k->tile.rows;
    for (const int64_t rows : {int64_t{1}, int64_t{3}, int64_t{5}, int64_t{17}, int64_t{33}, most - 1, most})
      for (const int64_t columns : {int64_t{1}, int64_t{2}, int64_t{31}, k->tile.columns}) {
        const Example e(*k, rows, columns);
        check_counts(*k, e);
        for (const bool with_most : {false, true})
          for (const Range range : {Range{0, columns}, Range{columns / 2, columns}, Range{columns, columns}})
            check_list(*k, e, range, with_most);
      }
  }
  return check::summary();
}
