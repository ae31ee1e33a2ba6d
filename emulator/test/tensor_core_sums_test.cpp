// The sums of tensor cores as tensor_core_sums.h forms them: cases worked by hand, and random ones against
// the rule written out slowly, one number at a time.
#include "../tensor_core_sums.h"

#include <random>
#include <vector>

#include "check.h"

using namespace infcl::emulator;

namespace {

constexpr int kDepth = 16, kColumns = 4;
constexpr TensorCoreStep kAmpere = tensor_core_step(80), kHopper = tensor_core_step(90);

// sum + a[0] * b[0] + ...; missing terms are zero
float add(TensorCoreStep step, float sum, const std::vector<float>& a, const std::vector<float>& b) {
  float row[kDepth] = {}, columns[kDepth][kColumns] = {}, sums[kColumns] = {};
  for (size_t k = 0; k < a.size(); k++) {
    row[k] = a[k];
    columns[k][1] = b[k];
  }
  sums[1] = sum;
  TruncatedSums<kDepth, kColumns>(columns, step).add(row, sums);
  for (const int other : {0, 2, 3}) CHECK(sums[other] == 0 || !std::isfinite(a[0]), "a column without terms");
  return sums[1];
}

void check_by_hand() {
  for (const TensorCoreStep& step : {kAmpere, kHopper}) {
    CHECK(add(step, 1, {1}, {0x1.8p-24f}) == 1, "below half of the last bit");
    CHECK(add(step, 1, {1}, {0x1.8p-23f}) == 1 + 0x1p-23f, "nearest would be two units more");
    CHECK(add(step, -1, {1}, {-0x1.8p-23f}) == -1 - 0x1p-23f, "towards zero, of both signs");
    CHECK(add(step, 1, {1}, {-0x1p-30f}) == 1, "too small to be taken away");
    CHECK(add(step, 1, {1, 1}, {0x1p-24f, 0x1p-24f}) == 1 + 0x1p-23f, "one extra bit is kept");
    CHECK(add(step, 0, {0x1p-60f, 3}, {0x1p-60f, 0x1p-70f}) == 3 * 0x1p-70f,
          "small numbers among themselves");
    CHECK(add(step, 0, {3}, {7}) == 21, "exact");
    CHECK(std::isnan(add(step, 0, {NAN}, {0})) && std::isnan(add(step, NAN, {1}, {1})), "NaN stays");
    CHECK(add(step, 0, {HUGE_VALF}, {1}) == HUGE_VALF, "infinity stays");
  }
  const std::vector<float> four(4, 1), quarter(4, 0x1p-25f);
  CHECK(add(kHopper, 1, four, quarter) == 1 + 0x1p-23f, "two extra bits");
  CHECK(add(kAmpere, 1, four, quarter) == 1, "one extra bit");
  // the second eight cancels what the first is compared with, or the first is cut before
  std::vector<float> a(kDepth), b(kDepth, 1);
  a[0] = 1;
  a[1] = 0x1p-26f;
  a[8] = -1;
  CHECK(add(kAmpere, 0, a, b) == 0 && add(kHopper, 0, a, b) == 0, "lost beside the larger");
  a[0] = a[8] = 0;
  a[9] = 0x1p-50f;
  CHECK(add(kAmpere, 0, a, b) == 0x1p-26f, "lost beside the sum so far");
}

float slowly(TensorCoreStep step, float sum, const float* a, const float* b) {
  for (int first = 0; first < kDepth; first += step.terms) {
    const auto exponent = [](double x) { return x == 0 ? -1000 : std::ilogb(x); };
    int largest = exponent(sum);
    for (int k = first; k < first + step.terms; k++)
      if (a[k] != 0 && b[k] != 0) largest = std::max(largest, exponent(a[k]) + exponent(b[k]));
    const double unit = std::ldexp(1., largest - 23 - step.extra_bits);
    double total = unit * std::trunc(sum / unit);
    for (int k = first; k < first + step.terms; k++)
      total += unit * std::trunc(static_cast<double>(a[k]) * b[k] / unit);
    const double last = total == 0 ? 1 : std::ldexp(1., std::ilogb(total) - 23);
    sum = static_cast<float>(last * std::trunc(total / last));
  }
  return sum;
}

void check_random() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 2000; round++) {
    float a[kDepth], b[kDepth][kColumns], sums[kColumns], column[kDepth];
    const float spread = std::ldexp(1.f, round % 40 - 20);
    for (float& x : a) x = bfloat16_to_float(float_to_bfloat16(normal(random) * (random() % 4 ? spread : 1)));
    for (auto& row : b)
      for (float& x : row) x = random() % 8 ? bfloat16_to_float(float_to_bfloat16(normal(random))) : 0;
    for (float& x : sums) x = normal(random) * (round % 3 ? 100 : 0);
    for (const TensorCoreStep& step : {kAmpere, kHopper}) {
      float got[kColumns];
      std::copy(sums, sums + kColumns, got);
      TruncatedSums<kDepth, kColumns>(b, step).add(a, got);
      for (int j = 0; j < kColumns; j++) {
        for (int k = 0; k < kDepth; k++) column[k] = b[k][j];
        const float want = slowly(step, sums[j], a, column);
        CHECK(got[j] == want, "round %d, step of %d: %.9g, not %.9g", round, step.terms, got[j], want);
      }
    }
  }
}

}  // namespace

int main() {
  check_by_hand();
  check_random();
  return check::summary();
}
