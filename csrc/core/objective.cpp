#include "core/objective.h"

namespace infcl {

namespace {

constexpr Objective kTable[] = {
    // kind                      name       row  column
    {ObjectiveKind::kClip, "clip", 0.5, 0.5},        // mean of both cross-entropies (Radford et al. 2021)
    {ObjectiveKind::kInfoNce, "infonce", 1.0, 0.0},  // one direction (van den Oord et al. 2018, eq. 4)
};

}  // namespace

Objective make_objective(ObjectiveKind kind) {
  for (const Objective& o : kTable)
    if (o.kind == kind) return o;
  return kTable[0];
}

}  // namespace infcl
