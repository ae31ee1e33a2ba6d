// The best columns of one row while a search visits its tiles. Candidates wait until there are many. Then the
// best k of them stay, and the least of these is the limit that a later candidate must be above. So a
// candidate costs some steps on the average, however large k is.
//
// The order of columns is total: the larger score first, among equal scores the lower column. So the result
// does not depend on when candidates are cut.
#pragma once

#include <cstdint>

#include "core/search_args.h"

namespace infcl::cpu {

// How many candidates of a row wait, beside the k best that lie in the caller's result.
int64_t waiting_candidates(int64_t k);

// Floats that a search for the best columns takes.
struct BestColumnsRoom {
  int64_t of_row = 0;      // of a tile row that is worked on, for each row
  int64_t of_cut = 0;      // of each thread
  int64_t table_size = 0;  // entries of the table of groups, in of_cut; 0: no groups
};
BestColumnsRoom best_columns_room(int64_t k, bool groups);

// Memory of the rows of a tile row.
struct BestColumnsMemory {
  float *limits, *most;     // [rows] of ScoreLimits
  int32_t *kept, *waiting;  // [rows]: candidates in the result, and in `candidates`
  uint64_t* candidates;     // [rows x waiting_candidates(k)]
  static BestColumnsMemory in(float* memory, int64_t rows, int64_t k);
};

class BestColumns {
 public:
  // `scratch`: of_cut floats, of one thread.
  BestColumns(const TopKArgs& args, const BestColumnsRoom& room, float* scratch);

  // Row `at` of the tile row is row `row` of the search.
  struct Row {
    int64_t at, row;
  };
  void begin(const BestColumnsMemory&, Row) const;
  // The caller has checked the limits. Columns of equal score must come in ascending order. True: candidates
  // were cut, which may take long.
  bool add(const BestColumnsMemory&, Row, float score, int64_t column) const;
  // Sorts the result, and fills its end.
  void finish(const BestColumnsMemory&, Row) const;

 private:
  void cut(const BestColumnsMemory&, Row) const;
  // Moves all candidates of the row to the scratch memory. Returns how many there are.
  int64_t gather(const BestColumnsMemory&, Row) const;
  // Keeps the best candidate of each group. Returns how many are left.
  int64_t keep_best_of_groups(int64_t count) const;
  void keep(const BestColumnsMemory&, Row, int64_t count) const;
  // The candidates of a row in its result.
  float* scores(Row r) const { return a_.scores + r.row * a_.k; }
  int32_t* indices(Row r) const { return a_.indices + r.row * a_.k; }

  const TopKArgs& a_;
  const int64_t most_waiting_;
  uint64_t* const all_;   // [k + most_waiting_]
  int32_t* const table_;  // [table_size_]
  const int64_t table_size_;
};

}  // namespace infcl::cpu
