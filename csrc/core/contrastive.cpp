#include "core/contrastive.h"

#include <chrono>
#include <cmath>
#include <vector>

#include "core/backend.h"
#include "core/communicator.h"
#include "core/errors.h"

namespace infcl {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// State of the forward pass: O(M + N), nothing of size M x N.
struct Forward {
  LseVector rows, columns;
  std::vector<float> positive_dots, row_max_dots;
};

class BackendSession {  // end() on every way out
 public:
  BackendSession(Backend& backend, const Problem& problem) : backend_(backend) {
    try {
      backend_.begin(problem);
    } catch (...) {
      backend_.end();
      throw;
    }
  }
  ~BackendSession() { backend_.end(); }
  BackendSession(const BackendSession&) = delete;
  BackendSession& operator=(const BackendSession&) = delete;

 private:
  Backend& backend_;
};

Problem make_problem(const ContrastiveRequest& r, const Communicator& ring) {
  Problem p;
  p.queries = r.queries;
  p.max_keys = r.keys.rows;
  p.logit_scale = r.logit_scale;
  p.row_lse = r.objective.row_weight != 0;
  p.column_lse = r.objective.column_weight != 0;
  p.gradient = r.gradient;
  p.single_block = ring.size() == 1;
  p.threads = r.threads;
  p.workspace_bytes = r.workspace_bytes;
  p.control = r.control;
  return p;
}

Forward fold_all(const ContrastiveRequest& r, Backend& backend) {
  Forward f;
  const int64_t m = r.queries.rows;
  if (r.objective.row_weight != 0) f.rows.reset(m);
  if (r.objective.column_weight != 0) f.columns.reset(r.keys.rows);
  f.positive_dots.assign(static_cast<size_t>(m), 0.f);
  f.row_max_dots.assign(static_cast<size_t>(m), -HUGE_VALF);

  FoldArgs a;
  a.positives.labels = r.labels;
  a.rows = r.objective.row_weight != 0 ? &f.rows : nullptr;
  a.columns = r.objective.column_weight != 0 ? &f.columns : nullptr;
  a.positive_dots = f.positive_dots.data();
  a.row_max_dots = f.row_max_dots.data();
  backend.load_keys(r.keys);
  backend.fold(a);
  f.rows.normalise();
  f.columns.normalise();
  return f;
}

// L = (1/M) sum_i [ row_weight (a_i - x_ip) + column_weight (b_p - x_ip) ],  p = label(i)
void finish_loss(const ContrastiveRequest& r, const Forward& f, ContrastiveResult& out) {
  const int64_t m = r.queries.rows;
  const double scale2 = static_cast<double>(r.logit_scale) * kLog2E;
  const Positives positives{r.labels};
  double total = 0;
  int64_t first = 0;
  for (int64_t i = 0; i < m; ++i) {
    const double x = scale2 * f.positive_dots[i];  // base 2, like the sums
    const double row_lse = f.rows.size() ? f.rows.log2(i) : 0;
    double loss = r.objective.row_weight * (row_lse - x);
    if (f.columns.size()) loss += r.objective.column_weight * (f.columns.log2(positives.of(i)) - x);
    const bool ranks_first = f.positive_dots[i] >= f.row_max_dots[i];
    total += loss;
    first += ranks_first;
    if (r.row_loss) {
      r.row_loss[i] = static_cast<float>(kLn2 * loss);
      r.row_lse[i] = static_cast<float>(kLn2 * row_lse);
      r.row_positive_first[i] = ranks_first;
    }
  }
  out.loss = kLn2 * total / static_cast<double>(m);
  out.accuracy = static_cast<double>(first) / static_cast<double>(m);
}

}  // namespace

ContrastiveResult contrastive(const ContrastiveRequest& r, Backend& backend, Communicator& ring) {
  const double start = now_seconds();
  ContrastiveResult out;
  BackendSession session(backend, make_problem(r, ring));
  backend.check_finite(r.queries, "queries");
  backend.check_finite(r.keys, "keys");

  const Forward f = fold_all(r, backend);
  finish_loss(r, f, out);
  if (!std::isfinite(out.loss))
    throw Error(ErrorCode::kNotFinite, "loss",
                "logits overflow float32: queries, keys or logitScale are too large");
  const double forward_end = now_seconds();

  if (r.gradient) {
    const double mean = static_cast<double>(r.logit_scale) / static_cast<double>(r.queries.rows);
    DifferentiateArgs a;
    a.positives.labels = r.labels;
    a.rows = f.rows.size() ? &f.rows : nullptr;
    a.columns = f.columns.size() ? &f.columns : nullptr;
    a.row_factor = mean * r.objective.row_weight;
    a.column_factor = mean * r.objective.column_weight;
    a.positive_factor = a.row_factor + a.column_factor;
    a.positive_dots = f.positive_dots.data();
    a.d_queries = r.d_queries;
    a.d_keys = r.d_keys;
    a.d_key_rows = r.d_keys ? r.d_key_rows : 0;
    // The factors carry s, so G here is s times dL/dx:  dL/ds = sum g_ij (q_i . k_j) / s
    out.logit_scale_grad = backend.differentiate(a) / r.logit_scale;
  }

  const BackendStats b = backend.stats();
  const double end = now_seconds();
  out.stats.isa = b.isa;
  out.stats.threads = b.threads;
  out.stats.flops = b.flops;
  out.stats.seconds = end - start;
  out.stats.forward_seconds = forward_end - start;
  out.stats.backward_seconds = end - forward_end;
  out.stats.workspace_bytes = b.workspace_bytes;
  int64_t gradient_rows = (r.d_queries ? r.queries.rows : 0) + (r.d_keys ? r.d_key_rows : 0);
  out.stats.peak_bytes =
      b.workspace_bytes + gradient_rows * r.queries.dim * static_cast<int64_t>(sizeof(float));
  out.stats.tiles = b.tiles;
  out.stats.tiles_reused = b.tiles_reused;
  return out;
}

}  // namespace infcl
