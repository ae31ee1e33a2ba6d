// The rules of a request that the engine's indices rely on: which options belong to which objective, which
// shapes belong together, and that labels name keys. lib/ has checked them too, with better messages; a
// request that breaks one here was changed in between, and would read or write memory that is not its own.
//
// Refuses to look at features, and to repair anything.
#pragma once

#include <cstdint>

#include "core/plan.h"
#include "core/request.h"

namespace infcl::binding {

// Bits of Direction; at most all of them. Throws RequestError, ERR_VALUE.
unsigned check_directions(int64_t directions);
// Throws RequestError, ERR_VALUE, for more than any machine has.
int check_threads(int64_t threads);

// Throw RequestError: ERR_TYPE for what is missing, ERR_SHAPE for what does not fit, ERR_VALUE for the rest.
// `directions` as in the request, 0: those of the objective.
void check_request(const ContrastiveRequest&, ObjectiveKind, unsigned directions);
void check_request(const PlanRequest&, ObjectiveKind);

}  // namespace infcl::binding
