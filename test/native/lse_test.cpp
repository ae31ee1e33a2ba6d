// The running log-sum-exp: order and shifts do not matter, empty rows stay -inf, nothing overflows.
#include "core/lse.h"

#include "check.h"

using infcl::LseVector;

namespace {

LseVector one_row() {
  LseVector v;
  v.reset(1);
  return v;
}

void test_merges() {
  LseVector v = one_row();
  v.fold(0, 1.5, 10);
  v.fold(0, 1.0, 12);
  v.fold(0, 1.0, -400);
  CHECK(std::fabs(v.log2(0) - std::log2(1.5 * 1024 + 4096)) < 1e-15, "%.17g", v.log2(0));
}

void test_rescaling_is_exact() {
  LseVector up = one_row(), down = one_row();
  const double sums[] = {1.1, 1.7, 1.3};
  const float shifts[] = {-3, 40, 7};
  for (int i = 0; i < 3; ++i) up.fold(0, sums[i], shifts[i]);
  down.fold(0, 1.7, 40);  // starts from the largest, so nothing is ever rescaled
  down.fold(0, 1.1, -3);
  down.fold(0, 1.3, 7);
  CHECK(up.log2(0) == down.log2(0), "%.17g %.17g", up.log2(0), down.log2(0));
}

void test_empty() {
  LseVector v = one_row();
  CHECK(v.log2(0) == -HUGE_VAL, "%g", v.log2(0));
  v.fold(0, 0, 1e6f);
  CHECK(v.log2(0) == -HUGE_VAL, "a sum of zero adds nothing");
  v.normalise(0, v.size());
  CHECK(v.sum(0) == 0, "stays empty");
  v.fold(0, 1, -100000);
  CHECK(v.log2(0) == -100000, "%g", v.log2(0));
}

void test_extremes() {
  LseVector v = one_row();
  v.fold(0, 1, 3e6f);
  v.fold(0, 1, -3e6f);
  CHECK(v.log2(0) == 3e6, "%g", v.log2(0));
}

void test_normalise() {
  LseVector v = one_row();
  v.fold(0, 0x1p-50 * 1.25, 60);
  const double before = v.log2(0);
  v.normalise(0, v.size());
  CHECK(v.sum(0) == 1.25 && v.shift(0) == 10, "sum %g shift %g", v.sum(0), v.shift(0));
  CHECK(v.log2(0) == before || std::fabs(v.log2(0) - before) < 1e-14, "%.17g %.17g", v.log2(0), before);
}

}  // namespace

int main() {
  test_merges();
  test_rescaling_is_exact();
  test_empty();
  test_extremes();
  test_normalise();
  return check::summary();
}
