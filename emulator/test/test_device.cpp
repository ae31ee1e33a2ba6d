#include "test_device.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "../emulator_api.h"

namespace emulator_test {
namespace {

void require(CUresult result, const char* what) {
  if (result != CUDA_SUCCESS)
    throw std::runtime_error(std::string(what) + " failed with " + std::to_string(static_cast<int>(result)) +
                             ": " + infcl_emulator_last_error());
}

// The entry whose name contains `name`.
std::string find_entry(const std::string& ptx, const std::string& name) {
  const std::string keyword = ".entry ";
  for (size_t at = ptx.find(keyword); at != std::string::npos; at = ptx.find(keyword, at + 1)) {
    const size_t begin = at + keyword.size(), end = ptx.find_first_of("( \n", begin);
    std::string entry = ptx.substr(begin, end - begin);
    if (contains(entry, name)) return entry;
  }
  throw std::runtime_error("no kernel " + name);
}

}  // namespace

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string read_ptx(const std::string& name) {
  std::ifstream file(std::string(EMULATOR_PTX_DIR) + "/" + name + ".ptx");
  if (!file) throw std::runtime_error("no PTX " + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Setting::Setting(const char* name, const std::string& value)
    : name_(name), was_set_(std::getenv(name) != nullptr) {
  if (was_set_) before_ = std::getenv(name);
  setenv(name, value.c_str(), 1);
}

Setting::~Setting() {
  if (was_set_)
    setenv(name_.c_str(), before_.c_str(), 1);
  else
    unsetenv(name_.c_str());
}

Device::Device() {
  infcl_emulator_reset();
  require(cuInit(0), "cuInit");
  CUdevice device;
  require(cuDeviceGet(&device, 0), "cuDeviceGet");
  require(cuDevicePrimaryCtxRetain(&context_, device), "cuDevicePrimaryCtxRetain");
  require(cuCtxSetCurrent(context_), "cuCtxSetCurrent");
}

Device::~Device() { infcl_emulator_reset(); }

CUdeviceptr Device::allocate(size_t bytes) {
  CUdeviceptr address = 0;
  require(cuMemAlloc(&address, bytes), "cuMemAlloc");
  return address;
}

CUdeviceptr Device::upload(const void* data, size_t bytes) {
  CUdeviceptr address = allocate(bytes);
  require(cuMemcpyHtoD(address, data, bytes), "cuMemcpyHtoD");
  return address;
}

void Device::download(void* to, CUdeviceptr from, size_t bytes) {
  require(cuMemcpyDtoH(to, from, bytes), "cuMemcpyDtoH");
}

void Device::load(const std::string& ptx) {
  ptx_ = ptx;
  require(cuModuleLoadData(&module_, ptx.c_str()), "cuModuleLoadData");
}

std::string Device::launch(const std::string& name, Shape shape,
                           std::initializer_list<const void*> arguments) {
  CUfunction function;
  require(cuModuleGetFunction(&function, module_, find_entry(ptx_, name).c_str()), "cuModuleGetFunction");
  if (shape.shared > 48 << 10)
    require(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               static_cast<int>(shape.shared)),
            "cuFuncSetAttribute");
  std::vector<void*> pointers;
  for (const void* p : arguments) pointers.push_back(const_cast<void*>(p));
  CUresult launched = cuLaunchKernel(function, shape.grid, 1, 1, shape.block, 1, 1, shape.shared, nullptr,
                                     pointers.data(), nullptr);
  CUresult ran = launched == CUDA_SUCCESS ? cuStreamSynchronize(nullptr) : launched;
  return ran == CUDA_SUCCESS ? "" : infcl_emulator_last_error();
}

double last_statistic(const std::string& name) {
  const std::string text = infcl_emulator_stats();
  const std::string key = "\"" + name + "\": ";
  const size_t at = text.rfind(key);
  if (at == std::string::npos) throw std::runtime_error("no statistic " + name);
  return std::strtod(text.c_str() + at + key.size(), nullptr);
}

}  // namespace emulator_test
