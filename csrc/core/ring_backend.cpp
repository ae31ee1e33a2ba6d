#include "core/ring_backend.h"

#include <algorithm>

namespace infcl {

namespace {

GuestParts parts_of(const ProblemMatrix& columns) {
  GuestParts p;
  p.dim = columns.view.dim;
  p.dtype = columns.view.dtype;
  return p;
}

// The parts that both passes have.
template <class Args>
GuestParts parts_of(const ProblemMatrix& columns, const Args& own) {
  GuestParts p = parts_of(columns);
  p.ids = own.mask.column_ids != nullptr;
  p.classes = own.positives.column_classes != nullptr;
  p.limits = own.mask.column_limits != nullptr;
  return p;
}

// The largest message of any pass.
size_t largest_message(const ProblemMatrix& columns, int64_t rows, bool gradient) {
  GuestParts p = parts_of(columns);
  p.rows = rows;
  p.ids = p.classes = p.limits = p.factors = p.uniform = p.positive_weights = true;
  p.sums = p.dot_sums = p.positive_dot_sums = true;
  p.gradient_rows = gradient ? rows : 0;
  return GuestLayout(p).end;
}

Side side_of(Operand o) { return o == Operand::kQueries ? Side::kQueries : Side::kKeys; }

}  // namespace

Similarity RingBackend::similarity(int index) const {
  const ProblemSimilarity& s = problem_.similarities[index];
  return {side_of(s.rows), side_of(s.columns), kNone, kNone};
}

BeginResult RingBackend::begin(const Problem& problem) {
  problem_ = problem;
  problem_.may_fuse = false;
  size_t largest = 0;
  for (int p = 0; p < problem.similarity_count; ++p) {
    const RingRoute route(shards_, similarity(p), ranks_.rank());
    for (int step = 1; step <= route.last_step(); ++step)
      for (int piece = 0; piece < kPieces; ++piece)
        if (const int64_t rows = route.rows_met(step, piece))
          problem_.visits.push_back({rows, route.piece(step, piece).size(), false});
    for (int rank = 0; rank < shards_.ranks(); ++rank) {
      const int64_t rows = shards_.rows(rank, similarity(p).columns);
      largest = std::max(largest, largest_message(columns(p), ceil_div(rows, kPieces), problem.gradient));
    }
  }
  BeginResult begun;
  ranks_.together([&] {
    for (int slot = 0; slot <= kPieces; ++slot) slots_.emplace_back(largest);
    begun = backend_.begin(problem_);
  });
  slot_bytes_ = static_cast<int64_t>(largest * slots_.size());
  return begun;
}

double RingBackend::bring(Operand operand) {
  double longest = 0;
  ranks_.together([&] { longest = backend_.bring(operand); });
  return ranks_.largest(longest);
}

// Limits start from the dots of positives, which may be keys of any rank.
void RingBackend::positive_dots(const int32_t* labels, float* out) {
  if (!labels) {
    ranks_.together([&] { backend_.positive_dots(nullptr, out); });
    return;
  }
  const ProblemMatrix& keys = problem_.matrix(Operand::kKeys);
  const auto look = [&](const MatrixView& columns, int64_t first) {
    backend_.positive_dots_among(columns, first, labels, out);
  };
  Round round{
      RingStep::Phase::kLimits, {Side::kQueries, Side::kKeys, kNone, kNone}, parts_of(keys), {}, {}, {}, {}};
  round.pack = [&](Guest& guest, const GuestParts& parts, Range piece) {
    guest.pack(parts, piece, keys.view, FoldArgs());
  };
  round.visit_own = [&] { look(keys.view, shards_.first(ranks_.rank(), Side::kKeys)); };
  round.visit = [&](Guest&, const Visit& v) { look(v.guest.columns.view, v.first_column); };
  run(round);
}

template <class Args>
Args RingBackend::own_args(const Args& own) const {
  Args a = own;
  a.positives.first_column = own.positives.labels ? shards_.first(ranks_.rank(), Side::kKeys) : 0;
  return a;
}

// Without labels, the positives of a rank's queries are among its own keys.
template <class Args>
Args RingBackend::guest_args(const Args& own, const Visit& v) const {
  Args a = own;
  a.positives.first_column = v.first_column;
  a.visit = &v.guest;
  if (!own.positives.labels) {
    a.positives.labelled = a.positives.other_scale = false;
    a.positive_dots = nullptr;
  }
  return a;
}

void RingBackend::fold(FoldArgs& own) {
  const ProblemMatrix& matrix = columns(own.similarity);
  int64_t masked = 0;
  Round round{RingStep::Phase::kForward, similarity(own.similarity), parts_of(matrix, own), {}, {}, {}, {}};
  if (own.columns) {
    round.parts.sums = true;
    round.parts.dot_sums = !own.columns->dot_sums.empty();
    round.parts.positive_dot_sums = !own.columns->positive_dot_sums.empty();
    round.welcome = [&](Guest& guest, Range piece) {
      guest.unpack_sums();
      own.columns->add(guest.sums(), piece.begin);
    };
  }
  const auto visit = [&](FoldArgs a) {
    backend_.fold(a);
    masked += a.masked_pairs;
  };
  round.pack = [&](Guest& guest, const GuestParts& parts, Range piece) {
    guest.pack(parts, piece, matrix.view, own);
  };
  round.visit_own = [&] { visit(own_args(own)); };
  round.visit = [&](Guest& guest, const Visit& v) {
    FoldArgs a = guest_args(own, v);
    guest.meet(a);
    visit(a);
  };
  run(round);
  own.masked_pairs = static_cast<int64_t>(ranks_.sum(static_cast<double>(masked)));
}

double RingBackend::fraction(const Similarity& s, int64_t rows, int64_t columns) const {
  return std::min(static_cast<double>(rows) / static_cast<double>(shards_.total(s.rows)),
                  static_cast<double>(columns) / static_cast<double>(shards_.total(s.columns)));
}

// The gradient filter gives each visit its part of what a row or a column may lose in all.
DifferentiateResult RingBackend::differentiate(const DifferentiateArgs& own) {
  const ProblemMatrix& matrix = columns(own.similarity);
  const Similarity s = similarity(own.similarity);
  DifferentiateResult out;
  Round round{RingStep::Phase::kBackward, s, parts_of(matrix, own), {}, {}, {}, {}};
  if (own.columns) {
    round.parts.factors = true;
    round.parts.uniform = !own.columns->uniform.empty();
    round.parts.positive_weights = !own.columns->positive_weights.empty();
  }
  if (own.gradients.wanted && matrix.gradient) {
    round.parts.gradient_rows = 1;
    round.welcome = [&](Guest& guest, Range piece) {
      float* const home = matrix.gradient + piece.begin * problem_.dim;
      const float* const found = guest.gradient();
      for (int64_t i = 0; i < guest.parts().gradient_rows * problem_.dim; ++i) home[i] += found[i];
    };
  }
  const auto visit = [&](DifferentiateArgs a, int64_t rows, int64_t columns) {
    a.filter.bound *= fraction(s, rows, columns);
    const DifferentiateResult found = backend_.differentiate(a);
    out.dot_sum += found.dot_sum;
    out.sum += found.sum;
    out.refinement += found.refinement;
  };
  round.pack = [&](Guest& guest, const GuestParts& parts, Range piece) {
    guest.pack(parts, piece, matrix.view, own);
  };
  round.visit_own = [&] {
    visit(own_args(own), shards_.rows(ranks_.rank(), s.rows), shards_.rows(ranks_.rank(), s.columns));
  };
  round.visit = [&](Guest& guest, const Visit& v) {
    DifferentiateArgs a = guest_args(own, v);
    if (!a.positives.labelled) a.positive_grads = nullptr;
    a.gradients.overwrite_rows = a.gradients.overwrite_columns = false;
    guest.meet(a);
    visit(a, v.rows, v.guest.columns.view.rows);
  };
  run(round);
  out.dot_sum = ranks_.sum(out.dot_sum);
  out.sum = ranks_.sum(out.sum);
  out.refinement = ranks_.sum(out.refinement);
  return out;
}

void RingBackend::hard_negative_dots(float* dots, float* errors) {
  ranks_.together([&] { backend_.hard_negative_dots(dots, errors); });
}

double RingBackend::differentiate_hard_negatives(const HardNegativeArgs& args) {
  double refinement = 0;
  ranks_.together([&] { refinement = backend_.differentiate_hard_negatives(args); });
  return ranks_.sum(refinement);
}

void RingBackend::finish() {
  ranks_.together([&] { backend_.finish(); });
}

BackendStats RingBackend::stats() const {
  BackendStats s = backend_.stats();
  s.workspace_bytes += slot_bytes_;
  return s;
}

void RingBackend::end() {
  slots_.clear();
  backend_.end();
}

}  // namespace infcl
