// Wrong programs must be found out, with a message that says what and where; right ones must not.
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "../emulator_api.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;

namespace {

struct Fault {
  const char* kernel;
  int mistake;
  const char* setting;               // the mode that finds it; null: always
  CUresult code;                     // CUDA_SUCCESS: no fault
  std::vector<std::string> message;  // its parts; @text is the line of faults.cu that ends with "// text"
};

const std::vector<Fault> kFaults = {
    {"memory", 0, nullptr, CUDA_SUCCESS, {}},
    {"memory",
     1,
     nullptr,
     CUDA_ERROR_ILLEGAL_ADDRESS,
     {"past the end", "1024 bytes", "faults.cu:", "warp 1"}},
    {"memory", 2, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"0 bytes past the end", "faults.cu:"}},
    {"memory", 3, nullptr, CUDA_ERROR_MISALIGNED_ADDRESS, {"aligned to 4", "faults.cu:"}},
    {"memory", 4, nullptr, CUDA_ERROR_MISALIGNED_ADDRESS, {"aligned to 16"}},
    {"memory", 5, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"shared address 1", "of 1024 bytes"}},
    {"memory", 6, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"near no allocation"}},
    {"memory",
     7,
     "INFCL_EMULATOR_CHECK",
     CUDA_ERROR_LAUNCH_FAILED,
     {"uninitialised", "of an allocation of 1024 bytes"}},
    {"memory", 8, "INFCL_EMULATOR_CHECK", CUDA_ERROR_LAUNCH_FAILED, {"uninitialised", "shared byte"}},
    {"memory", 9, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"4 bytes before"}},
    {"memory", 10, nullptr, CUDA_ERROR_ILLEGAL_INSTRUCTION, {"trap"}},
    {"memory", 11, nullptr, CUDA_ERROR_ILLEGAL_ADDRESS, {"local address"}},
    {"race", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"race",
     1,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"race on shared byte", "@first write", "@first read"}},
    {"race", 2, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"race", 3, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"race on shared byte"}},
    {"race",
     4,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"race on shared byte 256", "write by warp"}},
    {"race", 5, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"race", 6, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"race on shared byte"}},
    {"race", 7, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"race", 7, "INFCL_EMULATOR_CHECK", CUDA_ERROR_LAUNCH_FAILED, {"uninitialised"}},
    {"copy", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"copy", 1, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for", "cp.async"}},
    {"copy", 2, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"not been waited for", "cp.async"}},
    {"copy", 3, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte"}},
    {"copy", 4, "INFCL_EMULATOR_RACE", CUDA_ERROR_LAUNCH_FAILED, {"shared byte"}},
    {"barrier", 0, nullptr, CUDA_SUCCESS, {}},
    {"barrier",
     1,
     nullptr,
     CUDA_ERROR_LAUNCH_FAILED,
     {"deadlock", "warp 0: waits at barrier 0, @meeting", "bar.sync", "warp 1: exited"}},
    {"barrier",
     2,
     nullptr,
     CUDA_ERROR_LAUNCH_FAILED,
     {"deadlock", "warp 0: waits at barrier 0", "warp 1: waits at barrier 3"}},
    {"barrier", 3, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"divergence", "0xaaaaaaaa", "0x55555555"}},
    {"barrier", 4, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"barrier 1", "bar.sync"}},
    {"barrier", 5, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"divergence", "shfl"}},
    {"barrier", 6, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"divergence", "mma"}},
    {"barrier", 7, nullptr, CUDA_ERROR_LAUNCH_FAILED, {"exited", "shfl"}},
    {"blocks", 0, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
    {"blocks",
     1,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"race between blocks", "write by block 0", "faults.cu:"}},
    {"blocks",
     2,
     "INFCL_EMULATOR_RACE",
     CUDA_ERROR_LAUNCH_FAILED,
     {"race between blocks", "write by block 0"}},
    {"blocks", 3, "INFCL_EMULATOR_RACE", CUDA_SUCCESS, {}},
};

std::string with_line(std::string part) {
  const size_t at = part.find('@');
  if (at == std::string::npos) return part;
  std::ifstream source(EMULATOR_KERNEL_DIR "/faults.cu");
  std::string line;
  const std::string comment = "// " + part.substr(at + 1);
  for (int number = 1; std::getline(source, line); number++)
    if (contains(line, comment)) return part.substr(0, at) + "faults.cu:" + std::to_string(number);
  throw std::runtime_error("no line with " + comment);
}

std::string launch(Device& device, const Fault& fault) {
  std::vector<float> in(256);
  for (size_t i = 0; i < in.size(); i++) in[i] = static_cast<float>(i);
  CUdeviceptr from = device.upload(in);
  if (std::string(fault.kernel) == "barrier") {
    CUdeviceptr out = device.buffer<int>(64);
    return device.launch("barrier_kernel", {1, 64}, {&fault.mistake, &out});
  }
  if (std::string(fault.kernel) == "blocks") {
    CUdeviceptr out = device.upload(std::vector<int>(64));
    return device.launch("blocks_kernel", {2, 32}, {&fault.mistake, &out});
  }
  CUdeviceptr out = device.buffer<float>(std::string(fault.kernel) == "copy" ? 512 : 256);
  return device.launch(std::string(fault.kernel) + "_kernel", {1, 64}, {&fault.mistake, &from, &out});
}

void check_fault(const Fault& fault) {
  Setting setting(fault.setting ? fault.setting : "INFCL_EMULATOR_UNUSED", "1");
  Device device;
  device.load(read_ptx("faults"));
  const std::string why = launch(device, fault);
  const CUresult code = cuStreamSynchronize(nullptr);
  CHECK(code == fault.code, "%s %d: %d, not %d: %s", fault.kernel, fault.mistake, static_cast<int>(code),
        static_cast<int>(fault.code), why.c_str());
  for (const std::string& part : fault.message)
    CHECK(contains(why, with_line(part)), "%s %d: no \"%s\" in \"%s\"", fault.kernel, fault.mistake,
          with_line(part).c_str(), why.c_str());
}

// Without the mode that reports it, a copy not waited for is still NaN.
void check_poison() {
  for (int mistake : {0, 1, 2}) {
    Device device;
    device.load(read_ptx("faults"));
    CUdeviceptr in = device.upload(std::vector<float>(256, 1.0f)), out = device.buffer<float>(512);
    std::string why = device.launch("copy_kernel", {1, 64}, {&mistake, &in, &out});
    CHECK(why.empty(), "%s", why.c_str());
    std::vector<float> got = device.download<float>(out, 512);
    size_t nan = 0;  // not all: a warp may have waited by the time that another reads
    for (size_t i = 0; i < 256; i++) nan += std::isnan(got[i]);
    CHECK((nan > 0) == (mistake != 0), "mistake %d: %zu NaN", mistake, nan);
    for (size_t i = 256; i < 512; i++) CHECK(got[i] == 1.0f, "after the last wait: %g", got[i]);
  }
}

}  // namespace

int main() {
  for (const Fault& fault : kFaults) check_fault(fault);
  check_poison();
  return check::summary();
}
