#include "core/pass_args.h"

namespace infcl {

template <class Args>
Args PassArgs::args_of(int p) {
  Args a;
  a.similarity = p;
  a.positives = positives(p);
  a.mask = mask(p);
  state_.attach(p, a);
  return a;
}

FoldArgs PassArgs::fold(int p) { return args_of<FoldArgs>(p); }

DifferentiateArgs PassArgs::logit_gradient(int p) { return args_of<DifferentiateArgs>(p); }

DifferentiateArgs PassArgs::gradient(int p) {
  DifferentiateArgs a = logit_gradient(p);
  a.gradients.wanted = true;
  a.filter.bound = r_.gradient_filter * state_.largest_weight();
  return a;
}

Positives PassArgs::positives(int p) const {
  const Similarity& similarity = o_.similarities[p];
  Positives out;
  if (o_.labelled()) {
    out.labelled = !similarity.triangle();
    out.labels = r_.labels;
    out.lists = r_.positives;
    // A listed positive has a denominator of its own, so no sum of a tile may hold one, in either pass.
    out.other_scale = out.labelled && (r_.hardness != 0 || out.lists.any());
  } else {
    const int32_t* classes[2] = {r_.query_classes, r_.key_classes};
    out.row_classes = classes[static_cast<int>(similarity.rows)];
    out.column_classes = classes[static_cast<int>(similarity.columns)];
  }
  return out;
}

PairMask PassArgs::mask(int p) const {
  const Similarity& similarity = o_.similarities[p];
  const int32_t* ids[2] = {r_.query_ids, r_.key_ids};
  PairMask out;
  if (r_.query_ids && r_.key_ids) {
    out.row_ids = ids[static_cast<int>(similarity.rows)];
    out.column_ids = ids[static_cast<int>(similarity.columns)];
  }
  if (similarity.rows == Side::kQueries && similarity.columns == Side::kKeys) out.excluded = r_.excluded;
  if (r_.has_margin) {
    out.row_limits = state_.limits();
    out.column_limits = similarity.column_normaliser == kNone ? nullptr : state_.limits();
  }
  out.guide_row_limits = guide_.limits_or_null();
  out.guide_column_limits = similarity.column_normaliser == kNone ? nullptr : guide_.limits_or_null();
  return out;
}

}  // namespace infcl
