// Reads process.env, not the variables of the process. Node locks process.env, so that no other thread
// changes a variable at the same time. And a worker thread sees the variables that it was started with.
#include "binding/read_settings.h"

namespace infcl::binding {

namespace {

std::string variable(const Napi::Object& variables, const char* name) {
  const Napi::Value value = variables.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
}

Napi::Value variables_of(Napi::Env env) {
  const Napi::Value process = env.Global().Get("process");
  return process.IsObject() ? process.As<Napi::Object>().Get("env") : env.Undefined();
}

}  // namespace

Settings read_settings(Napi::Env env) {
  try {
    const Napi::Value variables = variables_of(env);
    if (variables.IsObject()) {
      const Napi::Object all = variables.As<Napi::Object>();
      return {variable(all, "INFCL_ISA"), variable(all, "INFCL_CUDA_PATH"),
              variable(all, "INFCL_CUDA_LIBRARY"), variable(all, "INFCL_THREADS")};
    }
  } catch (const Napi::Error&) {
    // The getters of Node's own `process` do not throw, so this `process` is not Node's.
  }
  return settings_from_environment();
}

std::string read_variable(Napi::Env env, const char* name) {
  const Napi::Value variables = variables_of(env);
  return variables.IsObject() ? variable(variables.As<Napi::Object>(), name) : "";
}

}  // namespace infcl::binding
