// Seeded bugs in the shipped kernels.
#pragma once

#include <vector>

#include "mutation_ptx.h"
#include "mutation_runs.h"

namespace mutation {

struct Mutant {
  const char* name;
  const char* kernel;
  Run run;  // launches the kernel
  std::vector<Edit> edits;
};

std::vector<Mutant> pipeline_mutants();  // copies, barriers, fragments, tensor-core products
std::vector<Mutant> epilogue_mutants();  // masks, folds, gradients
std::vector<Mutant> sparse_mutants();    // reduce, split, pairs
std::vector<Mutant> filter_mutants();    // tiles that gradients leave out
std::vector<Mutant> sm90_mutants();      // copies, barriers and clusters of Hopper
std::vector<Mutant> wgmma_mutants();     // and its products

}  // namespace mutation
