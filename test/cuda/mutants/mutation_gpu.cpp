#include "mutation_gpu.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <stdexcept>

#include "../kernels/gpu.h"

namespace {

constexpr int kMaxDynamicSharedBytes = 8;  // CUfunction_attribute
constexpr const char* kCounted[] = {
    "mma",           "ex2",           "sharedRequests", "sharedWaves", "ldmatrixPhases",
    "ldmatrixWaves", "globalSectors", "localRequests"};

void* library() {
  static void* const handle = [] {
    const char* named = std::getenv("INFCL_CUDA_LIBRARY");
    return named ? dlopen(named, RTLD_NOW | RTLD_LOCAL) : nullptr;
  }();
  return handle;
}

template <class F>
F* function(const char* symbol) {
  return reinterpret_cast<F*>(gpu::find(symbol));
}

template <class... A>
void call(const char* symbol, A... arguments) {
  gpu::check(symbol, function<int(A...)>(symbol)(arguments...));
}

// What lives until the next restart.
struct Session {
  bool sm90 = false;
  void* stream = nullptr;
  std::string mutated, text;
  std::map<std::string, void*> kernels;
  std::map<std::string, mutation::Counts> counts;

  void* kernel(const std::string& name) {
    void*& found = kernels[name];
    if (found) return found;
    const std::string ptx = name == mutated ? text : mutation::original(name).text();
    void* module;
    call("cuModuleLoadData", &module, static_cast<const void*>(ptx.c_str()));
    call("cuModuleGetFunction", &found, module, name.c_str());
    return found;
  }
};

Session& session() {
  static Session instance;
  return instance;
}

}  // namespace

namespace mutation {

const KernelText& original(const std::string& kernel) {
  static std::map<std::string, KernelText> texts;
  return texts.try_emplace(kernel, kernel).first->second;
}

std::string last_error() { return function<const char*()>("infcl_emulator_last_error")(); }

Counts counts(const std::string& kernel) { return session().counts[kernel]; }

void restart(bool sm90, const std::string& kernel, const std::string& text) {
  setenv("INFCL_EMULATOR_SM", sm90 ? "90" : "80", 1);
  function<void()>("infcl_emulator_reset")();
  session() = Session();
  session().sm90 = sm90;
  session().mutated = kernel;
  session().text = text;
  call("cuInit", 0u);
  int device;
  call("cuDeviceGet", &device, 0);
  void* context;
  call("cuDevicePrimaryCtxRetain", &context, device);
  call("cuCtxPushCurrent_v2", context);
  call("cuStreamCreate", &session().stream, 0u);
}

}  // namespace mutation

namespace gpu {

bool on_sm90() { return session().sm90; }

void* find(const char* symbol) {
  void* const found = dlsym(library(), symbol);
  if (!found) throw std::runtime_error(std::string(symbol) + " is not in the library");
  return found;
}

void check(const char* symbol, int result) {
  if (result != 0) throw std::runtime_error(std::string(symbol) + ": " + mutation::last_error());
}

bool available() { return library() && counts(); }
bool counts() { return dlsym(library(), "infcl_emulator_stats") != nullptr; }

uint64_t last_launch(const std::string& what) {
  const std::string json = function<const char*()>("infcl_emulator_stats")(), key = '"' + what + "\":";
  const size_t at = json.rfind(key);
  if (at == std::string::npos) throw std::runtime_error("the emulator does not count " + what);
  return std::strtoull(json.c_str() + at + key.size(), nullptr, 10);
}

Pointer allocate(size_t bytes) {
  Pointer p;
  call("cuMemAlloc_v2", &p, bytes);
  return p;
}

// After a fault this fails, as everything does; the memory is given back nevertheless.
void release(Pointer p) { function<int(Pointer)>("cuMemFree_v2")(p); }

void write(Pointer to, const void* from, size_t bytes) {
  call("cuMemcpyHtoDAsync_v2", to, from, bytes, session().stream);
}

void read(void* to, Pointer from, size_t bytes) {
  call("cuMemcpyDtoHAsync_v2", to, from, bytes, session().stream);
}

void launch_raw(const std::string& kernel, const infcl::cuda::LaunchShape& s,
                std::vector<const void*> arguments) {
  void* const f = session().kernel(kernel);
  call("cuFuncSetAttribute", f, kMaxDynamicSharedBytes, static_cast<int>(s.dynamic_shared_bytes));
  call("cuLaunchKernel", f, s.grid_x, s.grid_y, s.grid_z, s.threads, 1u, 1u, s.dynamic_shared_bytes,
       session().stream, const_cast<void**>(arguments.data()), static_cast<void**>(nullptr));
  call("cuStreamSynchronize", session().stream);
  for (const char* what : kCounted) session().counts[kernel][what] += last_launch(what);
}

}  // namespace gpu
