// The error of the code that reads requests. Without N-API, so that native tests can check requests too.
#pragma once

#include <exception>
#include <string>

namespace infcl::binding {

// A failure as plain data.
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

}  // namespace infcl::binding
