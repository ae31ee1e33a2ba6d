#include "core/make_problem.h"

namespace infcl {

namespace {

// Without gradients, an output is not there.
ProblemMatrix matrix_of(const ContrastiveRequest& r, const MatrixView& view, float* gradient, int64_t rows,
                        const GradientLayout& layout) {
  if (!r.gradient || !gradient) return {view, nullptr, 0, {}};
  return {view, gradient, rows, layout};
}

void name_matrices(const ContrastiveRequest& r, Problem& p) {
  p.matrix(Operand::kQueries) = matrix_of(r, r.queries, r.d_queries, r.queries.rows, r.d_queries_layout);
  p.matrix(Operand::kKeys) = matrix_of(r, r.keys, r.d_keys, r.d_key_rows, r.d_keys_layout);
  p.matrix(Operand::kHardNegatives) =
      matrix_of(r, r.hard_negatives, r.d_hard_negatives, r.hard_negatives.rows, r.d_hard_negatives_layout);
  p.hard_negative_rows = r.hard_negative_rows();
  for (const Operand o : {Operand::kGuideQueries, Operand::kGuideKeys, Operand::kGuideHardNegatives,
                          Operand::kTeacherQueries, Operand::kTeacherKeys})
    p.matrix(o).view = frozen_view(r, o);
}

}  // namespace

const MatrixView& frozen_view(const ContrastiveRequest& r, Operand o) {
  switch (o) {
    case Operand::kGuideQueries:
      return r.guide.queries;
    case Operand::kGuideKeys:
      return r.guide.keys;
    case Operand::kGuideHardNegatives:
      return r.guide.hard_negatives;
    case Operand::kTeacherQueries:
      return r.teacher.queries;
    default:
      return r.teacher.keys;
  }
}

Problem make_problem(const ContrastiveRequest& r) {
  const Objective& objective = r.objective;
  Problem p;
  p.similarity_count = objective.similarity_count;
  for (int i = 0; i < objective.similarity_count; ++i) {
    const Similarity& s = objective.similarities[i];
    p.similarities[i] = {operand_of(s.rows), operand_of(s.columns), shape_of(s, r.queries.rows, r.keys.rows)};
  }
  name_matrices(r, p);
  p.teacher_logit_scale = r.teacher.logit_scale;
  p.dim = r.queries.dim;
  p.logit_scale = r.logit_scale + r.hardness;  // tiles have negatives only
  p.logit_bias = objective.sigmoid() ? r.logit_bias : 0;
  p.sigmoid = objective.sigmoid();
  p.bfloat16 = r.bfloat16;
  p.gradient = r.gradient;
  p.may_fuse = r.gradient && rows_stand_alone(objective);
  p.scores_in_gradients = r.gradient && r.gradient_filter == 0;  // the filter starts from zeros
  p.threads = r.threads;
  p.workspace_bytes = r.workspace_bytes;
  p.control = r.control;
  return p;
}

}  // namespace infcl
