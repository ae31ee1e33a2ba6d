#include "core/class_sizes.h"

#include <algorithm>

#include "core/abort.h"

namespace infcl {

namespace {

constexpr int kBits = 8, kBuckets = 1 << kBits;

// The digit of a class at `shift`. The flipped sign bit puts negative classes before positive ones.
int digit(int32_t one, int shift) {
  const uint32_t ordered = static_cast<uint32_t>(one) ^ (uint32_t{1} << 31);
  return static_cast<int>(ordered >> shift & (kBuckets - 1));
}

// A radix sort: its time does not depend on the numbers, and an abort can stop it anywhere.
void sort_unless_aborted(std::vector<int32_t>& numbers, const Control& control) {
  const int64_t count = static_cast<int64_t>(numbers.size());
  std::vector<int32_t> sorted(numbers.size());
  for (int shift = 0; shift < 32; shift += kBits) {
    int64_t next[kBuckets + 1] = {};
    for_each_unless_aborted(count, control, [&](int64_t i) { ++next[digit(numbers[i], shift) + 1]; });
    for (int b = 0; b < kBuckets; ++b) next[b + 1] += next[b];
    for_each_unless_aborted(count, control,
                            [&](int64_t i) { sorted[next[digit(numbers[i], shift)]++] = numbers[i]; });
    numbers.swap(sorted);
  }
}

}  // namespace

void ClassSizes::add(const int32_t* classes, int64_t rows) {
  classes_.insert(classes_.end(), classes, classes + rows);
}

void ClassSizes::count(const Control& control) {
  sort_unless_aborted(classes_, control);
  size_t distinct = 0;
  for_each_unless_aborted(static_cast<int64_t>(classes_.size()), control, [&](int64_t i) {
    const int32_t one = classes_[i];
    if (distinct == 0 || classes_[distinct - 1] != one) {
      classes_[distinct++] = one;
      rows_.push_back(0);
    }
    ++rows_.back();
  });
  classes_.resize(distinct);
}

void ClassSizes::add_to_counted(const int32_t* classes, int64_t rows, const Control& control) {
  for_each_unless_aborted(rows, control, [&](int64_t i) {
    if (const int64_t at = find(classes[i]); at >= 0) ++rows_[static_cast<size_t>(at)];
  });
}

int64_t ClassSizes::find(int32_t one) const {
  const auto found = std::lower_bound(classes_.begin(), classes_.end(), one);
  return found != classes_.end() && *found == one ? found - classes_.begin() : -1;
}

int64_t ClassSizes::of(int32_t one) const {
  const int64_t at = find(one);
  return at < 0 ? 0 : rows_[static_cast<size_t>(at)];
}

}  // namespace infcl
