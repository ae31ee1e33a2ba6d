// The pass of a search for ranks: how many groups of columns are above the row's own dot, and how many are
// equal.
//
// The columns of a group are neighbours. In a tile, their largest score stands for all of them. A group that
// reaches beyond the tile waits for the tiles to its right: tiles of a tile row take their turns from left to
// right, so one number for each row is enough.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/backend.h"

namespace infcl::cpu {

class CpuBackend::Ranks final : public Pass {
 public:
  Ranks(CpuBackend& backend, const RanksArgs& args) : b_(backend), a_(args), s_(backend.grid()), gates_(s_) {
    if (a_.group_begins) open_.resize(static_cast<size_t>(s_.row_count()));
    for (int t = 0; t < b_.plan_.threads; ++t) scratch_.emplace_back(b_.kernels_->tile);
  }

  bool tile(int t, int64_t i, int64_t j) override {
    const TileOperands c = b_.operands(t, i, j);
    const Tile x{b_.place(i, j), b_.memory_[t].tile, b_.kernels_->tile.rows};
    if (!b_.make_scores(c, x, nullptr)) return false;
    Scratch& s = scratch_[t];
    if (a_.mask.any()) mask_pairs(x, a_.mask, s.pairs);
    mask_excluded(x);
    s.first = s.last = {};
    if (a_.group_begins) join_groups(c, x, s);
    std::copy(a_.dots + x.rows.begin, a_.dots + x.rows.end, s.dots.begin());
    b_.kernels_->count_greater(c, x.data, x.stride, s.dots.data(), s.greater.data(), s.below.data());
    TileTurns turns;
    turns.begin(i, j, 1, 0);
    if (!b_.in_turns(turns, gates_, [&](const Piece&) {
          merge(x, s);
          return true;
        }))
      return false;
    b_.problem_.control.advance();
    return true;
  }

  void finish() override { b_.count_tiles(); }

 private:
  // A group at an edge of the tile that has columns in the tile beside.
  struct Edge {
    bool comes = false, goes = false;  // has columns to the left of the tile, to its right
    bool open() const { return comes || goes; }
  };
  // Memory of one thread: workers must not allocate.
  struct Scratch {
    explicit Scratch(const TileShape& c)
        : dots(c.rows),
          first_max(c.rows),
          last_max(c.rows),
          greater(c.rows),
          below(c.rows),
          pairs(c.columns) {}
    std::vector<float> dots, first_max, last_max;  // [rows], the latter two of the groups at the edges
    std::vector<int32_t> greater, below;
    EqualPairs pairs;
    Edge first, last;  // `last` is another group than `first`
  };

  void mask_excluded(const Tile& x) const {
    for (int64_t i = x.rows.begin; i < x.rows.end; ++i) {
      const ColumnRange* const end = a_.excluded + a_.offsets[i + 1];
      const ColumnRange* at =
          std::partition_point(a_.excluded + a_.offsets[i], end,
                               [&](const ColumnRange& range) { return range.end <= x.columns.begin; });
      for (; at < end && at->begin < x.columns.end; ++at) {
        const int64_t last = std::min<int64_t>(at->end, x.columns.end);
        for (int64_t j = std::max<int64_t>(at->begin, x.columns.begin); j < last; ++j)
          x.at(i, j) = kMaskedDot;
      }
    }
  }

  // Leaves one score of each group that lies in the tile, and none of a group that reaches beyond the tile.
  void join_groups(const TileOperands& c, const Tile& x, Scratch& s) const {
    for (int64_t begin = x.columns.begin, end = begin; begin < x.columns.end; begin = end) {
      const int32_t group = a_.group_begins[begin];
      while (end < x.columns.end && a_.group_begins[end] == group) ++end;
      Edge edge;
      edge.comes = group < x.columns.begin;
      edge.goes = end == x.columns.end && end < s_.column_count() && a_.group_begins[end] == group;
      if (end - begin == 1 && !edge.open()) continue;
      const bool is_first = begin == x.columns.begin;
      if (edge.open()) (is_first ? s.first : s.last) = edge;
      TileOperands group_only = c;
      group_only.columns = end - begin;
      float* const scores = &x.at(x.rows.begin, begin);
      float* const most = is_first ? s.first_max.data() : s.last_max.data();
      b_.kernels_->row_maxima(group_only, scores, x.stride, most);
      for (int64_t n = 0; n < end - begin; ++n)
        std::fill(scores + n * x.stride, scores + n * x.stride + c.rows, kMaskedDot);
      if (!edge.open()) std::copy(most, most + c.rows, scores);
    }
  }

  void merge(const Tile& x, const Scratch& s) {
    for (int64_t r = 0; r < x.rows.size(); ++r) {
      const int64_t i = x.rows.begin + r;
      a_.greater[i] += s.greater[r];
      a_.equal[i] += static_cast<int32_t>(x.columns.size()) - s.greater[r] - s.below[r];
      if (s.first.open()) merge_edge(i, s.first, s.first_max[r]);
      if (s.last.open()) merge_edge(i, s.last, s.last_max[r]);
    }
  }

  void merge_edge(int64_t i, const Edge& edge, float most) {
    if (edge.comes) most = std::max(most, open_[i]);
    if (edge.goes) {
      open_[i] = most;
    } else {
      a_.greater[i] += most > a_.dots[i];
      a_.equal[i] += most == a_.dots[i];
    }
  }

  CpuBackend& b_;
  const RanksArgs& a_;
  const Grid& s_;
  GridGates gates_;
  std::vector<Scratch> scratch_;
  std::vector<float> open_;  // [rows]: the largest score so far of the group that goes on to the right
};

void CpuBackend::count_ranks(const RanksArgs& args) {
  load(0);
  Ranks pass(*this, args);
  traverse(pass);
}

}  // namespace infcl::cpu
