// The one entry to the engine: the loss of a call, and its gradients where they are wanted. The engine owns
// the order of the passes, the normalisers and the loss. Every loop over the elements of a similarity belongs
// to a Backend.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend_stats.h"
#include "core/request.h"
#include "core/ring_steps.h"

namespace infcl {

class Backend;
class Communicator;

struct Stats : BackendStats {
  double seconds = 0, forward_seconds = 0, backward_seconds = 0;
  int64_t peak_bytes = 0;      // workspace and gradients
  int64_t masked_pairs = 0;    // of all ranks
  std::vector<RingStep> ring;  // over several ranks: the visits of this one
};

struct ContrastiveResult {
  double loss = 0;
  double accuracy = 0;  // fraction of the queries whose positive ranks first
  double logit_scale_grad = 0;
  double logit_bias_grad = 0;
  Stats stats;
};

// Throws Error. Refuses features that are not finite before anything else. The caller checks the shapes.
ContrastiveResult contrastive(const ContrastiveRequest&, Backend&);

// One rank's call of several: the rows and keys are its shard of the batch. Labels count the keys of all
// ranks, in rank order. The loss, the accuracy and the gradients of scale and bias are those of the whole
// batch, with the same bits on all ranks. Other outputs are those of the rank's rows.
//
// Throws Error on all ranks if it throws on one: kRankFailed where the error is another rank's. `met` tells
// whether all ranks had come, after which no rank waits for this one.
ContrastiveResult contrastive(const ContrastiveRequest&, Backend&, Communicator&, bool* met = nullptr);

}  // namespace infcl
