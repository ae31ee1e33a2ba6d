// Driver API: modules, functions, launches.
#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "decoder.h"
#include "driver_state.h"
#include "fatbin_format.h"
#include "fatbin_ptx.h"
#include "ptx_parser.h"

using namespace infcl::emulator;

namespace {

LoadedModule* as_module(CUmodule handle) { return reinterpret_cast<LoadedModule*>(handle); }

bool begins_with(const unsigned char* image, const unsigned char (&magic)[4]) {
  return std::equal(magic, magic + 4, image);  // stops at the first other byte: a text may be shorter
}

// "sm_80" runs on 80 and later, "sm_90a" on 90 alone.
bool runs_here(const std::string& target) {
  const int sm = emulated_sm();
  if (target.compare(0, 3, "sm_") != 0) return false;
  size_t used = 0;
  const int number = std::stoi(target.substr(3), &used);
  const std::string suffix = target.substr(3 + used);
  if (suffix.empty()) return number <= sm;
  return suffix == "a" ? number == sm : suffix == "f" && number / 10 == sm / 10 && number <= sm;
}

// PTX of the image for the emulated device, or "" where there is none. Throws where the image is damaged.
std::string ptx_of(const void* image) {
  constexpr unsigned char kElf[4] = {0x7f, 'E', 'L', 'F'};
  const auto* bytes = static_cast<const unsigned char*>(image);
  if (begins_with(bytes, kElf)) return "";
  if (begins_with(bytes, infcl::fatbin::kMagic)) return ptx_of_fatbin(image, runs_here);
  if (*bytes > '~')
    throw std::runtime_error("the image is neither PTX nor machine code nor a fatbin: its first byte is " +
                             std::to_string(*bytes));
  return static_cast<const char*>(image);
}

// Places the module's variables in device memory.
SymbolTable place_globals(LoadedModule& module, const ModuleSyntax& syntax) {
  SymbolTable symbols;
  const bool with_shadow = emulated_options().race || emulated_options().check;
  for (const Variable& v : syntax.variables) {
    if (v.space == Space::kShared) continue;
    const size_t bytes = std::max<size_t>(v.bytes, 1);
    CUdeviceptr address = module.context->memory.allocate(bytes, emulated_memory_bytes(), with_shadow);
    if (!address) throw std::bad_alloc();
    std::memset(reinterpret_cast<void*>(address), 0, bytes);
    if (!v.initial.empty()) std::memcpy(reinterpret_cast<void*>(address), v.initial.data(), v.initial.size());
    const Allocation* a = module.context->memory.find(address);
    if (a->shadow) a->shadow->mark_initialised(0, bytes);
    module.globals[v.name] = {address, v.bytes};
    symbols[v.name] = {v.space, address, v.bytes};
  }
  return symbols;
}

void unload(LoadedModule& module) {
  for (const auto& global : module.globals) module.context->memory.free(global.second.first);
}

CUresult load(CUmodule* handle, const void* image, CUctx_st& context) {
  std::string text;
  try {
    text = ptx_of(image);
  } catch (const std::runtime_error& e) {
    return failed(CUDA_ERROR_INVALID_IMAGE, e.what());
  }
  if (text.empty())
    return failed(CUDA_ERROR_NO_BINARY_FOR_GPU,
                  "the emulator runs PTX, and the image has none for sm_" + std::to_string(emulated_sm()));
  auto module = std::make_unique<LoadedModule>();
  module->context = &context;
  try {
    const ModuleSyntax syntax = parse_ptx(text.c_str());
    if (!runs_here(syntax.target))
      return failed(CUDA_ERROR_NO_BINARY_FOR_GPU,
                    "PTX for " + syntax.target + " on sm_" + std::to_string(emulated_sm()));
    const SymbolTable globals = place_globals(*module, syntax);
    for (const FunctionSyntax& f : syntax.functions) {
      if (!f.is_entry || !f.has_body) continue;
      CUfunc_st& function = module->functions[f.name];
      function.kernel = Decoder(syntax, globals).decode(f);
      function.module = module.get();
    }
  } catch (const EmulatorError& e) {
    unload(*module);
    return failed(CUDA_ERROR_INVALID_PTX, e.what());
  }
  LoadedModule* key = module.get();
  state().modules[key] = std::move(module);
  *handle = reinterpret_cast<CUmodule>(key);
  return CUDA_SUCCESS;
}

std::string refuse(const CUfunc_st& f, const std::array<uint32_t, 3>& grid,
                   const std::array<uint32_t, 3>& block, size_t shared) {
  const Kernel& k = f.kernel;
  const uint64_t threads = uint64_t{block[0]} * block[1] * block[2];
  for (int d = 0; d < 3; d++) {
    if (grid[d] == 0 || block[d] == 0) return "an empty grid or block";
    if (grid[d] > (d == 0 ? 0x7fffffffu : 65535u)) return "grid too large";
    if (grid[d] % k.cluster[d]) return "grid is no multiple of the cluster";
  }
  if (threads > k.max_threads)
    return std::to_string(threads) + " threads, at most " + std::to_string(k.max_threads);
  if (shared > static_cast<size_t>(f.dynamic_shared_limit))
    return std::to_string(shared) + " bytes of dynamic shared memory, at most " +
           std::to_string(f.dynamic_shared_limit);
  if (k.static_shared_bytes + shared > largest_dynamic_shared_bytes()) return "too much shared memory";
  return "";
}

CUresult fault_code(Fault fault) {
  switch (fault) {
    case Fault::kIllegalAddress:
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    case Fault::kMisalignedAddress:
      return CUDA_ERROR_MISALIGNED_ADDRESS;
    case Fault::kIllegalInstruction:
      return CUDA_ERROR_ILLEGAL_INSTRUCTION;
    default:
      return CUDA_ERROR_LAUNCH_FAILED;
  }
}

// Faults surface at the next call, as they do on a device that runs behind the host.
void run(CUctx_st& context, const CUfunc_st& f, const std::array<uint32_t, 3>& grid,
         const std::array<uint32_t, 3>& block, size_t shared, const std::vector<uint8_t>& parameters) {
  LaunchStatistics statistics;
  statistics.kernel = f.kernel.name;
  Launch l{f.kernel,
           {grid[0], grid[1], grid[2]},
           {block[0], block[1], block[2]},
           shared,
           parameters,
           context.memory,
           statistics,
           emulated_options(),
           ++state().launches};
  std::copy(grid.begin(), grid.end(), statistics.grid);
  std::copy(block.begin(), block.end(), statistics.block);
  statistics.shared_bytes = l.shared_bytes();
  try {
    run_launch(l);
  } catch (const EmulatorError& e) {
    context.sticky = failed(fault_code(e.fault()), e.what());
  }
  launch_log().push_back(statistics);
}

CUresult launch(CUctx_st& context, const CUfunc_st& f, const std::array<uint32_t, 3>& grid,
                const std::array<uint32_t, 3>& block, size_t shared, CUstream stream, void** arguments) {
  if (std::string why = refuse(f, grid, block, shared); !why.empty())
    return failed(CUDA_ERROR_INVALID_VALUE, "launch of " + f.kernel.name + " refused: " + why);
  std::vector<uint8_t> parameters(f.kernel.parameter_bytes);
  for (size_t i = 0; i < f.kernel.parameters.size(); i++)
    std::memcpy(parameters.data() + f.kernel.parameters[i].offset, arguments[i],
                f.kernel.parameters[i].bytes);
  log_work("launch", f.kernel.name, stream);
  return give_work(context, stream, [=, &f](CUctx_st& c) {
    run(c, f, grid, block, shared, parameters);
    return CUDA_SUCCESS;
  });
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return with_context([&](CUctx_st& context) { return load(module, image, context); });
}

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, CUjit_option*, void**) {
  return cuModuleLoadData(module, image);
}

CUresult cuModuleUnload(CUmodule module) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().work.finish_all();
  auto found = state().modules.find(as_module(module));
  if (found == state().modules.end()) return failed(CUDA_ERROR_INVALID_HANDLE, "no such module");
  unload(*found->second);
  state().modules.erase(found);
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return with_context([&](CUctx_st&) {
    auto found = as_module(module)->functions.find(name);
    if (found == as_module(module)->functions.end())
      return failed(CUDA_ERROR_NOT_FOUND, std::string("no kernel ") + name);
    *function = &found->second;
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module, const char* name) {
  return with_context([&](CUctx_st&) {
    auto found = as_module(module)->globals.find(name);
    if (found == as_module(module)->globals.end())
      return failed(CUDA_ERROR_NOT_FOUND, std::string("no variable ") + name);
    if (address) *address = found->second.first;
    if (bytes) *bytes = found->second.second;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  return with_context([&](CUctx_st&) {
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return CUDA_SUCCESS;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
      return failed(CUDA_ERROR_NOT_SUPPORTED, "function attribute is not emulated");
    const size_t most = largest_dynamic_shared_bytes() - function->kernel.static_shared_bytes;
    if (value < 0 || static_cast<size_t>(value) > most)
      return failed(CUDA_ERROR_INVALID_VALUE, "more dynamic shared memory than " + std::to_string(most));
    function->dynamic_shared_limit = value;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
  return with_context([&](CUctx_st&) {
    const Kernel& k = function->kernel;
    switch (attribute) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = static_cast<int>(k.max_threads);
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
        *value = static_cast<int>(k.static_shared_bytes);
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
        *value = static_cast<int>(k.local_bytes);
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        *value = function->dynamic_shared_limit;
        return CUDA_SUCCESS;
      default:
        return failed(CUDA_ERROR_NOT_SUPPORTED, "function attribute is not emulated");
    }
  });
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                        unsigned bz, unsigned shared, CUstream stream, void** arguments, void** extra) {
  return with_context([&](CUctx_st& context) {
    if (extra) return failed(CUDA_ERROR_NOT_SUPPORTED, "packed launch arguments are not emulated");
    if (!f || f->module->context != &context) return failed(CUDA_ERROR_INVALID_HANDLE, "no such function");
    if (stream && !state().streams.count(stream)) return failed(CUDA_ERROR_INVALID_HANDLE, "no such stream");
    return launch(context, *f, {gx, gy, gz}, {bx, by, bz}, shared, stream, arguments);
  });
}

// By shared memory and threads; registers are not known here.
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction f, int threads, size_t shared) {
  return with_context([&](CUctx_st&) {
    const size_t bytes = f->kernel.static_shared_bytes + shared + 1024;
    const size_t by_shared = (largest_dynamic_shared_bytes() + 1024) / bytes;
    *blocks =
        static_cast<int>(std::min<size_t>({by_shared, size_t{2048} / static_cast<size_t>(threads), 32}));
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
#pragma GCC visibility pop
