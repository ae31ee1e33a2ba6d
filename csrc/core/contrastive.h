// The one entry to the engine: loss, and gradients when asked, of one rank's rows. Owns the outermost loop
// (the ring over blocks) and the arithmetic on normalisers; everything that touches an element belongs to a
// Backend.
#pragma once

#include <cstdint>
#include <string>

#include "core/objective.h"
#include "core/types.h"

namespace infcl {

class Backend;
class Communicator;

struct ContrastiveRequest {
  MatrixView queries;  // [M x D]
  MatrixView keys;     // [N x D]
  Objective objective;
  float logit_scale = 1;
  const int32_t* labels = nullptr;  // [M] key index of each positive; null: row i's positive is key i

  bool gradient = false;
  float* d_queries = nullptr;  // [M x D], or null when queries are frozen
  float* d_keys = nullptr;     // [d_key_rows x D], or null when keys are frozen
  int64_t d_key_rows = 0;

  // Per-row outputs, each [M], or all null.
  float* row_loss = nullptr;
  float* row_lse = nullptr;
  uint8_t* row_positive_first = nullptr;

  int threads = 0;              // 0: as many as the machine has
  int64_t workspace_bytes = 0;  // upper bound on scratch memory; 0: the planner's default
  Control control;
};

struct Stats {
  std::string isa;
  int threads = 0;
  double flops = 0;  // of the matrix products actually executed
  double seconds = 0, forward_seconds = 0, backward_seconds = 0;
  int64_t workspace_bytes = 0;
  int64_t peak_bytes = 0;  // workspace and gradients
  int64_t tiles = 0, tiles_reused = 0, tiles_skipped = 0, masked_pairs = 0;
};

struct ContrastiveResult {
  double loss = 0;
  double accuracy = 0;  // share of queries whose positive ranks first
  double logit_scale_grad = 0;
  double logit_bias_grad = 0;
  Stats stats;
};

// Throws Error. Inputs are checked for finite values before anything else; shapes are the caller's business.
ContrastiveResult contrastive(const ContrastiveRequest&, Backend&, Communicator&);

}  // namespace infcl
