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
  // Rows of a class, on all sides together.
  int64_t of(int32_t one) const;

 private:
  std::vector<int32_t> classes_;  // of all rows; after `count`: each class once, in ascending order
  std::vector<int64_t> rows_;     // number of rows of each class
};

}  // namespace infcl
