// The test suites of the CUDA backend, as programs of their own that lie where the build has put them.
#pragma once

namespace infcl::bench {

// Runs each and counts it as a CHECK; quick: one of them.
void run_suites(bool quick);

}  // namespace infcl::bench
