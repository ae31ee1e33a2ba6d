#include "bench_case.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>

#include "clock.h"
#include "core/backend_factory.h"
#include "core/communicator.h"
#include "core/contrastive.h"
#include "core/errors.h"
#include "lap_timer.h"
#include "unit_rows.h"

namespace infcl::bench {

namespace {

constexpr int kMostMatrices = 32;

int matrices_for(const BenchCase& c, int64_t l2_bytes) {
  const int64_t bytes = c.rows * c.dim * static_cast<int64_t>(dtype_size(c.dtype));
  return static_cast<int>(std::clamp<int64_t>(2 * l2_bytes / bytes + 1, 2, kMostMatrices));
}

int64_t available_host_bytes() {  // -1: not known
  std::ifstream info("/proc/meminfo");
  for (std::string word; info >> word;)
    if (int64_t kibibytes; word == "MemAvailable:" && info >> kibibytes) return 1024 * kibibytes;
  return -1;
}

void expect_host_memory(const BenchCase& c, int matrices) {
  const int64_t elements = c.rows * c.dim, available = available_host_bytes();
  const int64_t bytes = elements * (matrices * static_cast<int64_t>(dtype_size(c.dtype)) +
                                    2 * static_cast<int64_t>(sizeof(float)));
  if (available >= 0 && bytes > available / 10 * 9)
    throw Error(ErrorCode::kOutOfMemory, "bench",
                "features and gradients need " + std::to_string(bytes >> 20) +
                    " MiB of the host: " + std::to_string(available >> 20) + " are available");
}

ContrastiveRequest clip(const Features& queries, const Features& keys) {
  ContrastiveRequest r;
  r.queries = queries.view();
  r.keys = keys.view();
  r.objective = make_objective(ObjectiveKind::kClip);
  r.logit_scale = 1 / 0.07;
  r.bfloat16 = r.queries.dtype == DType::kBFloat16;
  r.gradient = true;
  r.d_key_rows = r.keys.rows;
  return r;
}

// Samples of everything that a call shows, in milliseconds.
struct Samples {
  std::vector<double> forward, backward, total, claim, upload, download, lap_forward, lap_backward;

  void add(const Stats& stats, const LapTimes& t) {
    forward.push_back(1e3 * (stats.forward_seconds - t.forward_apart));
    backward.push_back(1e3 * (stats.backward_seconds - t.backward_apart));
    total.push_back(forward.back() + backward.back());
    claim.push_back(1e3 * t.claim);
    upload.push_back(1e3 * t.upload);
    download.push_back(1e3 * t.download);
    lap_forward.push_back(1e3 * t.forward);
    lap_backward.push_back(1e3 * t.backward);
  }
  void summarise(Measured& m) const {
    m.repetitions = static_cast<int>(total.size());
    m.forward = median(forward);
    m.backward = median(backward);
    m.total = median(total);
    m.claim = median(claim);
    m.upload = median(upload);
    m.download = median(download);
    m.lap_forward = median(lap_forward);
    m.lap_backward = median(lap_backward);
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

std::string Bench::too_long(const BenchCase& c) const {
  const double seconds = last_call_.scaled_to(c);
  if (seconds <= settings_.max_seconds) return {};
  return "a call would take about " + std::to_string(std::lround(seconds)) + " s";
}

int Bench::repetitions_of(double seconds) const {
  return static_cast<int>(
      std::clamp(settings_.max_seconds / seconds, 1., static_cast<double>(settings_.repetitions)));
}

Measured Bench::run(const BenchCase& c) {
  Measured m;
  m.shape = c;
  measure_calls(m);
  last_call_ = {c, 1e-3 * m.total};
  m.clocks = read_clocks(card_);
  measure_floors(m);
  return m;
}

void Bench::measure_calls(Measured& m) {
  const BenchCase& c = m.shape;
  m.matrices = matrices_for(c, card_.l2_bytes);
  expect_host_memory(c, m.matrices);
  std::vector<Features> features;
  for (int i = 0; i < m.matrices; ++i) features.emplace_back(c.rows, c.dim, c.dtype, i);
  const size_t elements = static_cast<size_t>(c.rows * c.dim);
  const std::unique_ptr<float[]> d_queries(new float[elements]), d_keys(new float[elements]);
  const std::unique_ptr<Communicator> ring = make_single_communicator();
  LapTimer backend(*backend_, [this] {
    flush_(flush_stream_);
    flush_stream_.synchronise();
  });
  const auto call = [&](int round) {
    const size_t first = static_cast<size_t>(round % m.matrices), second = (first + 1) % features.size();
    ContrastiveRequest r = clip(features[first], features[second]);
    r.d_queries = d_queries.get();
    r.d_keys = d_keys.get();
    return contrastive(r, backend, *ring);
  };
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

void Bench::measure_floors(Measured& m) {
  if (!cublas_) return;
  if (m.shape.dtype == DType::kBFloat16) {
    m.floors.push_back(measure_floor(Arithmetic::kBFloat16, m.shape));
  } else {
    m.floors.push_back(measure_floor(Arithmetic::kFloat32, m.shape));
    m.floors.push_back(measure_floor(Arithmetic::kTensorFloat32, m.shape));
  }
}

Floor Bench::measure_floor(Arithmetic arithmetic, const BenchCase& c) {
  Floor floor;
  floor.arithmetic = arithmetic;
  Last& last = last_floors_[arithmetic];
  if (last.scaled_to(c) > settings_.max_seconds) {
    floor.skipped = "would take too long";
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
