#include "scores_problem.h"

#include <algorithm>

#include "core/base2_logit.h"

namespace test {

namespace {

using infcl::kLog2E;

Matrix random_side(const ScoresCase& c, Precision p, int rows, Random& random) {
  return random_features(p, rows, c.dim, c.limits, random);
}

unsigned seed_of(const ScoresCase& c) {
  return static_cast<unsigned>(c.rows * 7919 + c.columns * 104729 + c.dim);
}

std::vector<int32_t> random_integers(int count, int low, int high, Random& random) {
  std::uniform_int_distribution<int32_t> any(low, high);
  std::vector<int32_t> values(static_cast<size_t>(count));
  for (int32_t& v : values) v = any(random);
  return values;
}

// Between two neighbours on the grid of dots, such that a good share is above.
std::vector<float> random_limits(int count, Random& random) {
  std::vector<float> limits;
  for (int32_t v : random_integers(count, -20, 150, random))
    limits.push_back(static_cast<float>(v + 0.5) / 64);
  return limits;
}

}  // namespace

struct ScoresProblem::OnDevice {
  explicit OnDevice(const ScoresProblem& p)
      : rows(p.rows_),
        columns(p.columns_),
        labels(p.labels),
        row_ids(p.row_ids),
        column_ids(p.column_ids),
        row_classes(p.row_classes),
        column_classes(p.column_classes),
        row_limits(p.row_limits),
        column_limits(p.column_limits) {}
  DeviceMatrix rows, columns;
  gpu::Array<int32_t> labels, row_ids, column_ids, row_classes, column_classes;
  gpu::Array<float> row_limits, column_limits;
};

ScoresProblem::ScoresProblem(const ScoresCase& scores_case, Precision p)
    : c(scores_case),
      precision(p),
      scale2(c.scale * kLog2E),
      bias2(-5 * kLog2E),
      rows_(p, 0, c.dim_of_rows()),
      columns_(rows_) {
  Random random(seed_of(c));
  rows_ = random_side(c, p, c.rows, random);
  columns_ = c.triangle ? rows_ : random_side(c, p, c.columns, random);
  make_mask(random);
  measure();
  device_ = std::make_shared<OnDevice>(*this);
}

void ScoresProblem::make_mask(Random& random) {
  const auto of_columns = [&](const auto& of_rows, auto make) { return c.triangle ? of_rows : make(); };
  if (c.labels == Labels::kGiven)
    labels = random_integers(c.rows, std::max(0, c.column_begin - c.columns / 2),
                             c.column_begin + c.columns + c.columns / 2, random);
  if (c.ids || c.nothing_counts) {
    const int most = c.nothing_counts ? 0 : 40;
    row_ids = random_integers(c.rows, 0, most, random);
    column_ids = of_columns(row_ids, [&] { return random_integers(c.columns, 0, most, random); });
  }
  if (c.classes) {
    row_classes = random_integers(c.rows, 0, 6, random);
    column_classes = of_columns(row_classes, [&] { return random_integers(c.columns, 0, 6, random); });
  }
  if (c.limits) row_limits = random_limits(c.rows, random);
  if (c.column_limits)
    column_limits = of_columns(row_limits, [&] { return random_limits(c.columns, random); });
}

void ScoresProblem::measure() {
  dots_.resize(static_cast<size_t>(c.rows) * c.columns);
  for (int i = 0; i < c.rows; ++i)
    for (int j = 0; j < c.columns; ++j) {
      double sum = 0;
      for (int d = 0; d < c.dim; ++d) sum += rows_.get(i, d) * columns_.get(j, d);
      dots_[static_cast<size_t>(i) * c.columns + j] = sum;
      if (c.limits) continue;  // dots are exact
      const auto pair = [&](int d) { return std::pair(rows_.planes(i, d), columns_.planes(j, d)); };
      dot_error_ = std::max(dot_error_, test::dot_error(precision, c.dim, pair));
    }
}

Pair ScoresProblem::pair(int i, int j) const {
  const int row = c.row_begin + i, column = c.column_begin + j;
  if (c.labels != Labels::kNone && column == (labels.empty() ? row : labels[i])) return Pair::kPositive;
  if (c.triangle && i == j) return Pair::kSelf;
  if (!row_ids.empty() && row_ids[i] == column_ids[j]) return Pair::kMasked;
  if (!row_limits.empty() && dot(i, j) > row_limits[i]) return Pair::kMasked;
  if (!column_limits.empty() && dot(i, j) > column_limits[j]) return Pair::kMasked;
  return Pair::kCounts;
}

std::string ScoresProblem::kernel(const std::string& stem, bool general) const {
  const bool plain = !general && infcl::cuda::is_plain(args().mask, c.smoothing) && !c.general;
  return stem + (plain ? "_plain_" : "_general_") + test::name(precision) + "_kernel";
}

infcl::cuda::ScoresArgs ScoresProblem::args() const {
  infcl::cuda::ScoresArgs a{};
  a.rows = device_->rows.planes();
  a.columns = device_->columns.planes();
  a.padded_dim = rows_.stride;
  a.row_count = c.rows;
  a.column_count = c.columns;
  a.row_begin = c.row_begin;
  a.column_begin = c.column_begin;
  a.triangle = c.triangle;
  a.sigmoid = c.sigmoid;
  const infcl::Log2Scale scale = infcl::log2_scale(c.scale);
  a.scale_high = scale.high;
  a.scale_low = scale.low;
  a.bias = static_cast<float>(bias2);
  a.mask.labelled = c.labels != Labels::kNone;
  a.mask.labels = device_->labels.get();
  a.mask.row_classes = device_->row_classes.get();
  a.mask.column_classes = device_->column_classes.get();
  a.mask.row_ids = device_->row_ids.get();
  a.mask.column_ids = device_->column_ids.get();
  a.mask.row_limits = device_->row_limits.get();
  a.mask.column_limits = device_->column_limits.get();
  return a;
}

std::vector<ScoresCase> scores_cases() {
  std::vector<ScoresCase> cases;
  const auto add = [&](const char* name, int rows, int columns, int dim) -> ScoresCase& {
    ScoresCase c{};
    c.name = name;
    c.rows = rows;
    c.columns = columns;
    c.dim = dim;
    c.scale = 10;
    cases.push_back(c);
    return cases.back();
  };
  for (int rows : {1, 127, 128, 129, 300}) add("rows", rows, 130, 65).labels = Labels::kOwnIndex;
  for (int columns : {1, 127, 128, 129, 300}) add("columns", 130, columns, 64).labels = Labels::kGiven;
  for (int dim : {1, 64, 65, 200, 512}) add("dim", 128, 256, dim);
  add("general for plain", 129, 140, 100).general = true;
  ScoresCase& later = add("a block further on", 140, 300, 96);
  later.labels = Labels::kOwnIndex;
  later.row_begin = 256;
  later.column_begin = 128;
  for (int size : {1, 128, 129, 300}) add("triangle", size, size, 72).triangle = true;
  add("sigmoid", 150, 300, 200).sigmoid = true;
  ScoresCase& siglip = add("sigmoid, labels and ids", 130, 130, 64);
  siglip.sigmoid = siglip.ids = true;
  siglip.labels = Labels::kOwnIndex;
  ScoresCase& limited = add("sigmoid, limits of rows", 130, 129, 64);
  limited.sigmoid = limited.limits = true;
  add("ids", 200, 300, 64).ids = true;
  ScoresCase& both = add("ids, limits, labels, smoothing", 200, 300, 128);
  both.ids = both.limits = both.column_limits = both.smoothing = true;
  both.labels = Labels::kGiven;
  add("limits of rows", 130, 129, 64).limits = true;
  ScoresCase& masked_triangle = add("triangle, ids and limits", 300, 300, 64);
  masked_triangle.triangle = masked_triangle.ids = masked_triangle.limits = masked_triangle.column_limits =
      true;
  add("classes", 200, 140, 64).classes = true;
  ScoresCase& supcon = add("triangle, classes", 290, 290, 96);
  supcon.triangle = supcon.classes = true;
  add("nothing counts", 130, 10, 64).nothing_counts = true;
  ScoresCase& lone = add("nothing but its positive", 1, 1, 64);
  lone.labels = Labels::kOwnIndex;
  for (double scale : {1e-3, 300., 1e7}) {
    add("scale", 140, 150, 64).scale = scale;
    ScoresCase& general = add("scale, triangle", 150, 150, 64);
    general.scale = scale;
    general.triangle = general.general = true;
  }
  // The base-2 scale is 2^30 and a little, so that a float32 logit of a dot on the grid has no rounding.
  for (const bool triangle : {false, true}) {
    ScoresCase& huge = add("huge logits", triangle ? 150 : 140, 150, 64);
    huge.scale = (0x1p30 + 0x1p-10) / kLog2E;
    huge.limits = huge.column_limits = true;
    huge.triangle = triangle;
  }
  return cases;
}

}  // namespace test
