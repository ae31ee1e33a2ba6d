// The pass of a search for the best columns of each row. The scores of a tile are made and masked; then, in
// the turn of their tile row, those above the limits of their rows are listed and become candidates.
//
// Tiles of a tile row take their turns from left to right. So a later candidate has a higher column, and one
// comparison of scores tells whether the candidate is better.
#include <memory>
#include <vector>

#include "cpu/backend.h"
#include "cpu/best_columns.h"
#include "cpu/search_room.h"

namespace infcl::cpu {

class CpuBackend::TopK final : public Pass {
 public:
  TopK(CpuBackend& backend, const TopKArgs& args)
      : b_(backend), a_(args), s_(backend.grid()), gates_(s_), room_(best_columns_room(args.k, args.groups)) {
    for (int t = 0; t < b_.plan_.threads; ++t) pairs_.emplace_back(b_.kernels_->tile.columns);
  }

  bool tile(int t, int64_t i, int64_t j) override {
    const TileOperands c = b_.operands(t, i, j);
    const Tile x{b_.place(i, j), b_.memory_[t].tile, b_.kernels_->tile.rows};
    if (!b_.make_scores(c, x, nullptr)) return false;
    if (a_.mask.any()) mask_pairs(x, a_.mask, pairs_[t]);
    TileTurns turns;
    turns.begin(i, j, 1, 0);
    if (!b_.in_turns(turns, gates_, [&](const Piece&) { return merge(t, c, x, i, j); })) return false;
    b_.problem_.control.advance();
    return true;
  }

  void finish() override { b_.count_tiles(); }

 private:
  // False: stopped.
  bool merge(int t, const TileOperands& c, const Tile& x, int64_t i, int64_t j) {
    const BestColumnsMemory m = memory_of(i);
    const BestColumns best(a_, room_, b_.memory_[t].search);
    if (j == 0)
      for (int64_t r = 0; r < c.rows; ++r) best.begin(m, {r, x.rows.begin + r});
    uint32_t* listed = reinterpret_cast<uint32_t*>(b_.memory_[t].search + room_.of_cut);
    for (int64_t begin = 0; begin < c.columns; begin += kListedColumns) {
      if (b_.stopped()) return false;
      const Range columns{begin, std::min(c.columns, begin + kListedColumns)};
      const int64_t count = b_.kernels_->list_greater(c, columns, x.data, x.stride,
                                                      {m.limits, a_.limits ? m.most : nullptr}, listed);
      for (int64_t n = 0; n < count; ++n) {
        const int64_t row = listed_row(listed[n]), column = listed_column(listed[n]);
        const bool was_cut =
            best.add(m, {row, x.rows.begin + row}, x.data[column * x.stride + row], x.columns.begin + column);
        if (was_cut && b_.stopped()) return false;
      }
    }
    return j + 1 < s_.tile_columns() || finish_rows(best, m, x.rows);
  }

  bool finish_rows(const BestColumns& best, const BestColumnsMemory& m, Range rows) {
    for (int64_t r = 0; r < rows.size(); ++r) {
      if (b_.stopped()) return false;
      best.finish(m, {r, rows.begin + r});
    }
    return true;
  }

  BestColumnsMemory memory_of(int64_t tile_row) const {
    return BestColumnsMemory::in(b_.row_memory(tile_row).search, round_up(s_.max_rows(), b_.kernels_->panel),
                                 a_.k);
  }

  CpuBackend& b_;
  const TopKArgs& a_;
  const Grid& s_;
  GridGates gates_;
  const BestColumnsRoom room_;
  std::vector<EqualPairs> pairs_;
};

void CpuBackend::top_k(const TopKArgs& args) {
  load(0);
  TopK pass(*this, args);
  traverse(pass);
}

}  // namespace infcl::cpu
