// Counts the rows of each class. The time does not depend on the classes, which a user may choose: with a
// hash table, classes of equal hash would take n * n steps.
//
// Refuses to go on after the call was aborted.
#pragma once

#include <cstdint>
#include <vector>

#include "core/types.h"

namespace infcl {

class ClassSizes {
 public:
  // Adds the rows of one more side.
  void add(const int32_t* classes, int64_t rows);
  // To be called after the last `add` and before `of`. Throws Error (kAborted).
  void count(const Control&);
  // After `count`: adds rows of other ranks. Those of classes that are not counted here change nothing.
  void add_to_counted(const int32_t* classes, int64_t rows, const Control&);
  // Rows of a class, on all sides together.
  int64_t of(int32_t one) const;

 private:
  // The place of a class among those that are counted; -1: it is none of them.
  int64_t find(int32_t one) const;

  std::vector<int32_t> classes_;  // of all rows; after `count`: each class once, in ascending order
  std::vector<int64_t> rows_;     // number of rows of each class
};

}  // namespace infcl
