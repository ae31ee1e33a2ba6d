// The handshake of a call over several ranks: every rank tells its shapes and options before any work. Ranks
// that disagree would wait for messages of other sizes, or train different losses, so the call ends with one
// sentence on all ranks.
#pragma once

#include <string>

#include "core/ranks.h"
#include "core/request.h"
#include "core/ring.h"

namespace infcl {

Shard shard_of(const ContrastiveRequest&);

// Returns the shapes of all ranks. Throws Error on all ranks, with the same text, where options differ or a
// rank refuses its call: kValue, kShape or kRankFailed. An abort before all ranks have come throws kAborted
// on this rank alone. `met` becomes true once all ranks have come.
Shards agree(const ContrastiveRequest&, Ranks&, bool* met);

// Takes the place of a call that this rank cannot make, so that the call of the others ends with `why`.
void refuse_call(const std::string& why, Communicator&, const Control&);

}  // namespace infcl
