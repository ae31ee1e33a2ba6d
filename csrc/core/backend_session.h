// One call's claim on a backend: its memory is given back on every way out.
#pragma once

#include "core/backend.h"

namespace infcl {

class BackendSession {
 public:
  BackendSession(Backend& backend, const Problem& problem) : backend_(backend) {
    try {
      problem.control.begin(backend_.begin(problem));
    } catch (...) {
      backend_.end();
      throw;
    }
  }
  ~BackendSession() { backend_.end(); }
  BackendSession(const BackendSession&) = delete;
  BackendSession& operator=(const BackendSession&) = delete;

 private:
  Backend& backend_;
};

}  // namespace infcl
