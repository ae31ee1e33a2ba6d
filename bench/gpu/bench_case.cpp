#include "bench_case.h"

#include <algorithm>
#include <cmath>

#include "call_memory.h"
#include "clock.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/errors.h"
#include "pass_timer.h"
#include "unit_rows.h"

namespace infcl::bench {

namespace {

// Samples of everything that a call shows, in milliseconds.
struct Samples {
  std::vector<double> forward, backward, total, claim, upload, download, pass_forward, pass_backward;

  void add(const Stats& stats, const PassTimes& t) {
    forward.push_back(1e3 * (stats.forward_seconds - t.before_forward));
    backward.push_back(1e3 * (stats.backward_seconds - t.before_backward));
    total.push_back(forward.back() + backward.back());
    claim.push_back(1e3 * t.claim);
    upload.push_back(1e3 * t.upload);
    download.push_back(1e3 * t.download);
    pass_forward.push_back(1e3 * t.forward);
    pass_backward.push_back(1e3 * t.backward);
  }
  void summarise(Measured& m) const {
    m.repetitions = static_cast<int>(total.size());
    m.forward = median(forward);
    m.backward = median(backward);
    m.total = median(total);
    m.claim = median(claim);
    m.upload = median(upload);
    m.download = median(download);
    m.pass_forward = median(pass_forward);
    m.pass_backward = median(pass_backward);
  }
};

float value(const Features& f, int64_t row, int64_t d) {
  return from_bfloat16(static_cast<const uint16_t*>(f.view().row(row))[d]);
}

// sum_j (a_i . b_j) b_j, element d of row i.
double expected_gradient(const Features& a, const Features& b, int64_t i, int64_t d) {
  double sum = 0;
  for (int64_t j = 0; j < b.view().rows; ++j) {
    double dot = 0;
    for (int64_t e = 0; e < a.view().dim; ++e) dot += value(a, i, e) * value(b, j, e);
    sum += dot * value(b, j, d);
  }
  return sum;
}

}  // namespace

CacheFlush::CacheFlush(int64_t l2_bytes) : memory_(std::max<int64_t>(2 * l2_bytes, 1 << 20)) {}

Bench::Bench(const Card& card, Settings settings)
    : card_(card),
      settings_(settings),
      backend_(make_cuda_backend(0, settings_from_environment())),
      flush_(card.l2_bytes) {}

double Bench::Last::scaled_to(const BenchCase& c) const {
  if (shape.rows == 0 || shape.dim != c.dim || shape.dtype != c.dtype) return 0;
  return seconds * c.flops() / shape.flops();
}

double Bench::seconds_left() const { return settings_.start + settings_.seconds - now_seconds(); }

std::string Bench::too_long(const BenchCase& c) const {
  const double left = seconds_left();
  if (left <= 0) return "no time left";
  const auto last = last_calls_.find(c.place);
  const double seconds = last == last_calls_.end() ? 0 : last->second.scaled_to(c);
  if (seconds <= std::min(left, settings_.max_seconds)) return {};
  const std::string call = "a call would take about " + std::to_string(std::lround(seconds)) + " s";
  return seconds <= settings_.max_seconds ? call + ", no time left for that" : call;
}

int Bench::repetitions_of(double seconds) const {
  const double most = std::min(seconds_left(), settings_.max_seconds) / seconds;
  return static_cast<int>(std::clamp(most, 1., static_cast<double>(settings_.repetitions)));
}

Measured Bench::run(const BenchCase& c) {
  Measured m;
  m.shape = c;
  measure_calls(m);
  last_calls_[c.place] = {c, 1e-3 * m.total};
  m.clocks = read_clocks(card_);
  if (!shape_of_floors_.same_problem(c)) measure_floors(c);
  m.floors = floors_;
  return m;
}

void Bench::measure_calls(Measured& m) {
  const BenchCase& c = m.shape;
  m.matrices = matrices_for(c, card_.l2_bytes);
  const CallMemory memory(c, m.matrices);
  PassTimer backend(*backend_, [this] {
    flush_(flush_stream_);
    flush_stream_.synchronise();
  });
  const auto call = [&](int round) { return contrastive(memory.request(round), backend); };
  const ContrastiveResult warm = call(0);
  backend.take();
  m.loss = warm.loss;
  m.workspace_bytes = warm.stats.workspace_bytes;
  Samples samples;
  const int repetitions = repetitions_of(warm.stats.seconds);
  for (int round = 1; round <= repetitions; ++round) {
    const Stats stats = call(round).stats;
    samples.add(stats, backend.take());
  }
  samples.summarise(m);
}

void Bench::measure_floors(const BenchCase& c) {
  floors_.clear();
  shape_of_floors_ = c;
  if (!cublas_) return;
  if (c.dtype == DType::kBFloat16) {
    floors_.push_back(measure_floor(Arithmetic::kBFloat16, c));
  } else {
    floors_.push_back(measure_floor(Arithmetic::kFloat32, c));
    floors_.push_back(measure_floor(Arithmetic::kTensorFloat32, c));
  }
}

Floor Bench::measure_floor(Arithmetic arithmetic, const BenchCase& c) {
  Floor floor;
  floor.arithmetic = arithmetic;
  Last& last = last_floors_[arithmetic];
  if (const double left = seconds_left();
      last.scaled_to(c) > std::min(left, settings_.max_seconds) || left <= 0) {
    floor.skipped = left <= settings_.max_seconds ? "no time left" : "would take too long";
    return floor;
  }
  try {
    const Features rows(c.rows, c.dim, c.dtype, 0), columns(c.rows, c.dim, c.dtype, 1);
    FourProducts products(cublas_, arithmetic, rows.view(), columns.view());
    const double start = now_seconds();
    products.run(false, flush_);
    const double seconds = now_seconds() - start;
    last = {c, seconds};
    std::vector<double> logits, again, d_rows, d_columns;
    floor.repetitions = repetitions_of(seconds);
    for (int round = 1; round <= floor.repetitions; ++round) {
      const FourProducts::Milliseconds ms = products.run(round % 2 == 1, flush_);
      logits.push_back(ms.logits);
      again.push_back(ms.again);
      d_rows.push_back(ms.d_rows);
      d_columns.push_back(ms.d_columns);
    }
    floor.ms = {median(logits), median(again), median(d_rows), median(d_columns)};
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kOutOfMemory) throw;
    floor.skipped = e.what();
  }
  return floor;
}

void Bench::verify_floor() const {
  if (!cublas_) return;
  const int64_t m = 24, n = 40, dim = 16;
  const Features rows(m, dim, DType::kBFloat16, 0), columns(n, dim, DType::kBFloat16, 1);
  FourProducts products(cublas_, Arithmetic::kBFloat16, rows.view(), columns.view());
  std::vector<float> d_rows(static_cast<size_t>(m * dim)), d_columns(static_cast<size_t>(n * dim));
  const auto compare = [&](const Features& a, const Features& b, const std::vector<float>& got) {
    for (int64_t i = 0; i < a.view().rows; ++i)
      for (int64_t d = 0; d < dim; ++d) {
        const double want = expected_gradient(a, b, i, d), is = got[static_cast<size_t>(i * dim + d)];
        if (!(std::fabs(is - want) <= 0.03))  // of sums of about 1; G is rounded to bfloat16
          throw Error(ErrorCode::kInternal, "bench",
                      "the floor's product is " + std::to_string(is) + " and not " + std::to_string(want));
      }
  };
  for (const bool swapped : {false, true}) {
    products.run(swapped, flush_);
    products.read(d_rows.data(), d_columns.data());
    compare(rows, columns, d_rows);
    compare(columns, rows, d_columns);
  }
}

}  // namespace infcl::bench
