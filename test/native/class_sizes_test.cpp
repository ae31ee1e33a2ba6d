// Sizes of classes: right for any numbers, in a time that does not depend on them, and stopped by an abort.
#include "core/class_sizes.h"

#include <chrono>
#include <map>
#include <random>
#include <vector>

#include "check.h"
#include "core/errors.h"

using infcl::ClassSizes;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void test_counts() {
  std::mt19937 random(3);
  for (const int64_t rows : {0, 1, 2, 100, 5000, 20000})
    for (const uint32_t classes : {1u, 2u, 7u, 1000u, 0u}) {  // 0: any number
      std::vector<int32_t> one, other;
      for (int64_t i = 0; i < rows; ++i) {
        const auto number = [&] { return static_cast<int32_t>(classes ? random() % classes : random()); };
        one.push_back(number());
        if (i % 3) other.push_back(i % 2 ? number() : one.back());
      }
      if (rows > 1) one[0] = INT32_MIN, one[1] = INT32_MAX;
      std::map<int32_t, int64_t> expected;
      for (const int32_t c : one) ++expected[c];
      for (const int32_t c : other) ++expected[c];
      ClassSizes sizes;
      sizes.add(one.data(), rows);
      sizes.add(other.data(), static_cast<int64_t>(other.size()));
      sizes.count({});
      for (const auto& [c, count] : expected)
        CHECK(sizes.of(c) == count, "class %d of %ld rows: %ld", c, (long)rows, (long)sizes.of(c));
      CHECK(sizes.of(123456789) == (expected.count(123456789) ? expected[123456789] : 0), "a class of none");
    }
}

double seconds_of(int64_t rows, int32_t step) {
  std::vector<int32_t> classes;
  for (int64_t i = 0; i < rows; ++i) classes.push_back(static_cast<int32_t>(i * step));
  const auto start = Clock::now();
  ClassSizes sizes;
  sizes.add(classes.data(), rows);
  sizes.count({});
  int64_t sum = 0;
  for (const int32_t c : classes) sum += sizes.of(c);
  CHECK(sum == rows, "each is alone in its class");
  return seconds_since(start);
}

// Multiples of a number of buckets, for which std::unordered_map compares every class with every other.
void test_colliding_classes() {
  for (const int32_t buckets : {1, 42043, 62233, 85229}) {
    const double seconds = seconds_of(20000, buckets);
    CHECK(seconds < 0.5, "multiples of %d: %g s", buckets, seconds);
  }
}

void test_abort() {
  const std::vector<int32_t> classes(1 << 20, 5);
  int32_t words[infcl::Control::kWords] = {1, 0, 0};
  ClassSizes sizes;
  sizes.add(classes.data(), static_cast<int64_t>(classes.size()));
  try {
    sizes.count({words});
    CHECK(false, "counted although aborted");
  } catch (const infcl::Error& e) {
    CHECK(e.code() == infcl::ErrorCode::kAborted, "%s", e.what());
  }
}

}  // namespace

int main() {
  test_counts();
  test_colliding_classes();
  test_abort();
  return check::summary();
}
