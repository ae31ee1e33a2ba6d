// The engine on the first CUDA device, for tests of it: what it answers, and what it refuses.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "check.h"
#include "core/backends.h"
#include "core/errors.h"
#include "core/plan.h"
#include "engine_run.h"

struct Engine {
  std::unique_ptr<infcl::Backend> backend = infcl::make_cuda_backend(0, infcl::settings_from_environment());
  std::unique_ptr<infcl::Planner> planner = infcl::make_cuda_planner(0, infcl::settings_from_environment());
  cases::Run run(const infcl::ContrastiveRequest& r) { return cases::run(*backend, r); }
};

// The message of the error that f() throws, which must have this code.
template <class F>
std::string error_of(infcl::ErrorCode code, F f) {
  try {
    f();
  } catch (const infcl::Error& error) {
    CHECK(error.code() == code, "%s", error.what());
    return error.what();
  }
  CHECK(false, "no error where one was due");
  return "";
}

// The bytes that a refusal of a single one asks for.
inline int64_t least_workspace(Engine& e, infcl::ContrastiveRequest r) {
  r.workspace_bytes = 1;
  const std::string error = error_of(infcl::ErrorCode::kWorkspace, [&] { e.run(r); });
  const char* const number = std::strstr(error.c_str(), "at least ");
  return number ? std::atoll(number + 9) : 0;
}
