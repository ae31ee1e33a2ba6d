// How many rows each class has. Takes n log n steps whatever the classes are: a hash table takes n * n for
// those that its hash sends to one place.
//
// Refuses to go on once the call is aborted.
#pragma once

#include <cstdint>
#include <vector>

#include "core/types.h"

namespace infcl {

class ClassSizes {
 public:
  // Rows of one more side.
  void add(const int32_t* classes, int64_t rows);
  // After the last side, and before `of`. Throws Error (kAborted).
  void count(const Control&);
  // Rows of a class, all sides together.
  int64_t of(int32_t one) const;

 private:
  std::vector<int32_t> classes_;  // of all rows; after `count` each class once, in ascending order
  std::vector<int64_t> rows_;     // of each of these classes
};

}  // namespace infcl
