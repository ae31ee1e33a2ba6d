// What the fake driver knows: devices, contexts, modules, the sticky error. One lock guards all of it.
#pragma once

#include <cuda.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "device_memory.h"
#include "kernel.h"
#include "launch.h"
#include "stream_work.h"

struct CUstream_st {
  int device;
};
struct CUevent_st {
  int device;
  bool recorded = false;
  double seconds = 0;
  infcl::emulator::StreamWork::Mark mark;  // what was recorded
};

namespace infcl::emulator {
struct LoadedModule;
}

struct CUfunc_st {
  infcl::emulator::Kernel kernel;
  const infcl::emulator::LoadedModule* module;
  int dynamic_shared_limit = 48 << 10;
};

// A device and its primary context.
struct CUctx_st {
  int ordinal = 0;
  int retained = 0;
  CUresult sticky = CUDA_SUCCESS;  // a kernel's fault: all later calls fail with it
  infcl::emulator::DeviceMemory memory;
};

namespace infcl::emulator {

struct LoadedModule {
  CUcontext context;
  std::map<std::string, CUfunc_st> functions;
  std::map<std::string, std::pair<CUdeviceptr, size_t>> globals;
};

struct DriverState {
  std::recursive_mutex lock;
  bool initialised = false;
  std::vector<std::unique_ptr<CUctx_st>> devices;
  std::map<LoadedModule*, std::unique_ptr<LoadedModule>> modules;
  std::map<CUstream, std::unique_ptr<CUstream_st>> streams;
  std::map<CUevent, std::unique_ptr<CUevent_st>> events;
  std::map<char*, std::unique_ptr<char[]>> pinned;
  std::map<char*, size_t> pinned_bytes;
  std::set<CUdeviceptr> foreign;  // allocations of other contexts
  uint32_t launches = 0;
  std::map<CUresult, std::string> messages;  // of the last failure with that code
  std::string last_message;
  StreamWork work;
  std::string event_log, work_log;
};

DriverState& state();

// Environment.
int emulated_sm();                      // INFCL_EMULATOR_SM, 80
size_t emulated_memory_bytes();         // INFCL_EMULATOR_MEMORY, 8 GiB
int emulated_device_count();            // INFCL_EMULATOR_DEVICES, 1
int emulated_multiprocessors();         // INFCL_EMULATOR_MULTIPROCESSORS, 4
Options emulated_options();             // INFCL_EMULATOR_SEED, _RACE, _CHECK, _FIRST_BLOCK
size_t largest_dynamic_shared_bytes();  // of a block that opts in

// Remembers the message for cuGetErrorString, and prints it if INFCL_EMULATOR_VERBOSE is 1.
CUresult failed(CUresult code, const std::string& message);

// Adds a line "what subject on stream" to the work log.
void log_work(const char* what, const std::string& subject, CUstream stream);

// The calling thread's stack of current contexts.
std::vector<CUcontext>& context_stack();

// Runs f(context) under the lock, unless there is no current context or it has a sticky error.
template <class F>
CUresult with_context(F f) {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  if (!s.initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (context_stack().empty() || !context_stack().back())
    return failed(CUDA_ERROR_INVALID_CONTEXT, "no current context");
  CUcontext context = context_stack().back();
  if (context->retained == 0) return failed(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context was released");
  if (context->sticky != CUDA_SUCCESS) return context->sticky;
  return f(*context);
}

// Gives `run(context)` to a stream. What fails when it is done later fails all later calls.
template <class F>
CUresult give_work(CUctx_st& context, CUstream stream, F run) {
  CUresult now = CUDA_SUCCESS;
  CUresult* const result = is_lazy() ? nullptr : &now;
  state().work.give(stream, [&context, run, result] {
    if (context.sticky != CUDA_SUCCESS) return;
    const CUresult error = run(context);
    if (result)
      *result = error;
    else if (error != CUDA_SUCCESS)
      context.sticky = error;
  });
  return now;
}

}  // namespace infcl::emulator
