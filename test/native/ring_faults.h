// Communicators and backends with a fault, or that do something at a chosen moment. Each stands in for a real
// one.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/backend.h"
#include "core/communicator.h"

namespace faults {

// Passes everything on.
class SomeCommunicator : public infcl::Communicator {
 public:
  explicit SomeCommunicator(std::unique_ptr<Communicator> real) : real_(std::move(real)) {}
  int rank() const override { return real_->rank(); }
  int size() const override { return real_->size(); }
  void all_gather(const void* mine, size_t bytes, void* all, const infcl::Control& control) override {
    real_->all_gather(mine, bytes, all, control);
  }
  int32_t smallest(int32_t mine) override { return real_->smallest(mine); }
  void begin_exchange(int distance, infcl::ConstBytes out, infcl::Bytes in) override {
    real_->begin_exchange(distance, out, in);
  }
  void end_exchange(const infcl::Control& control) override { real_->end_exchange(control); }
  void fail(const infcl::Error& error) noexcept override { real_->fail(error); }

 private:
  const std::unique_ptr<Communicator> real_;
};

// Two messages in a row arrive empty: those that bring the sums or the gradients of one round home.
class LosesWhatComesHome final : public SomeCommunicator {
 public:
  LosesWhatComesHome(std::unique_ptr<Communicator> real, int first_hop)
      : SomeCommunicator(std::move(real)), first_hop_(first_hop) {}
  void begin_exchange(int distance, infcl::ConstBytes out, infcl::Bytes in) override {
    SomeCommunicator::begin_exchange(distance, out, in);
    begun_.push_back(in);
  }
  void end_exchange(const infcl::Control& control) override {
    SomeCommunicator::end_exchange(control);
    const infcl::Bytes in = begun_.front();
    begun_.erase(begun_.begin());
    const int hop = ended_++ - first_hop_;
    if ((hop == 0 || hop == 1) && in.size > 0) std::memset(in.data, 0, in.size);
  }

 private:
  const int first_hop_;  // of the two, counted from 0
  std::vector<infcl::Bytes> begun_;
  int ended_ = 0;
};

// Passes everything on.
class SomeBackend : public infcl::Backend {
 public:
  explicit SomeBackend(std::unique_ptr<Backend> real) : real_(std::move(real)) {}
  bool takes_guests() const override { return real_->takes_guests(); }
  infcl::BeginResult begin(const infcl::Problem& p) override { return real_->begin(p); }
  double bring(infcl::Operand o) override { return real_->bring(o); }
  void positive_dots(const int32_t* labels, float* out) override { real_->positive_dots(labels, out); }
  void positive_dots_among(const infcl::MatrixView& columns, int64_t first, const int32_t* labels,
                           float* out) override {
    real_->positive_dots_among(columns, first, labels, out);
  }
  void fold(infcl::FoldArgs& a) override { real_->fold(a); }
  infcl::DifferentiateResult differentiate(const infcl::DifferentiateArgs& a) override {
    return real_->differentiate(a);
  }
  void hard_negative_dots(float* dots, float* errors) override { real_->hard_negative_dots(dots, errors); }
  double differentiate_hard_negatives(const infcl::HardNegativeArgs& a) override {
    return real_->differentiate_hard_negatives(a);
  }
  void finish() override { real_->finish(); }
  infcl::BackendStats stats() const override { return real_->stats(); }
  void end() override { real_->end(); }

 private:
  const std::unique_ptr<Backend> real_;
};

// Visits each guest a second time, in the forward or in the backward pass.
class MeetsGuestsTwice final : public SomeBackend {
 public:
  MeetsGuestsTwice(std::unique_ptr<Backend> real, bool forward)
      : SomeBackend(std::move(real)), forward_(forward) {}
  void fold(infcl::FoldArgs& a) override {
    SomeBackend::fold(a);
    if (forward_ && a.visit) SomeBackend::fold(a);
  }
  infcl::DifferentiateResult differentiate(const infcl::DifferentiateArgs& a) override {
    const infcl::DifferentiateResult found = SomeBackend::differentiate(a);
    if (!forward_ && a.visit) SomeBackend::differentiate(a);
    return found;
  }

 private:
  const bool forward_;
};

// Goes on after an abort in a forward pass, once.
class HidesAnAbort final : public SomeBackend {
 public:
  using SomeBackend::SomeBackend;
  void fold(infcl::FoldArgs& a) override {
    try {
      SomeBackend::fold(a);
    } catch (const infcl::Error& e) {
      if (hidden_ || e.code() != infcl::ErrorCode::kAborted) throw;
      hidden_ = true;
    }
  }

 private:
  bool hidden_ = false;
};

// Calls `before` with the number of each pass over own columns or guests, before it.
class TellsPasses final : public SomeBackend {
 public:
  TellsPasses(std::unique_ptr<Backend> real, std::function<void(int)> before)
      : SomeBackend(std::move(real)), before_(std::move(before)) {}
  void fold(infcl::FoldArgs& a) override {
    before_(passes_++);
    SomeBackend::fold(a);
  }
  infcl::DifferentiateResult differentiate(const infcl::DifferentiateArgs& a) override {
    before_(passes_++);
    return SomeBackend::differentiate(a);
  }

 private:
  const std::function<void(int)> before_;
  int passes_ = 0;
};

// Counts the exchanges that were begun and not ended, and all of them.
class CountsExchanges final : public SomeCommunicator {
 public:
  CountsExchanges(std::unique_ptr<Communicator> real, int& begun, int& ended)
      : SomeCommunicator(std::move(real)), begun_(begun), ended_(ended) {}
  void begin_exchange(int distance, infcl::ConstBytes out, infcl::Bytes in) override {
    ++begun_;
    SomeCommunicator::begin_exchange(distance, out, in);
  }
  void end_exchange(const infcl::Control& control) override {
    SomeCommunicator::end_exchange(control);
    ++ended_;
  }

 private:
  int &begun_, &ended_;
};

}  // namespace faults
