// Work for the runner's thread, and the value of the promise for that work.
#pragma once

#include "binding/napi_env.h"
#include "core/types.h"

namespace infcl::binding {

class Task {
 public:
  virtual ~Task() = default;  // called on the environment's thread
  virtual void run() = 0;     // called on the runner's thread
  virtual Napi::Value result(Napi::Env) const = 0;
  // Whether the event loop waits for the promise.
  virtual bool keeps_alive() const { return true; }
  virtual Control control() const { return {}; }  // the words through which a caller can stop the task
  // Called on the environment's thread when it ends while the task runs. For waits that no control words end.
  virtual void interrupt() {}
};

}  // namespace infcl::binding
