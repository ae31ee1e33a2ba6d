#include "gpu.h"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace gpu {

namespace {

constexpr int kMaxDynamicSharedBytes = 8;  // CUfunction_attribute
constexpr const char* kSources[] = {"scores_forward", "scores_backward", "accumulate", "accumulate_skipping",
                                    "reduce",         "split",           "pairs"};
constexpr const char* kSourcesOfSm90[] = {"scores_forward_sm90", "scores_backward_sm90", "accumulate_sm90"};

class Driver {
 public:
  Driver() {
    call("cuInit", 0u);
    int device;
    call("cuDeviceGet", &device, 0);
    void* context;
    call("cuDevicePrimaryCtxRetain", &context, device);
    call("cuCtxPushCurrent_v2", context);
    call("cuStreamCreate", &stream_, 0u);
    for (const char* source : kSources) load(std::string(INFCL_KERNEL_PTX_DIR "/") + source + ".ptx");
    if (!on_sm90()) return;
    for (const char* source : kSourcesOfSm90) load(std::string(INFCL_KERNEL_PTX_DIR "/") + source + ".ptx");
  }

  template <class... A>
  void call(const char* symbol, A... arguments) const {
    check(symbol, reinterpret_cast<int (*)(A...)>(find(symbol))(arguments...));
  }

  void* kernel(const std::string& name) {
    void*& found = kernels_[name];
    const auto get = reinterpret_cast<int (*)(void**, void*, const char*)>(find("cuModuleGetFunction"));
    for (size_t m = 0; !found && m < modules_.size(); ++m)
      if (get(&found, modules_[m], name.c_str()) != 0) found = nullptr;
    if (!found) throw std::runtime_error("no kernel " + name);
    return found;
  }

  void* stream() const { return stream_; }
  void wait() const { call("cuStreamSynchronize", stream_); }

 private:
  void load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    void* module;
    call("cuModuleLoadData", &module, static_cast<const void*>(text.c_str()));
    modules_.push_back(module);
  }

  void* stream_ = nullptr;
  std::vector<void*> modules_;
  std::map<std::string, void*> kernels_;
};

void* library() {
  static void* const handle = [] {
    const char* named = std::getenv("INFCL_CUDA_LIBRARY");
    void* found = dlopen(named ? named : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!found && named) throw std::runtime_error(dlerror());
    return found;
  }();
  return handle;
}

Driver& driver() {
  static Driver instance;
  return instance;
}

}  // namespace

bool on_sm90() {
  const char* path = std::getenv("INFCL_CUDA_PATH");
  return path && std::string(path) == "sm90";
}

void* find(const char* symbol) {
  void* const found = dlsym(library(), symbol);
  if (!found) throw std::runtime_error(std::string(symbol) + " is not in the library");
  return found;
}

void check(const char* symbol, int result) {
  if (result == 0) return;
  const char* text = nullptr;
  reinterpret_cast<int (*)(int, const char**)>(find("cuGetErrorString"))(result, &text);
  throw std::runtime_error(std::string(symbol) + ": " + std::to_string(result) + " " + (text ? text : ""));
}

bool available() { return library() != nullptr; }

bool counts() { return dlsym(library(), "infcl_emulator_stats") != nullptr; }

uint64_t last_launch(const std::string& what) {
  const auto statistics = reinterpret_cast<const char* (*)()>(find("infcl_emulator_stats"));
  const std::string json = statistics(), key = '"' + what + "\":";
  const size_t at = json.rfind(key);
  if (at == std::string::npos) throw std::runtime_error("the emulator does not count " + what);
  return std::strtoull(json.c_str() + at + key.size(), nullptr, 10);
}

Pointer allocate(size_t bytes) {
  Pointer p;
  driver().call("cuMemAlloc_v2", &p, bytes);
  return p;
}

void release(Pointer p) { driver().call("cuMemFree_v2", p); }

void write(Pointer to, const void* from, size_t bytes) {
  driver().call("cuMemcpyHtoDAsync_v2", to, from, bytes, driver().stream());
  driver().wait();
}

void read(void* to, Pointer from, size_t bytes) {
  driver().call("cuMemcpyDtoHAsync_v2", to, from, bytes, driver().stream());
  driver().wait();
}

void launch_raw(const std::string& kernel, const infcl::cuda::LaunchShape& s,
                std::vector<const void*> arguments) {
  void* function = driver().kernel(kernel);
  driver().call("cuFuncSetAttribute", function, kMaxDynamicSharedBytes,
                static_cast<int>(s.dynamic_shared_bytes));
  driver().call("cuLaunchKernel", function, s.grid_x, s.grid_y, s.grid_z, s.threads, 1u, 1u,
                s.dynamic_shared_bytes, driver().stream(), const_cast<void**>(arguments.data()),
                static_cast<void**>(nullptr));
  driver().wait();
}

}  // namespace gpu
