// What the engine asks of a backend in a search: the best columns of each row, or how many columns are above
// a row's own dot. All pointers stay valid until the call of the backend returns.
#pragma once

#include <cstdint>

#include "core/pair_mask.h"

namespace infcl {

// What a search needs beside tiles. A problem with a search has one similarity and no gradients.
struct SearchProblem {
  int64_t k = 0;        // of TopKArgs; 0: the search is no top k
  bool groups = false;  // TopKArgs::groups are there
  // Position j of the similarity is this row of the columns' matrix. Null: row j.
  const int32_t* column_order = nullptr;
};

struct TopKArgs {
  int64_t k = 0;  // from 1 to the number of columns
  PairMask mask;  // equal ids are left out; no limits
  const int32_t* groups =
      nullptr;                    // [columns]: of equal groups, the best column counts alone. Null: all count
  const float* limits = nullptr;  // [rows]: dots above the limit are left out. Null: none are
  // Out, [rows x k]: the largest dot first, among equal dots the lowest column. Where fewer columns are left,
  // the row ends with -infinity and -1. -0 is written as 0.
  float* scores = nullptr;
  int32_t* indices = nullptr;
};

// Positions from `begin` to before `end`.
struct ColumnRange {
  int32_t begin, end;
};

struct RanksArgs {
  const float* dots = nullptr;  // [rows]: the dots to compare with
  PairMask mask;                // equal ids are left out; columns by position; no limits
  // Row i leaves out the positions of excluded[offsets[i]] to before excluded[offsets[i + 1]]. Both ends of a
  // row's ranges ascend.
  const int32_t* offsets = nullptr;
  const ColumnRange* excluded = nullptr;
  // [columns]: the first position of the column's group. The columns of a group are neighbours and count
  // once, by the largest of their dots. Null: each column is a group.
  const int32_t* group_begins = nullptr;
  // Out, [rows], 0 before: groups with a larger dot than the row's own, and with an equal one.
  int32_t *greater = nullptr, *equal = nullptr;
};

}  // namespace infcl
