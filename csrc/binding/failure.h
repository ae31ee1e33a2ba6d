// What went wrong, as plain data: made from a C++ exception on any thread, turned into a JavaScript Error on
// the environment's own. These two functions are the only place where errors change language.
#pragma once

#include <exception>
#include <string>

#include "binding/napi_env.h"

namespace infcl::binding {

struct Failure {
  std::string code;
  std::string message;
};

// A request that does not hold what it states. Thrown by marshalling only.
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
