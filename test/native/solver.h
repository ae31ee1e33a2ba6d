// An engine as tests that serve every backend see it: what it is called, how it solves a problem, how near it
// comes.
#pragma once

#include <functional>
#include <string>

#include "engine_run.h"

namespace cases {

struct Solver {
  std::string name;
  std::function<Run(const infcl::ContrastiveRequest&)> run;
  double bound = 1e-6;  // relative, of a loss
  // A pair this close to its limit, relative to the product of the rows' lengths, may count. 0: dots have the
  // bits that limits are made of.
  double limit_slack = 0;

  const char* who() const { return name.c_str(); }
  Run solve(infcl::ContrastiveRequest r, const oracle::Features& q, const oracle::Features& k) const {
    r.queries = q.view();
    r.keys = k.view();
    return run(r);
  }
};

}  // namespace cases
