#include "core/ranks.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <string>

namespace infcl {

namespace {

// The text of an error as it crosses. Zero bytes end it.
struct Report {
  char text[256] = {};
};

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& e) {
    return e;
  } catch (const std::exception& e) {
    return Error(ErrorCode::kInternal, "contrastive", e.what());
  } catch (...) {
    return Error(ErrorCode::kInternal, "contrastive", "an exception that is not a std::exception");
  }
}

class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

double Ranks::sum(double mine) {
  if (alone()) return mine;
  double total = 0;
  for (const double one : gather(mine)) total += one;
  return total;
}

double Ranks::largest(double mine) {
  if (alone()) return mine;
  double most = mine;
  for (const double one : gather(mine)) most = std::fmax(most, one);
  return most;
}

void Ranks::together(const std::function<void()>& work) {
  if (alone()) return work();
  std::exception_ptr failure;
  try {
    work();
  } catch (...) {
    failure = std::current_exception();
  }
  settle(failure);
}

// A first exchange of one number tells whether there is anything to tell.
void Ranks::settle(const std::exception_ptr& failure) {
  if (alone() || (failure && !others_wait_)) {
    if (failure) std::rethrow_exception(failure);
    return;
  }
  const int culprit = first_failed(failure != nullptr);
  if (culprit == size()) return;
  Report report;
  if (failure) std::strncpy(report.text, error_of(failure).what(), sizeof report.text - 1);
  const std::vector<Report> reports = gather(report);
  leave();
  if (failure) std::rethrow_exception(failure);
  throw Error(ErrorCode::kRankFailed, "group",
              "rank " + std::to_string(culprit) + " failed: " + reports[static_cast<size_t>(culprit)].text);
}

int Ranks::first_failed(bool failed) {
  const Stopwatch waiting(waited_seconds_);
  return ring_->smallest(failed ? rank() : size());
}

void Ranks::fail(const std::exception_ptr& thrown) noexcept {
  if (alone() || !others_wait_) return;
  leave();
  try {
    ring_->fail(error_of(thrown));
  } catch (...) {
    // There is no memory for the text.
    ring_->fail(Error(ErrorCode::kOutOfMemory, "group", ""));
  }
}

// No wait within a call looks at the abort flag: a rank that left alone would leave the others behind. Each
// rank looks at the flag while it computes, and all leave together after that.
void Ranks::begin_exchange(int distance, ConstBytes out, Bytes in) {
  bytes_sent_ += static_cast<int64_t>(out.size);
  ring_->begin_exchange(distance, out, in);
}

void Ranks::end_exchange() {
  const Stopwatch waiting(waited_seconds_);
  ring_->end_exchange({});
}

FieldAgreement Ranks::meet(const std::vector<Field>& fields, const Control& control) {
  const Stopwatch waiting(waited_seconds_);
  FieldAgreement agreement(*ring_, fields, "", control);
  others_wait_ = true;
  return agreement;
}

void Ranks::gather_bytes(const void* mine, size_t bytes, void* all) {
  if (!ring_) {
    std::memcpy(all, mine, bytes);
    return;
  }
  const Stopwatch waiting(waited_seconds_);
  ring_->all_gather(mine, bytes, all, {});
}

}  // namespace infcl
