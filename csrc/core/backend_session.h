// One call's claim on a backend: its memory is given back on every way out.
#pragma once

#include "core/backend.h"

namespace infcl {

class BackendSession {
 public:
  BackendSession(Backend& backend, const Problem& problem) : backend_(backend) {
    try {
      begun_ = backend_.begin(problem);
      problem.control.begin(begun_.steps);
    } catch (...) {
      backend_.end();
      throw;
    }
  }
  ~BackendSession() { backend_.end(); }
  BackendSession(const BackendSession&) = delete;
  BackendSession& operator=(const BackendSession&) = delete;

  const BeginResult& begun() const { return begun_; }

 private:
  Backend& backend_;
  BeginResult begun_;
};

}  // namespace infcl
