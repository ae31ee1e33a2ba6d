#include "driver_state.h"

#include <cstdio>
#include <cstdlib>

#include "emulator_api.h"

namespace infcl::emulator {
namespace {

uint64_t environment_number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text && *text ? std::strtoull(text, nullptr, 0) : otherwise;
}

}  // namespace

DriverState& state() {
  static DriverState* s = new DriverState;  // outlives callers that still run while the process ends
  return *s;
}

std::vector<CUcontext>& context_stack() {
  thread_local std::vector<CUcontext> stack;
  return stack;
}

int emulated_sm() { return static_cast<int>(environment_number("INFCL_EMULATOR_SM", 80)); }

size_t emulated_memory_bytes() { return environment_number("INFCL_EMULATOR_MEMORY", uint64_t{8} << 30); }

int emulated_device_count() { return static_cast<int>(environment_number("INFCL_EMULATOR_DEVICES", 1)); }

int emulated_multiprocessors() {
  return static_cast<int>(environment_number("INFCL_EMULATOR_MULTIPROCESSORS", 4));
}

Options emulated_options() {
  Options o;
  o.seed = environment_number("INFCL_EMULATOR_SEED", 0);
  o.race = environment_number("INFCL_EMULATOR_RACE", 0) != 0;
  o.check = environment_number("INFCL_EMULATOR_CHECK", 0) != 0;
  o.truncate = environment_number("INFCL_EMULATOR_TRUNCATE", 0) != 0;
  o.early = environment_number("INFCL_EMULATOR_EARLY", 0) != 0;
  o.sm = emulated_sm();
  o.first_block = environment_number("INFCL_EMULATOR_FIRST_BLOCK", 0);
  return o;
}

size_t largest_dynamic_shared_bytes() {
  switch (emulated_sm()) {
    case 80:
    case 87:
      return 163 << 10;
    case 90:
    case 100:
    case 103:
      return 227 << 10;
    default:
      return 99 << 10;
  }
}

CUresult failed(CUresult code, const std::string& message) {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  s.last_message = message;
  s.messages[code] = message;
  if (environment_number("INFCL_EMULATOR_VERBOSE", 0))
    std::fprintf(stderr, "infcl emulator: error %d: %s\n", static_cast<int>(code), message.c_str());
  return code;
}

void log_work(const char* what, const std::string& subject, CUstream stream) {
  char name[32];
  std::snprintf(name, sizeof name, "%p", static_cast<void*>(stream));
  state().work_log += std::string(what) + " " + subject + " on " + name + "\n";
}

}  // namespace infcl::emulator

using namespace infcl::emulator;

#pragma GCC visibility push(default)
extern "C" {

const char* infcl_emulator_stats() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  thread_local std::string text;
  text = statistics_json();
  return text.c_str();
}

void infcl_emulator_reset_stats() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  launch_log().clear();
  state().event_log.clear();
  state().work_log.clear();
  for (auto& device : state().devices) device->memory.reset_peak();
}

const char* infcl_emulator_event_log() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  thread_local std::string text;
  text = state().event_log;
  return text.c_str();
}

const char* infcl_emulator_work_log() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  thread_local std::string text;
  text = state().work_log;
  return text.c_str();
}

size_t infcl_emulator_peak_bytes() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  return state().devices.empty() ? 0 : state().devices[0]->memory.peak_bytes();
}

void infcl_emulator_make_foreign(unsigned long long address) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().foreign.insert(address);
}

const char* infcl_emulator_last_error() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  thread_local std::string text;
  text = state().last_message;
  return text.c_str();
}

size_t infcl_emulator_live_allocations() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  size_t n = 0;
  for (const auto& device : state().devices) n += device->memory.count();
  for (const auto& module : state().modules) n -= module.second->globals.size();
  return n;
}

size_t infcl_emulator_live_objects() {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  size_t n = s.pinned.size() + s.streams.size() + s.events.size() + s.modules.size();
  for (const auto& device : s.devices) n += static_cast<size_t>(device->retained);
  return n;
}

void infcl_emulator_reset() {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  s.work.clear();
  s.modules.clear();
  s.streams.clear();
  s.events.clear();
  s.pinned.clear();
  s.pinned_bytes.clear();
  s.foreign.clear();
  s.devices.clear();
  s.messages.clear();
  s.last_message.clear();
  s.event_log.clear();
  s.work_log.clear();
  s.initialised = false;
  context_stack().clear();
  launch_log().clear();
}

}  // extern "C"
#pragma GCC visibility pop
