// The driver API as a program sees it: refusals, memory, copies, the sticky error, what is left behind.
#include <cstring>
#include <thread>

#include "../emulator_api.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;

namespace {

constexpr const char* kCopyPtx =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".global .align 4 .u32 seen[2] = {5, 6};\n"
    ".visible .entry copy_kernel(.param .align 8 .b8 args[24]) .maxntid 64, 1, 1 {\n"
    ".reg .b64 %from, %to, %at;\n.reg .b32 %x, %t;\n.reg .f64 %y;\n"
    "ld.param.u64 %from, [args];\nld.param.u64 %to, [args+8];\nld.param.f64 %y, [args+16];\n"
    "mov.u32 %t, %tid.x;\ncvt.rn.f64.u32 %y, %t;\nmul.wide.u32 %at, %t, 4;\nadd.u64 %from, %from, %at;\n"
    "add.u64 %to, %to, %at;\nld.global.u32 %x, [%from];\nst.global.u32 [%to], %x;\n"
    "st.global.u32 [seen], %x;\nret;\n}\n";

#define REQUIRE_CODE(call, code)                                                              \
  do {                                                                                        \
    CUresult result = (call);                                                                 \
    CHECK(result == (code), "%d, %s", static_cast<int>(result), infcl_emulator_last_error()); \
  } while (0)

struct CopyArguments {
  CUdeviceptr from, to;
  double unused = 0;
};

void check_before_anything() {
  infcl_emulator_reset();
  int count = 0;
  CUdeviceptr p;
  REQUIRE_CODE(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  {
    Setting none("INFCL_EMULATOR_DEVICES", "0");
    REQUIRE_CODE(cuInit(0), CUDA_ERROR_NO_DEVICE);
  }
  Setting two("INFCL_EMULATOR_DEVICES", "2");
  REQUIRE_CODE(cuInit(0), CUDA_SUCCESS);
  REQUIRE_CODE(cuDeviceGetCount(&count), CUDA_SUCCESS);
  CHECK(count == 2, "%d", count);
  REQUIRE_CODE(cuMemAlloc(&p, 4), CUDA_ERROR_INVALID_CONTEXT);
  CUcontext second;
  REQUIRE_CODE(cuDevicePrimaryCtxRetain(&second, 1), CUDA_SUCCESS);
  REQUIRE_CODE(cuDevicePrimaryCtxRetain(&second, 2), CUDA_ERROR_INVALID_DEVICE);
  REQUIRE_CODE(cuCtxPushCurrent(second), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemAlloc(&p, 4), CUDA_SUCCESS);
  int ordinal = -1;
  REQUIRE_CODE(cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, p + 3), CUDA_SUCCESS);
  CHECK(ordinal == 1, "%d", ordinal);
  CHECK(infcl_emulator_live_allocations() == 1 && infcl_emulator_live_objects() == 1,
        "one allocation, one context");
  REQUIRE_CODE(cuMemFree(p), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemFree(p), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuDevicePrimaryCtxRelease(1), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemAlloc(&p, 4), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  CHECK(infcl_emulator_live_allocations() == 0 && infcl_emulator_live_objects() == 0, "something is left");
}

void check_devices() {
  Setting sm("INFCL_EMULATOR_SM", "90");
  Device device;
  int major = 0, shared = 0;
  REQUIRE_CODE(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0), CUDA_SUCCESS);
  REQUIRE_CODE(cuDeviceGetAttribute(&shared, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0),
               CUDA_SUCCESS);
  CHECK(major == 9 && shared == 227 << 10, "%d %d", major, shared);
  REQUIRE_CODE(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE1D_WIDTH, 0),
               CUDA_ERROR_INVALID_VALUE);
  char name[64];
  REQUIRE_CODE(cuDeviceGetName(name, sizeof name, 0), CUDA_SUCCESS);
  CHECK(contains(name, "emulator"), "%s", name);
  const char* text = nullptr;
  REQUIRE_CODE(cuGetErrorName(CUDA_ERROR_OUT_OF_MEMORY, &text), CUDA_SUCCESS);
  CHECK(std::string(text) == "CUDA_ERROR_OUT_OF_MEMORY", "%s", text);
}

void check_memory() {
  Setting limit("INFCL_EMULATOR_MEMORY", "1000");
  Device device;
  CUdeviceptr a, b;
  size_t available, total;
  REQUIRE_CODE(cuMemAlloc(&a, 600), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemAlloc(&b, 401), CUDA_ERROR_OUT_OF_MEMORY);
  REQUIRE_CODE(cuMemAlloc(&b, 400), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemGetInfo(&available, &total), CUDA_SUCCESS);
  CHECK(available == 0 && total == 1000, "%zu of %zu", available, total);
  CHECK(a % 256 == 0 && b % 256 == 0, "alignment");
  std::vector<unsigned char> got(600);
  REQUIRE_CODE(cuMemcpyDtoH(got.data(), a, 600), CUDA_SUCCESS);
  CHECK(got[0] == 0xff && got[599] == 0xff, "fresh memory is not poisoned");
  REQUIRE_CODE(cuMemcpyDtoH(got.data(), a, 601), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuMemcpyHtoD(a + 599, got.data(), 2), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuMemsetD8(b, 7, 400), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemsetD32(a, 0x01020304, 151), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuMemsetD32(a, 0x01020304, 150), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemcpyDtoD(a + 1, b, 3), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemcpyDtoH(got.data(), a, 600), CUDA_SUCCESS);
  CHECK(got[0] == 4 && got[1] == 7 && got[3] == 7 && got[4] == 4, "copies");
  void* host = nullptr;
  REQUIRE_CODE(cuMemHostAlloc(&host, 100, 0), CUDA_SUCCESS);
  unsigned type = 0;
  REQUIRE_CODE(
      cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(host)),
      CUDA_SUCCESS);
  CHECK(type == CU_MEMORYTYPE_HOST, "%u", type);
  REQUIRE_CODE(
      cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(&a)),
      CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuMemFreeHost(host), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
}

void check_2d() {
  Device device;
  std::vector<unsigned char> source(6 * 10), back(4 * 5);
  for (size_t i = 0; i < source.size(); i++) source[i] = static_cast<unsigned char>(i);
  CUdeviceptr p = device.buffer<unsigned char>(3 * 16 + 5);  // the last row ends the allocation
  CUDA_MEMCPY2D up{};
  up.srcMemoryType = CU_MEMORYTYPE_HOST, up.srcHost = source.data(), up.srcPitch = 10, up.srcXInBytes = 2,
  up.srcY = 1;
  up.dstMemoryType = CU_MEMORYTYPE_DEVICE, up.dstDevice = p, up.dstPitch = 16;
  up.WidthInBytes = 5, up.Height = 4;
  REQUIRE_CODE(cuMemcpy2D(&up), CUDA_SUCCESS);
  CUDA_MEMCPY2D down{};
  down.srcMemoryType = CU_MEMORYTYPE_DEVICE, down.srcDevice = p, down.srcPitch = 16;
  down.dstMemoryType = CU_MEMORYTYPE_HOST, down.dstHost = back.data(), down.dstPitch = 5;
  down.WidthInBytes = 5, down.Height = 4;
  REQUIRE_CODE(cuMemcpy2DAsync(&down, nullptr), CUDA_SUCCESS);
  for (size_t r = 0; r < 4; r++)
    for (size_t c = 0; c < 5; c++) CHECK(back[r * 5 + c] == (r + 1) * 10 + c + 2, "%zu %zu", r, c);
  up.WidthInBytes = 6;
  REQUIRE_CODE(cuMemcpy2D(&up), CUDA_ERROR_INVALID_VALUE);
  up.WidthInBytes = 17;
  REQUIRE_CODE(cuMemcpy2D(&up), CUDA_ERROR_INVALID_VALUE);
}

void check_modules() {
  Device device;
  CUmodule module;
  REQUIRE_CODE(cuModuleLoadData(&module,
                                "\x7f"
                                "ELF and so on"),
               CUDA_ERROR_NO_BINARY_FOR_GPU);
  REQUIRE_CODE(cuModuleLoadData(&module, "\x50\xed\x55\xba and so on"), CUDA_ERROR_INVALID_IMAGE);
  REQUIRE_CODE(cuModuleLoadData(&module, ".version 8.0\n.target sm_90\n.address_size 64\n"),
               CUDA_ERROR_NO_BINARY_FOR_GPU);
  REQUIRE_CODE(cuModuleLoadData(&module, ".version 8.0\n.target sm_80\nnonsense"), CUDA_ERROR_INVALID_PTX);
  const size_t before = infcl_emulator_live_objects();
  REQUIRE_CODE(cuModuleLoadData(&module, kCopyPtx), CUDA_SUCCESS);
  CUfunction f;
  REQUIRE_CODE(cuModuleGetFunction(&f, module, "nothing"), CUDA_ERROR_NOT_FOUND);
  REQUIRE_CODE(cuModuleGetFunction(&f, module, "copy_kernel"), CUDA_SUCCESS);
  int threads = 0;
  REQUIRE_CODE(cuFuncGetAttribute(&threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, f), CUDA_SUCCESS);
  CHECK(threads == 64, "%d", threads);
  REQUIRE_CODE(cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 164 << 10),
               CUDA_ERROR_INVALID_VALUE);
  CopyArguments args{device.upload(std::vector<int>{1, 2, 3, 4}), device.buffer<int>(4), 0};
  void* arguments[] = {&args};
  REQUIRE_CODE(cuLaunchKernel(f, 1, 1, 1, 65, 1, 1, 0, nullptr, arguments, nullptr),
               CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuLaunchKernel(f, 0, 1, 1, 4, 1, 1, 0, nullptr, arguments, nullptr), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 49 << 10, nullptr, arguments, nullptr),
               CUDA_ERROR_INVALID_VALUE);
  REQUIRE_CODE(cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 49 << 10),
               CUDA_SUCCESS);
  REQUIRE_CODE(cuLaunchKernel(f, 1, 1, 1, 4, 1, 1, 49 << 10, nullptr, arguments, nullptr), CUDA_SUCCESS);
  CHECK(device.download<int>(args.to, 4) == (std::vector<int>{1, 2, 3, 4}), "parameters in a struct");
  CUdeviceptr seen;
  size_t bytes;
  REQUIRE_CODE(cuModuleGetGlobal(&seen, &bytes, module, "seen"), CUDA_SUCCESS);
  CHECK(bytes == 8 && device.download<int>(seen, 2) == (std::vector<int>{4, 6}), "a variable of the module");
  REQUIRE_CODE(cuModuleUnload(module), CUDA_SUCCESS);
  REQUIRE_CODE(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  CHECK(infcl_emulator_live_objects() == before && infcl_emulator_live_allocations() == 2,
        "left by the module");
}

void check_sticky_error() {
  Device device;
  device.load(kCopyPtx);
  CopyArguments args{device.upload(std::vector<int>{1, 2}), device.buffer<int>(2), 0};
  std::string why = device.launch("copy_kernel", {1, 4}, {&args});
  CHECK(contains(why, "0 bytes past the end of an allocation of 8 bytes"), "%s", why.c_str());
  CHECK(contains(why, "kernel copy_kernel, block (0, 0, 0), warp 0"), "%s", why.c_str());
  const char* text = nullptr;
  REQUIRE_CODE(cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text), CUDA_SUCCESS);
  CHECK(why == text, "%s", text);
  CUdeviceptr p;
  CUevent event;
  REQUIRE_CODE(cuMemAlloc(&p, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  REQUIRE_CODE(cuEventCreate(&event, 0), CUDA_ERROR_ILLEGAL_ADDRESS);
  REQUIRE_CODE(cuMemFree(args.to), CUDA_ERROR_ILLEGAL_ADDRESS);
  CHECK(infcl_emulator_live_allocations() == 1, "memory is not given back after a fault");
  CUcontext again;
  REQUIRE_CODE(cuDevicePrimaryCtxRelease(0), CUDA_SUCCESS);
  REQUIRE_CODE(cuDevicePrimaryCtxRetain(&again, 0), CUDA_SUCCESS);
  REQUIRE_CODE(cuMemAlloc(&p, 4), CUDA_SUCCESS);
}

void check_streams_and_threads() {
  Device device;
  device.load(kCopyPtx);
  CUcontext context;
  REQUIRE_CODE(cuCtxGetCurrent(&context), CUDA_SUCCESS);
  CUstream stream;
  CUevent begin, end;
  REQUIRE_CODE(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventCreate(&begin, 0), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventCreate(&end, 0), CUDA_SUCCESS);
  float ms = -1;
  REQUIRE_CODE(cuEventElapsedTime(&ms, begin, end), CUDA_ERROR_INVALID_HANDLE);
  REQUIRE_CODE(cuEventRecord(begin, stream), CUDA_SUCCESS);
  REQUIRE_CODE(cuStreamWaitEvent(stream, begin, 0), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventRecord(end, stream), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventQuery(end), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventSynchronize(end), CUDA_SUCCESS);
  REQUIRE_CODE(cuEventElapsedTime(&ms, begin, end), CUDA_SUCCESS);
  CHECK(ms >= 0, "%g", ms);
  int right = 0;
  auto work = [&](int seed, int* ok) {
    cuCtxPushCurrent(context);
    for (int i = 0; i < 50; i++) {
      CopyArguments args{device.upload(std::vector<int>(4, seed + i)), device.buffer<int>(4), 0};
      *ok += device.launch("copy_kernel", {1, 4}, {&args}).empty() &&
             device.download<int>(args.to, 4) == std::vector<int>(4, seed + i);
      cuMemFree(args.from);
      cuMemFree(args.to);
    }
  };
  int first = 0, second = 0;
  std::thread a(work, 100, &first), b(work, 1000, &second);
  a.join();
  b.join();
  right = first + second;
  CHECK(right == 100, "%d of 100 launches from two threads", right);
  REQUIRE_CODE(cuStreamDestroy(stream), CUDA_SUCCESS);
  REQUIRE_CODE(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
}

void check_statistics() {
  Device device;
  device.load(kCopyPtx);
  CopyArguments args{device.upload(std::vector<int>(64, 1)), device.buffer<int>(64), 0};
  device.launch("copy_kernel", {1, 64}, {&args});
  CHECK(contains(infcl_emulator_stats(),
                 "\"kernel\": \"copy_kernel\", \"grid\": [1, 1, 1], \"block\": [64, 1, 1]"),
        "%s", infcl_emulator_stats());
  CHECK(last_statistic("globalRequests") == 6, "%g", last_statistic("globalRequests"));
  CHECK(last_statistic("globalSectors") == 2 * (4 + 4 + 1), "%g", last_statistic("globalSectors"));
  infcl_emulator_reset_stats();
  CHECK(!contains(infcl_emulator_stats(), "copy_kernel"), "reset");
}

}  // namespace

int main() {
  check_before_anything();
  check_devices();
  check_memory();
  check_2d();
  check_modules();
  check_sticky_error();
  check_streams_and_threads();
  check_statistics();
  return check::summary();
}
