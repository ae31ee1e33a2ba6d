// The one entry to the engine: the loss of a call, and its gradients where they are wanted. The engine owns
// the order of the passes, the normalisers and the loss. Every loop over the elements of a similarity belongs
// to a Backend.
#pragma once

#include <cstdint>

#include "core/backend_stats.h"
#include "core/request.h"

namespace infcl {

class Backend;

struct Stats : BackendStats {
  double seconds = 0, forward_seconds = 0, backward_seconds = 0;
  int64_t peak_bytes = 0;  // workspace and gradients
  int64_t masked_pairs = 0;
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

}  // namespace infcl
