// The exception that the core throws. Its code names the kind of failure, for programs. Its text is for
// people and starts with the operation in brackets. binding/failure.h turns both into a JavaScript error.
#pragma once

#include <stdexcept>
#include <string>

namespace infcl {

enum class ErrorCode {
  kShape,
  kValue,
  kNotFinite,
  kWorkspace,
  kOutOfMemory,
  kAborted,
  kIsa,
  kBackendUnavailable,
  kDevice,
  kStore,
  kRankFailed,
  kInternal
};

constexpr const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kShape:
      return "ERR_SHAPE";
    case ErrorCode::kValue:
      return "ERR_VALUE";
    case ErrorCode::kNotFinite:
      return "ERR_NOT_FINITE";
    case ErrorCode::kWorkspace:
      return "ERR_WORKSPACE";
    case ErrorCode::kOutOfMemory:
      return "ERR_OUT_OF_MEMORY";
    case ErrorCode::kAborted:
      return "ERR_ABORTED";
    case ErrorCode::kIsa:
      return "ERR_ISA";
    case ErrorCode::kBackendUnavailable:
      return "ERR_BACKEND_UNAVAILABLE";
    case ErrorCode::kDevice:
      return "ERR_DEVICE";
    case ErrorCode::kStore:
      return "ERR_STORE";
    case ErrorCode::kRankFailed:
      return "ERR_RANK_FAILED";
    case ErrorCode::kInternal:
      break;
  }
  return "ERR_INTERNAL";
}

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& op, const std::string& what)
      : std::runtime_error("[" + op + "] " + what), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace infcl
