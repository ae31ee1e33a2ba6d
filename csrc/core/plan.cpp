#include "core/plan.h"

#include "core/backend.h"

namespace infcl {

Plan plan(const PlanRequest& request, Backend& backend) { return backend.plan(request); }

}  // namespace infcl
