// What the runner's thread executes, and what its promise is fulfilled with.
#pragma once

#include "binding/napi_env.h"
#include "core/types.h"

namespace infcl::binding {

class Task {
 public:
  virtual ~Task() = default;  // on the environment's thread
  virtual void run() = 0;     // on the runner's thread
  virtual Napi::Value result(Napi::Env) const = 0;
  virtual Control control() const { return {}; }  // by which it can be stopped
};

}  // namespace infcl::binding
