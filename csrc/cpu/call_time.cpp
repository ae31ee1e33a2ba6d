// All counts come from the sizes of grids in closed form.
#include "cpu/call_time.h"

#include <algorithm>

namespace infcl::cpu {

namespace {

// The floors of an estimate. They are no measurements of this machine: rather what the usual ones need.
constexpr double kCallSeconds = 60e-6;  // arguments, promise, and the way to the thread of the calls
constexpr double kRunSeconds = 8e-6;    // waking all threads for one part of a pass, and waiting for them
constexpr double kRowSeconds = 60e-9;   // the loss state: logarithms and exponentials of one normaliser
constexpr double kStreamedByteSeconds = 1e-10;  // a byte that comes from memory, for one thread

double as_double(int64_t n) { return static_cast<double>(n); }

// What the tiles of one similarity make of its pairs. Kernels round both sides of a tile up.
struct Pairs {
  double all = 0;       // that a forward pass forms
  double diagonal = 0;  // whose columns get no gradients
  double rounded = 1;   // pairs that kernels form, for each pair that counts
};

Pairs pairs_of(const Grid& s, const Kernels& k) {
  const double rows = as_double(round_up(s.row_count(), k.panel)) / as_double(s.row_count()),
               columns = as_double(round_up(s.column_count(), k.strip)) / as_double(s.column_count());
  return {s.pairs(s.tile_columns()), s.diagonal_pairs(s.tile_rows()), rows * columns};
}

// Seconds of all threads together.
class Work {
 public:
  Work(const CallShape& c, const WorkspacePlan& p, const Kernels& k, const KernelTimes& t)
      : c_(c),
        p_(p),
        k_(k),
        t_(t),
        dim_(as_double(c.dim)),
        auxiliary_dim_(as_double(total_dim(p.auxiliary_dims))) {}

  // Copies for the kernels. Columns that do not stay packed are packed again for each tile row.
  double packing(const Grid& s, bool backward) const {
    const double layouts = backward ? 2 : 1;
    const int64_t packed = std::min(p_.packed_tile_columns, s.tile_columns());
    const double stay = as_double(s.column_cut().before(packed));
    const double again = (as_double(s.column_count()) - stay) * as_double(s.tile_rows());
    const double columns = (stay + again) * (k_.pair > 1 && c_.gradient ? 2 : 1);
    // Auxiliary similarities have no gradients, so each side has one layout.
    const double auxiliary = (as_double(s.row_count()) + stay + again) * auxiliary_dim_;
    return ((as_double(s.row_count()) * layouts + columns) * dim_ + auxiliary) * t_.pack;
  }

  double forward(const Pairs& pairs) const {
    const double fold = c_.objective.sigmoid() ? t_.fold_sigmoid : t_.fold;
    return pairs.all * pairs.rounded * (t_.scores.at(dim_) + fold);
  }

  // `kept` pairs have their scores from the forward pass.
  double backward(const Grid& s, const Pairs& pairs, double kept) const {
    const double features = as_double(round_up(c_.dim, k_.panel));
    const double logits = c_.objective.sigmoid() ? t_.sigmoid_gradients : t_.logit_gradients;
    const double products = pairs.all * (logits + t_.row_gradients.at(features)) +
                            (pairs.all - pairs.diagonal) * t_.column_gradients.at(features) +
                            (pairs.all - kept) * t_.scores.at(dim_);
    // Each tile reads and writes its gradients. Rows stay in a cache while the columns pass by.
    const double passes = s.triangle() ? as_double(s.tile_rows()) / 2 : as_double(s.tile_rows());
    const double bytes = 2 * sizeof(float) * dim_ * as_double(s.column_count()) * passes;
    return products * pairs.rounded + bytes * kStreamedByteSeconds;
  }

  // Scores of a guide and a teacher, and a teacher's sums and exponentials. The masking by a guide is left
  // out.
  double auxiliary(const Pairs& pairs, double kept) const {
    const double guide = dim_of(Auxiliary::kGuide), teacher = dim_of(Auxiliary::kTeacher);
    double seconds = 0;
    if (guide > 0) seconds += (pairs.all + (c_.gradient ? pairs.all - kept : 0)) * t_.scores.at(guide);
    if (teacher > 0) {
      seconds += pairs.all * (t_.scores.at(teacher) + t_.fold);
      if (c_.gradient) seconds += pairs.all * (t_.scores.at(teacher) + t_.logit_gradients);
    }
    return seconds * pairs.rounded;
  }

  // Reads all features once, to find NaN, and pairs of them.
  double reading() const { return 2 * as_double(c_.rows + c_.keys) * (dim_ + auxiliary_dim_) * t_.check; }

  // Gradients are new memory in each call that brings no arrays of its own. Scratch memory is new in the
  // first call.
  double fresh_memory() const {
    const double grads = c_.gradient ? sizeof(float) * dim_ * as_double(c_.rows + c_.keys) : 0;
    return (grads + as_double(p_.bytes)) * t_.fresh_byte;
  }

 private:
  const CallShape& c_;
  const WorkspacePlan& p_;
  const Kernels& k_;
  const KernelTimes& t_;
  double dim_of(Auxiliary a) const { return as_double(p_.auxiliary_dims[static_cast<size_t>(a)]); }

  const double dim_, auxiliary_dim_;
};

// How much longer the last thread works than all would on average: some threads have one tile more than
// others.
double imbalance(const std::vector<Grid>& similarities, int threads) {
  double tiles = 0, steps = 0;
  for (const Grid& s : similarities) {
    tiles += as_double(s.tiles());
    steps += as_double(ceil_div(s.tiles(), threads));
  }
  return steps * threads / tiles;
}

}  // namespace

double call_seconds(const CallShape& c, const WorkspacePlan& p, int running, const Kernels& k,
                    const KernelTimes& t) {
  const Work work(c, p, k, t);
  const bool fused = c.gradient && rows_stand_alone(c.objective);
  double seconds = work.reading() + work.fresh_memory(), tiles = 0;
  double kept = fused ? 0 : p.kept.pairs(c.similarities);
  for (const Grid& s : c.similarities) {
    const Pairs pairs = pairs_of(s, k);
    if (fused) kept = s.pairs(std::min(p.kept_columns, s.tile_columns()));
    const double kept_here = std::min(kept, pairs.all);
    kept -= kept_here;
    tiles += work.forward(pairs) + work.auxiliary(pairs, kept_here);
    seconds += work.packing(s, fused);
    if (!c.gradient) continue;
    tiles += work.backward(s, pairs, kept_here);
    if (!fused) seconds += work.packing(s, true);
  }
  const double runs = 3 + 2. * static_cast<double>(c.similarities.size()) * (c.gradient && !fused ? 2 : 1);
  const double alone = kCallSeconds + (p.threads > 1 ? runs * kRunSeconds : 0) +
                       kRowSeconds * static_cast<double>(c.objective.normaliser_count) * as_double(c.rows);
  return alone + (seconds + tiles * imbalance(c.similarities, p.threads)) / running;
}

}  // namespace infcl::cpu
