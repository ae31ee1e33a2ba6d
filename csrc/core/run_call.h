// One call of this rank, once the ranks have agreed on it.
#pragma once

#include "core/backend.h"
#include "core/engine.h"
#include "core/ranks.h"

namespace infcl {

// Over several ranks, `backend` is a RingBackend: its passes sum over all ranks.
ContrastiveResult run_call(const ContrastiveRequest&, Backend&, Ranks&, const Shards&);

}  // namespace infcl
