// Mutants of what sm_90 does in its own way: tensor copies, their barriers, the ring, products of warpgroups.
#include "mutation.h"

namespace mutation {

std::vector<Mutant> sm90_mutants() { return {}; }

}  // namespace mutation
