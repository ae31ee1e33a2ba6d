// The test suites of the CUDA backend, as programs of their own that lie where the build has put them.
#pragma once

namespace infcl::bench {

// Runs each and counts it as a CHECK, on a device of capability 9.0 with either kind of product kernels;
// quick: one of them.
void run_suites(bool quick, int capability);

}  // namespace infcl::bench
