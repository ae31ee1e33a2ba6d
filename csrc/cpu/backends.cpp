// The CPU half of core/backends.h.
#include "core/backends.h"

#include "cpu/backend.h"
#include "cpu/isa_dispatch.h"
#include "cpu/planner.h"
#include "cpu/usable_threads.h"

namespace infcl {

CpuInfo cpu_info(const Settings& settings) {
  CpuInfo info;
  info.isa = cpu::select_kernels(settings.isa, false).isa;
  for (const cpu::Kernels* k : cpu::available_kernels()) info.isas.emplace_back(k->isa);
  info.threads = cpu::default_threads(settings.threads);
  return info;
}

std::unique_ptr<Backend> make_cpu_backend(const Settings& settings) {
  return std::make_unique<cpu::CpuBackend>(settings.isa, settings.threads);
}

std::unique_ptr<Planner> make_cpu_planner(const Settings& settings) { return cpu::make_planner(settings); }

}  // namespace infcl
