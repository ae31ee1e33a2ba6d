// The time during which a backend works for one call. The destructor ends it, so that the backend gives its
// memory back after an exception too.
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
