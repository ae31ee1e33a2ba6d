// The search of the engine on every instruction set, against sorted lists of all scores. Scores are small
// integers, so that they are exact and often tie.
#include "core/search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/errors.h"

using namespace infcl;

namespace {

unsigned state = 7;
int32_t next(int32_t below) {
  state = state * 1664525u + 1013904223u;
  return static_cast<int32_t>((state >> 8) % static_cast<unsigned>(below));
}

struct Example {
  int64_t rows, columns, dim;
  std::vector<float> q, n, scores;
  std::vector<int32_t> row_ids, column_ids, groups, offsets, positives;
  std::vector<float> limits;

  Example(int64_t rows, int64_t columns, int64_t dim, int32_t ids)
      : rows(rows), columns(columns), dim(dim), q(rows * dim), n(columns * dim), offsets{0} {
    for (float& v : q) v = static_cast<float>(next(5) - 2);
    for (float& v : n) v = static_cast<float>(next(5) - 2);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        float sum = 0;
        for (int64_t d = 0; d < dim; ++d) sum += q[i * dim + d] * n[j * dim + d];
        scores.push_back(sum);
      }
    for (int64_t j = 0; j < columns; ++j) {
      column_ids.push_back(next(ids));
      groups.push_back(next(ids * 3) - ids);
    }
    for (int64_t i = 0; i < rows; ++i) {
      row_ids.push_back(next(ids));
      limits.push_back(static_cast<float>(next(7) - 1));
      const int32_t count = 1 + next(3);
      for (int32_t p = 0; p < count; ++p) positives.push_back(next(static_cast<int32_t>(columns)));
      offsets.push_back(static_cast<int32_t>(positives.size()));
    }
  }
  float score(int64_t i, int64_t j) const { return scores[i * columns + j]; }
  SearchRequest request() const {
    SearchRequest r;
    r.queries = {q.data(), DType::kFloat32, rows, dim, dim, {}};
    r.keys = {n.data(), DType::kFloat32, columns, dim, dim, {}};
    return r;
  }
  // The columns that count for row i, best first.
  std::vector<int32_t> ranking(int64_t i, const SearchRequest& r, const float* most) const {
    std::vector<int32_t> order, out;
    for (int32_t j = 0; j < columns; ++j) order.push_back(j);
    std::stable_sort(order.begin(), order.end(),
                     [&](int32_t a, int32_t b) { return score(i, a) > score(i, b); });
    std::vector<int32_t> seen;
    for (const int32_t j : order) {
      if (r.query_ids && r.query_ids[i] == r.key_ids[j]) continue;
      if (most && score(i, j) > most[i]) continue;
      if (r.key_groups) {
        if (std::find(seen.begin(), seen.end(), r.key_groups[j]) != seen.end()) continue;
        seen.push_back(r.key_groups[j]);
      }
      out.push_back(j);
    }
    return out;
  }
};

void set_ids(SearchRequest& r, const Example& e, int which) {
  if (which & 1) {
    r.query_ids = e.row_ids.data();
    r.key_ids = e.column_ids.data();
  }
  if (which & 2) r.key_groups = e.groups.data();
}

void check_top_k(Backend& backend, const char* isa, const Example& e, int64_t k, int which) {
  SearchRequest r = e.request();
  set_ids(r, e, which);
  r.top_k.k = k;
  if (which & 4) r.top_k.limits = e.limits.data();
  std::vector<float> scores(e.rows * k);
  std::vector<int32_t> indices(e.rows * k);
  r.top_k.scores = scores.data();
  r.top_k.indices = indices.data();
  for (const int threads : {1, 3}) {
    std::fill(indices.begin(), indices.end(), -7);
    r.threads = threads;
    search(r, backend);
    bool right = true;
    for (int64_t i = 0; i < e.rows; ++i) {
      const std::vector<int32_t> best = e.ranking(i, r, r.top_k.limits);
      for (int64_t at = 0; at < k; ++at) {
        const bool any = at < static_cast<int64_t>(best.size());
        right = right && indices[i * k + at] == (any ? best[at] : -1) &&
                scores[i * k + at] == (any ? e.score(i, best[at]) : -HUGE_VALF);
      }
    }
    CHECK(right, "%s: top %ld of %ld x %ld, kind %d, %d threads", isa, (long)k, (long)e.rows, (long)e.columns,
          which, threads);
  }
}

void check_ranks(Backend& backend, const char* isa, const Example& e, int which) {
  SearchRequest r = e.request();
  set_ids(r, e, which);
  std::vector<double> low(e.rows), high(e.rows);
  r.wants_ranks = true;
  r.ranks = {e.offsets.data(), e.positives.data(), low.data(), high.data()};
  for (const int threads : {1, 3}) {
    r.threads = threads;
    search(r, backend);
    bool right = true;
    for (int64_t i = 0; i < e.rows; ++i) {
      const auto begin = e.positives.begin() + e.offsets[i], end = e.positives.begin() + e.offsets[i + 1];
      float own = -HUGE_VALF;
      for (auto p = begin; p < end; ++p) own = std::max(own, e.score(i, *p));
      const auto is_right = [&](int32_t j) {
        return std::any_of(begin, end,
                           [&](int32_t p) { return r.key_groups ? e.groups[p] == e.groups[j] : p == j; });
      };
      double greater = 0, equal = 0;
      for (const int32_t j : e.ranking(i, r, nullptr)) {
        if (is_right(j)) continue;
        greater += e.score(i, j) > own;
        equal += e.score(i, j) == own;
      }
      right = right && low[i] == 1 + greater && high[i] == 1 + greater + equal;
    }
    CHECK(right, "%s: ranks of %ld x %ld, kind %d, %d threads", isa, (long)e.rows, (long)e.columns, which,
          threads);
  }
}

// A call that is aborted, and features that are refused, leave the backend usable.
void check_errors(Backend& backend, const Example& e) {
  SearchRequest r = e.request();
  std::vector<float> scores(e.rows);
  std::vector<int32_t> indices(e.rows);
  r.top_k = {1, nullptr, scores.data(), indices.data()};
  const auto code = [&] {
    try {
      search(r, backend);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  int32_t words[Control::kWords] = {1, 0, 0};
  r.control.words = words;
  CHECK(code() == ErrorCode::kAborted, "aborted");
  r.control = {};
  r.workspace_bytes = 1;
  CHECK(code() == ErrorCode::kWorkspace, "workspace");
  r.workspace_bytes = 0;
  std::vector<float> bad = e.q;
  r.queries.data = bad.data();
  bad.back() = NAN;
  CHECK(code() == ErrorCode::kNotFinite, "NaN");
  bad.back() = 3e38f;
  CHECK(code() == ErrorCode::kNotFinite, "overflow");
}

// A backend that knows losses alone, as CUDA does.
class NoSearch final : public Backend {
 public:
  BeginResult begin(const Problem&) override { return {}; }
  double bring(Operand) override { return 1; }
  void positive_dots(const int32_t*, float*) override {}
  void fold(FoldArgs&) override {}
  DifferentiateResult differentiate(const DifferentiateArgs&) override { return {}; }
  void hard_negative_dots(float*, float*) override {}
  double differentiate_hard_negatives(const HardNegativeArgs&) override { return 0; }
  BackendStats stats() const override { return {}; }
  void end() override { ++ends; }
  int ends = 0;
};

void check_backend_without_search(const Example& e) {
  NoSearch backend;
  SearchRequest r = e.request();
  std::vector<float> scores(e.rows);
  std::vector<int32_t> indices(e.rows);
  std::vector<double> low(e.rows), high(e.rows);
  r.top_k = {1, nullptr, scores.data(), indices.data()};
  r.ranks = {e.offsets.data(), e.positives.data(), low.data(), high.data()};
  for (const bool wants_ranks : {false, true}) {
    r.wants_ranks = wants_ranks;
    std::string message;
    try {
      search(r, backend);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kBackendUnavailable) message = error.what();
    }
    CHECK(message.find("Expected the backend 'cpu' for a search") != std::string::npos, "%s",
          message.c_str());
  }
  CHECK(backend.ends == 2, "a refused search ends its time on the backend");
}

}  // namespace

int main() {
  const Example examples[] = {
      {1, 1, 1, 1}, {5, 40, 3, 2}, {33, 500, 4, 40}, {200, 1000, 5, 100}, {3, 2500, 2, 2}};
  check_backend_without_search(examples[1]);
  for (const std::string& isa : cpu_info({}).isas) {
    const std::unique_ptr<Backend> backend = make_cpu_backend({isa, "", ""});
    for (const Example& e : examples) {
      for (int which = 0; which < 8; ++which)
        for (const int64_t k : {int64_t{1}, (e.columns + 9) / 10, e.columns})
          check_top_k(*backend, isa.c_str(), e, k, which);
      for (int which = 0; which < 4; ++which) check_ranks(*backend, isa.c_str(), e, which);
      check_errors(*backend, e);
    }
  }
  return check::summary();
}
