// A call over several ranks: they agree on it first. Then each one runs it on a backend that goes round the
// ring.
#include "core/agreement.h"
#include "core/engine.h"
#include "core/errors.h"
#include "core/ring_backend.h"
#include "core/run_call.h"

namespace infcl {

namespace {

// What cannot run over several ranks yet is refused here, before any work.
void refuse_without_guests(const Backend& backend) {
  if (backend.takes_guests()) return;
  throw Error(
      ErrorCode::kBackendUnavailable, "group",
      "Expected the backend 'cpu' for a call over several ranks but received one that knows no ranks");
}

}  // namespace

ContrastiveResult contrastive(const ContrastiveRequest& r, Backend& backend, Communicator& ring, bool* met) {
  Ranks ranks(ring);
  try {
    const Shards shards = agree(r, ranks, met);
    if (ranks.alone()) return run_call(r, backend, ranks, shards);
    ranks.together([&] { refuse_without_guests(backend); });
    RingBackend of_all(backend, ranks, shards);
    ContrastiveResult out = run_call(r, of_all, ranks, shards);
    out.stats.ring = of_all.steps();
    return out;
  } catch (...) {
    ranks.fail(std::current_exception());
    throw;
  }
}

}  // namespace infcl
