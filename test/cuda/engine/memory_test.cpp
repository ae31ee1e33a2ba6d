// Device memory that a backend keeps between calls: found again by the next of the same size, given up for
// others.
#include <cstdlib>
#include <memory>
#include <string>

#include "check.h"
#include "core/backends.h"
#include "core/device_storage.h"
#include "core/errors.h"
#include "emulator_log.h"
#include "engine_cases.h"

namespace {

int64_t workspace_of(infcl::Backend& backend, int64_t rows) {
  const cases::Case c{"memory", cases::request(cases::ObjectiveKind::kClip, 10), rows, rows, 64};
  return cases::run(backend, cases::Inputs(c).request(c)).result.stats.workspace_bytes;
}

int64_t kept() { return infcl::device_memory_info(0).kept; }
int64_t free_bytes() { return infcl::device_memory_info(0).free; }

void test_same_size() {
  const auto backend = infcl::make_cuda_backend(0, {});
  const int64_t free_before = free_bytes();
  const int64_t workspace = workspace_of(*backend, 300);
  CHECK(kept() == workspace, "%ld of %ld bytes", static_cast<long>(kept()), static_cast<long>(workspace));
  CHECK(free_bytes() == free_before, "what is kept is free");
  emulator::reset();
  const size_t in_use = emulator::peak_bytes();
  CHECK(workspace_of(*backend, 300) == workspace, "the same plan");
  CHECK(emulator::peak_bytes() == in_use, "nothing was allocated");
  const int64_t larger = workspace_of(*backend, 700);
  CHECK(larger > workspace && kept() == larger, "%ld of %ld bytes", static_cast<long>(kept()),
        static_cast<long>(larger));
  CHECK(emulator::peak_bytes() == in_use - workspace + larger, "never both at once");
}

void test_given_up() {
  const int64_t free_before = free_bytes();
  {
    const auto one = infcl::make_cuda_backend(0, {}), other = infcl::make_cuda_backend(0, {});
    const int64_t workspace = workspace_of(*one, 300) + workspace_of(*other, 300);
    CHECK(kept() == workspace, "of both: %ld", static_cast<long>(kept()));
    const auto all = infcl::allocate_device_storage(0, free_bytes());
    CHECK(kept() == 0 && free_bytes() == 0, "%ld bytes kept, though all were asked for",
          static_cast<long>(kept()));
  }
  CHECK(free_bytes() == free_before && kept() == 0, "backends end");
}

// A call that did not get what it needs leaves nothing.
void test_failure() {
  const auto backend = infcl::make_cuda_backend(0, {});
  const int64_t taken = free_bytes() - (100 << 10);
  const auto most = infcl::allocate_device_storage(0, taken);
  infcl::ErrorCode code = infcl::ErrorCode::kInternal;
  try {
    workspace_of(*backend, 300);
  } catch (const infcl::Error& error) {
    code = error.code();
  }
  CHECK(code == infcl::ErrorCode::kOutOfMemory, "%s", infcl::error_code_name(code));
  CHECK(kept() == 0 && free_bytes() == 100 << 10, "%ld bytes kept", static_cast<long>(kept()));
}

}  // namespace

int main() {
  if (!emulator::is_there()) {
    std::printf("SKIPPED cuda_memory_test: INFCL_CUDA_LIBRARY names no emulator\n");
    return 77;
  }
  setenv("INFCL_EMULATOR_MEMORY", std::to_string(64 << 20).c_str(), 1);
  test_same_size();
  test_given_up();
  test_failure();
  return check::summary();
}
