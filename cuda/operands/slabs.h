// Slabs: the order in which a pass visits a similarity whose features and gradients do not all fit the
// device. Each side is cut into slabs of equally many rows. A group of one side's slabs stays while the other
// side's slabs pass by. So a slab that stays travels once, and a slab that passes travels once a group. Every
// other group meets the passing slabs in reverse, and finds the last of them still there. All are pure
// functions of shapes, so that a plan can count the visits of a call.
#pragma once

#include <cstdint>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"

namespace infcl::cuda {

// A part of a similarity whose operands are on the device together.
struct SlabVisit {
  Range rows, columns;
  bool triangle = false;  // of a side with itself: the same rows twice
};

struct SlabCut {
  int64_t rows = 0;  // of a slab, a multiple of kTile; 0: no slabs, all operands are resident
  int64_t held = 0;  // slabs of a group, which stay together
};

enum class HeldSide { kRows, kColumns };

// Every pair of the similarity once. Without slabs: one visit.
std::vector<SlabVisit> slab_visits(const SimilarityShape&, const SlabCut&, HeldSide);

// The rows are queries, the columns their hard negatives.
std::vector<SlabVisit> hard_negative_visits(int64_t queries, int64_t per_query, const SlabCut&);

// Visits only slabs in which some row i meets its column label(i). Null labels: i itself.
std::vector<SlabVisit> labelled_visits(const SimilarityShape&, const int32_t* labels, const SlabCut&);

// Bytes of a row of a side on the way between host and device.
struct RowTraffic {
  double features = 0, gradient = 0;  // 0: lies on the device, or is not wanted
};
// Upper bound of the bytes that one pass copies. It counts sums of a gradient both ways at every visit,
// though they come from the host only after their first visit. Slabs that are still on the device are
// not copied.
double pass_traffic(const SimilarityShape&, const SlabCut&, HeldSide, const RowTraffic& rows,
                    const RowTraffic& columns);
// The side whose slabs should stay, so that fewer bytes travel.
HeldSide choose_held(const SimilarityShape&, const SlabCut&, const RowTraffic& rows,
                     const RowTraffic& columns);

}  // namespace infcl::cuda
