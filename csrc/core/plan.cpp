// The way to every planner. Refuses shapes that are too large for the planners' arithmetic.
#include "core/plan.h"

#include "core/errors.h"

namespace infcl {

namespace {

bool has_room_for(const PlanRequest& r) {
  int64_t rows = 0;
  if (r.rows < 1 || r.keys < 0 || r.dim < 1 || __builtin_add_overflow(r.rows, r.keys, &rows)) return false;
  for (const int64_t dim : {r.dim, r.guide_dim, r.teacher_dim}) {
    int64_t features = 0;
    if (dim < 0 || __builtin_mul_overflow(rows, dim, &features) || features > kMostFeatures) return false;
  }
  return true;
}

}  // namespace

Plan plan(const PlanRequest& request, Planner& planner) {
  if (!has_room_for(request))
    throw Error(ErrorCode::kShape, "plan",
                "Expected rows and dim of at least 1, and (rows + keys) * dim of at most " +
                    std::to_string(kMostFeatures) + ", but received " + std::to_string(request.rows) +
                    " rows, " + std::to_string(request.keys) + " keys and a dim of " +
                    std::to_string(request.dim));
  return planner.plan(request);
}

}  // namespace infcl
