// A failure as plain data. `describe` makes it from a C++ exception on any thread, and `to_js_error` turns it
// into a JavaScript Error on the environment's thread. No other code translates errors.
#pragma once

#include <exception>
#include <string>

#include "binding/napi_env.h"

namespace infcl::binding {

struct Failure {
  std::string code;
  std::string message;
};

// A request that breaks its own rules. Only the code that reads requests throws it.
class RequestError : public std::exception {
 public:
  RequestError(const char* code, const std::string& message) : failure_{code, "[request] " + message} {}
  const char* what() const noexcept override { return failure_.message.c_str(); }
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

Failure describe(const std::exception_ptr&);

// An Error with `code` and `message`.
Napi::Error to_js_error(Napi::Env, const Failure&);

}  // namespace infcl::binding
