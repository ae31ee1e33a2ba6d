// Slabs: what is visited of a similarity while features and gradients do not all fit the device. Each side is
// cut into slabs of equally many rows. A group of one side's slabs is held while the other side's slabs pass
// by, so those travel once a group and the held ones once; every other group meets them in reverse, and finds
// the last ones still there. Pure functions of shapes, so that `plan` can count what a call will do.
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
  int64_t rows = 0;  // of a slab, a multiple of kTile; 0: there are no slabs, all is resident
  int64_t held = 0;  // slabs of a group
};

enum class HeldSide { kRows, kColumns };

// Every pair of the similarity once. Without slabs: one visit.
std::vector<SlabVisit> slab_visits(const SimilarityShape&, const SlabCut&, HeldSide);

// Rows are queries and columns the `per_query` rows that each query has for itself.
std::vector<SlabVisit> hard_negative_visits(int64_t queries, int64_t per_query, const SlabCut&);

// Of row i with column label(i) alone: only where there is such a pair. Null labels: i itself.
std::vector<SlabVisit> labelled_visits(const SimilarityShape&, const int32_t* labels, const SlabCut&);

// What a row of a side takes to bring and to take away, in bytes between host and device.
struct RowTraffic {
  double features = 0, gradient = 0;  // 0: lies on the device, or is not wanted
};
// Of a pass over the similarity, at most: sums of a gradient come back to the device with their features, but
// for the first time, and what is still there need not.
double pass_traffic(const SimilarityShape&, const SlabCut&, HeldSide, const RowTraffic& rows,
                    const RowTraffic& columns);
// The side with which less travels.
HeldSide choose_held(const SimilarityShape&, const SlabCut&, const RowTraffic& rows,
                     const RowTraffic& columns);

}  // namespace infcl::cuda
