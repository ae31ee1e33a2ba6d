// The one entry to the engine: the loss of a call, and its gradients when asked. The engine owns the order of
// the passes and the arithmetic on normalisers. Every loop over elements belongs to a Backend.
#pragma once

#include <cstdint>
#include <string>

#include "core/request.h"

namespace infcl {

class Backend;

struct Stats {
  std::string isa;
  int threads = 0;
  double flops = 0;  // of the matrix products actually executed
  double seconds = 0, forward_seconds = 0, backward_seconds = 0;
  int64_t workspace_bytes = 0;
  int64_t peak_bytes = 0;  // workspace and gradients
  int64_t tiles = 0, tiles_reused = 0, tiles_skipped = 0, masked_pairs = 0;
  int64_t slabs = 1;  // parts in which a device took the longest matrix; 1: as a whole
};

struct ContrastiveResult {
  double loss = 0;
  double accuracy = 0;  // share of queries whose positive ranks first
  double logit_scale_grad = 0;
  double logit_bias_grad = 0;
  Stats stats;
};

// Throws Error. Inputs are checked for finite values before anything else; shapes are the caller's business.
ContrastiveResult contrastive(const ContrastiveRequest&, Backend&);

}  // namespace infcl
