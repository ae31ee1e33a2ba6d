// The rules of a request that keep the engine's indices inside memory: the options of each objective, shapes
// that must agree, and labels that are indices of keys. lib/ has checked the same rules, with better
// messages. A request that breaks a rule here was changed after that check.
//
// Refuses to look at features, and to repair a request.
#pragma once

#include <cstdint>

#include "core/plan.h"
#include "core/request.h"

namespace infcl::binding {

// The number as bits of Direction. Throws RequestError (ERR_VALUE).
unsigned check_directions(int64_t directions);
// Throws RequestError (ERR_VALUE) for more threads than any machine has.
int check_threads(int64_t threads);

// Throw RequestError: ERR_TYPE for a missing field, ERR_SHAPE for shapes that do not agree, else ERR_VALUE.
// `named` is the objective whose name the caller gave. Directions make another objective of it; 0: no
// directions were given.
void check_request(const ContrastiveRequest&, const Objective& named, unsigned directions, bool in_group);
void check_request(const PlanRequest&);
// Refuses what only the CPU backend can do, and only for a batch of one rank. Throws RequestError
// (ERR_VALUE).
void refuse_alone(const ContrastiveRequest&);

}  // namespace infcl::binding
