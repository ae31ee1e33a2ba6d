// The engine on the CPU backend and one instruction set, for tests of it.
#pragma once

#include <memory>
#include <string>

#include "core/backends.h"
#include "core/plan.h"
#include "engine_run.h"

struct Engine {
  std::string isa;
  std::unique_ptr<infcl::Backend> backend = infcl::make_cpu_backend({isa, "", ""});
  std::unique_ptr<infcl::Planner> planner = infcl::make_cpu_planner({isa, "", ""});
};

inline cases::Run run(Engine& e, infcl::ContrastiveRequest r, int threads, int64_t workspace) {
  r.threads = threads;
  r.workspace_bytes = workspace;
  return cases::run(*e.backend, r);
}

inline cases::Run run(Engine& e, infcl::ContrastiveRequest r, const oracle::Features& q,
                      const oracle::Features& k, int threads, int64_t workspace) {
  r.queries = q.view();
  r.keys = k.view();
  return run(e, r, threads, workspace);
}
