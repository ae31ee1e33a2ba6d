// The list of backends. Another backend is another row.
#include "core/backends.h"

#include "core/backend.h"
#include "core/errors.h"
#include "core/plan.h"

namespace infcl {

namespace {

struct BackendRow {
  BackendKind kind;
  const char* name;  // as users write it
  bool has_devices;
  std::unique_ptr<Backend> (*make_backend)(int device, const Settings&);
  std::unique_ptr<Planner> (*make_planner)(int device, const Settings&);
};

constexpr BackendRow kBackends[] = {
    {BackendKind::kCpu, "cpu", false, [](int, const Settings& s) { return make_cpu_backend(s); },
     [](int, const Settings& s) { return make_cpu_planner(s); }},
    {BackendKind::kCuda, "cuda", true, make_cuda_backend, make_cuda_planner},
};

const BackendRow& row_of(BackendKind kind) {
  for (const BackendRow& row : kBackends)
    if (row.kind == kind) return row;
  throw Error(ErrorCode::kInternal, "backends", "a backend without a row");
}

}  // namespace

std::optional<BackendKind> backend_kind(const std::string& name) {
  for (const BackendRow& row : kBackends)
    if (name == row.name) return row.kind;
  return {};
}

bool has_devices(BackendKind kind) { return row_of(kind).has_devices; }

std::unique_ptr<Backend> make_backend(const BackendChoice& choice, const Settings& settings) {
  return row_of(choice.kind).make_backend(choice.device, settings);
}

std::unique_ptr<Planner> make_planner(const BackendChoice& choice, const Settings& settings) {
  return row_of(choice.kind).make_planner(choice.device, settings);
}

}  // namespace infcl
