// split_kernel: every type of element to every kind of plane, padding, the search for what is not finite, and
// the longest row.
#include <algorithm>
#include <limits>

#include "../../native/check.h"
#include "operand.h"

using namespace infcl::cuda;
using namespace test;

namespace {

constexpr unsigned long long kNone = kNoFindings.first_not_finite;

struct Case {
  int rows, dim, stride;
  Element element;
  Precision to;
};

struct Input {
  std::vector<float> values;  // what elements are worth
  std::vector<uint16_t> narrow;
  bool wide;

  // No more elements than rows x stride less the last row's tail: nothing else may be read.
  Input(const Case& c, float odd_one, size_t odd_at) : wide(c.element == Element::kFloat32) {
    Random random(static_cast<unsigned>(c.rows * 1000 + c.dim));
    std::normal_distribution<float> normal(0, 3);
    values.resize(static_cast<size_t>(c.rows - 1) * c.stride + c.dim);
    for (float& v : values) v = normal(random);
    if (odd_at < values.size()) values[odd_at] = odd_one;
    for (float& v : values) {
      if (wide) continue;
      const bool half = c.element == Element::kFloat16;
      narrow.push_back(half ? half::to_float16(v) : half::to_bfloat16(v));
      v = half ? half::from_float16(narrow.back()) : half::from_bfloat16(narrow.back());
    }
  }
};

struct Output {
  Matrix planes;
  Findings findings;
};

Output split(const Case& c, const Input& in, unsigned long long first_index, const Findings& before) {
  const gpu::Array<float> wide(in.wide ? in.values : std::vector<float>());
  const gpu::Array<uint16_t> narrow(in.narrow);
  Matrix m(c.to, c.rows, round_up(c.dim, kDimAlignment));
  const bool two = c.to == Precision::kTwoPlanes;
  gpu::Array<uint16_t> high(m.high.size(), 0xffff), low(two ? m.low.size() : 0, 0xffff);
  gpu::Array<Findings> findings(1, before);
  const void* elements = in.wide ? static_cast<const void*>(wide.get()) : narrow.get();
  const SplitArgs a{elements,    c.element,     c.rows,
                    c.dim,       c.stride,      high.get(),
                    low.get(),   m.stride,      c.to == Precision::kFloat16,
                    first_index, findings.get()};
  gpu::launch("split_kernel", split_shape(a), a);
  m.high = high.read();
  if (two) m.low = low.read();
  return {m, findings.read()[0]};
}

void check_values(const Case& c) {
  const Input in(c, 0, kNone);
  const Output out = split(c, in, 0, kNoFindings);
  Matrix want(c.to, c.rows, out.planes.stride);
  for (int i = 0; i < c.rows; ++i)
    for (int d = 0; d < c.dim; ++d) want.set(i, d, in.values[static_cast<size_t>(i) * c.stride + d]);
  CHECK(out.planes.high == want.high && (c.to != Precision::kTwoPlanes || out.planes.low == want.low),
        "%d x %d (stride %d), element %d to %s", c.rows, c.dim, c.stride, static_cast<int>(c.element),
        test::name(c.to));
  CHECK(out.findings.first_not_finite == kNone, "all are finite, but %llu", out.findings.first_not_finite);
}

unsigned long long bits_of(double value) {
  unsigned long long bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The largest sum of squares of a row, to which no rounding to planes counts; or what was found before.
void check_longest(const Case& c, float odd, int row) {
  const size_t at = static_cast<size_t>(row) * c.stride;
  const Input in(c, odd, at);
  double most = 0;
  for (int i = 0; i < c.rows; ++i) {
    double squares = 0;
    for (int d = 0; d < c.dim; ++d) squares += std::pow(in.values[static_cast<size_t>(i) * c.stride + d], 2.);
    most = std::max(most, squares);
  }
  double found;
  const Findings findings = split(c, in, 0, kNoFindings).findings;
  std::memcpy(&found, &findings.longest_squares, sizeof found);
  CHECK(std::fabs(found - most) <= 1e-14 * most, "%d x %d, row %d of length %g: squares %.17g, not %.17g",
        c.rows, c.dim, row, odd, found, most);
  const Findings before{kNone, bits_of(2 * most)};
  CHECK(split(c, in, 0, before).findings.longest_squares == before.longest_squares, "a longer one stays");
}

void check_not_finite(const Case& c, float odd, int row, int feature) {
  const size_t at = static_cast<size_t>(row) * c.stride + feature;
  const unsigned long long index = 1000 + static_cast<unsigned long long>(row) * c.dim + feature;
  const bool counts = feature < c.dim;  // what lies between rows is nobody's
  const Input in(c, odd, at);
  const unsigned long long found = split(c, in, 1000, kNoFindings).findings.first_not_finite;
  CHECK(found == (counts ? index : kNone), "%g at row %d, feature %d: found at %llu", odd, row, feature,
        found);
  CHECK(split(c, in, 1000, {7, 0}).findings.first_not_finite == 7, "an earlier one stays");
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  constexpr Element kElements[] = {Element::kFloat32, Element::kFloat16, Element::kBFloat16};
  for (Element element : kElements)
    for (Precision to : kPrecisions)
      for (int rows : {1, 8, 9, 130})
        for (int dim : {1, 64, 65, 200}) check_values({rows, dim, dim + (rows == 9 ? 3 : 0), element, to});
  for (Element element : kElements)
    for (int row : {0, 7, 8, 129}) check_longest({130, 65, 70, element, Precision::kTwoPlanes}, 100, row);
  for (float length : {1e-30f, 1e18f, 3e38f})  // squares that float32 does not hold
    check_longest({9, 200, 200, Element::kFloat32, Precision::kTwoPlanes}, length, 8);
  check_longest({1, 1, 1, Element::kFloat32, Precision::kBFloat16}, 1e-30f, 0);
  const float infinity = std::numeric_limits<float>::infinity();
  for (Element element : kElements)
    for (float odd : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
      check_not_finite({9, 65, 65, element, Precision::kTwoPlanes}, odd, 8, 64);
      check_not_finite({9, 65, 65, element, Precision::kBFloat16}, odd, 0, 0);
      check_not_finite({9, 65, 70, element, Precision::kFloat16}, odd, 3, 66);
    }
  return check::summary();
}
