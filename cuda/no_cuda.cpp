// Stands in for the CUDA backend in builds without it: the same symbols, and a reason with a remedy for
// the user (no_cuda_reason.h).
#include "core/backend.h"
#include "core/backends.h"
#include "core/device_storage.h"
#include "core/errors.h"
#include "core/plan.h"
#include "cuda/no_cuda_reason.h"

namespace infcl {

namespace {

[[noreturn]] void unavailable() { throw Error(ErrorCode::kBackendUnavailable, "cuda", kNoCudaReason); }

}  // namespace

CudaInfo cuda_info() { return {false, kNoCudaReason, {}}; }

void use_cuda_library(const std::string&) {}

std::unique_ptr<Backend> make_cuda_backend(int, const Settings&) { unavailable(); }

std::unique_ptr<Planner> make_cuda_planner(int, const Settings&) { unavailable(); }

std::unique_ptr<DeviceStorage> allocate_device_storage(int, int64_t) { unavailable(); }

std::unique_ptr<DeviceStorage> borrow_device_storage(int, void*, int64_t, const Place&) { unavailable(); }

DeviceMemoryInfo device_memory_info(int) { unavailable(); }

}  // namespace infcl
