#include "core/pass_args.h"

namespace infcl {

FoldArgs LapArgs::fold(int p) {
  FoldArgs a;
  a.positives = positives(p);
  a.mask = mask(p);
  a.rows = anchors_.normaliser(o_.passes[p].row_normaliser);
  a.columns = anchors_.normaliser(o_.passes[p].column_normaliser);
  a.positive_dots = a.positives.labelled ? anchors_.positive_dots() : nullptr;
  if (p == 0 && !o_.passes[p].triangle()) {
    a.row_max_dots = anchors_.row_max_dots();
    a.positive_max_dots = a.positives.row_classes ? anchors_.positive_max_dots() : nullptr;
  }
  a.softplus_sums = o_.sigmoid ? anchors_.softplus_sums() : nullptr;
  return a;
}

DifferentiateArgs LapArgs::logit_gradient(int p) {
  const Pass& pass = o_.passes[p];
  DifferentiateArgs a;
  a.positives = positives(p);
  a.mask = mask(p);
  a.rows = anchors_.grad(o_.sigmoid ? 0 : pass.row_normaliser);
  a.columns = anchors_.grad(pass.column_normaliser);
  if (a.positives.labelled) {
    a.positive_dots = anchors_.positive_dots();
    a.positive_grads = anchors_.positive_grads();
  }
  return a;
}

DifferentiateArgs LapArgs::gradient(int p) {
  const Pass& pass = o_.passes[p];
  DifferentiateArgs a = logit_gradient(p);
  a.filter = r_.gradient_filter * anchors_.largest_weight();
  a.d_rows = gradient(pass.rows);
  a.d_columns = gradient(pass.columns);
  a.d_column_rows = pass.columns == Side::kKeys ? r_.d_key_rows : r_.queries.rows;
  return a;
}

PassPositives LapArgs::positives(int p) const {
  const Pass& pass = o_.passes[p];
  PassPositives out;
  if (o_.positives == Positives::kLabel) {
    out.labelled = !pass.triangle();
    out.labels = r_.labels;
    out.apart = out.labelled && r_.hardness != 0;
  } else {
    const int32_t* classes[2] = {r_.query_classes, r_.key_classes};
    out.row_classes = classes[static_cast<int>(pass.rows)];
    out.column_classes = classes[static_cast<int>(pass.columns)];
  }
  return out;
}

PairMask LapArgs::mask(int p) const {
  const Pass& pass = o_.passes[p];
  const int32_t* ids[2] = {r_.query_ids, r_.key_ids};
  PairMask out;
  if (r_.query_ids && r_.key_ids) {
    out.row_ids = ids[static_cast<int>(pass.rows)];
    out.column_ids = ids[static_cast<int>(pass.columns)];
  }
  if (r_.has_margin) {
    out.row_limits = anchors_.limits();
    out.column_limits = pass.column_normaliser == kNone ? nullptr : anchors_.limits();
  }
  return out;
}

}  // namespace infcl
