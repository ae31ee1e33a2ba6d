// A guest: a piece of another rank's columns, in memory that the engine owns. It lies in one message:
//   features and what backends read along the columns (ids, classes, limits, factors of the gradient);
//   then what visits add to: the sums of a forward pass, or the gradient of a backward pass.
// The first part travels to the last rank that visits the guest. The second part begins at the first rank
// that visits the guest, and goes home. So every rank knows the size of each message from the shapes alone.
#pragma once

#include <cstdint>
#include <memory>

#include "core/backend.h"
#include "core/communicator.h"
#include "core/grid.h"
#include "core/lse.h"
#include "core/normaliser.h"

namespace infcl {

// What a guest has beside its features. Equal options mean equal parts on all ranks.
struct GuestParts {
  int64_t rows = 0, dim = 0;
  DType dtype = DType::kFloat32;
  bool ids = false, classes = false, limits = false;
  // Forward: sums of a normaliser.
  bool sums = false, dot_sums = false, positive_dot_sums = false;
  // Backward: factors of a normaliser.
  bool factors = false, uniform = false, positive_weights = false;
  int64_t gradient_rows = 0;
};

// Bytes from the beginning of the message.
struct GuestLayout {
  explicit GuestLayout(const GuestParts&);
  size_t features, ids, classes, limits, lse_sums, lse_shifts, weights, uniform, positive_weights;
  size_t result;  // where the second part begins
  size_t sums, shifts, dot_sums, counts, positive_dot_sums, gradient;
  size_t end;
};

class Guest {
 public:
  // Room for a message of at most `bytes`.
  explicit Guest(size_t bytes) : memory_(new char[bytes]) {}

  // A piece of this rank's own columns, as it leaves home.
  void pack(const GuestParts&, Range piece, const MatrixView& features, const FoldArgs&);
  void pack(const GuestParts&, Range piece, const MatrixView& features, const DifferentiateArgs&);
  // What is to be sent to the next visit, or home after the last one.
  ConstBytes first_part() const { return {memory_.get(), layout().result}; }
  ConstBytes all() const { return {memory_.get(), layout().end}; }
  ConstBytes result() const { return {memory_.get() + layout().result, layout().end - layout().result}; }
  // Memory for such a message of these parts. The message to the first visit has no result yet.
  Bytes receive(const GuestParts&, bool first_visit);
  Bytes receive_result(const GuestParts&);
  // At the first visit: a result to which nothing was added.
  void clear_result();
  // Before a visit.
  void unpack();
  // Before the message goes on: what the visit has added to `sums`.
  void pack_sums();

  // Puts the guest in the place of the columns of a rank's own pass.
  GuestVisit visit(int64_t rows);
  void meet(FoldArgs&);
  void meet(DifferentiateArgs&);
  // At home: adds what all visits have found.
  void unpack_sums();
  const Normaliser& sums() const { return sums_; }
  const float* gradient() const { return at<float>(layout().gradient); }
  const GuestParts& parts() const { return parts_; }

 private:
  GuestLayout layout() const { return GuestLayout(parts_); }
  template <class T>
  T* at(size_t offset) {
    return reinterpret_cast<T*>(memory_.get() + offset);
  }
  template <class T>
  const T* at(size_t offset) const {
    return reinterpret_cast<const T*>(memory_.get() + offset);
  }
  template <class Args>
  void pack_columns(Range piece, const MatrixView& features, const Args&);
  template <class Args>
  void meet_columns(Args&);

  std::unique_ptr<char[]> memory_;
  GuestParts parts_;
  Normaliser sums_;
  NormaliserGrad factors_;
  LseVector lse_;  // of the factors
};

}  // namespace infcl
