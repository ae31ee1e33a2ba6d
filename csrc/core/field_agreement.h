// Before ranks do something together, each one tells what it is about to do. So ranks that disagree get an
// error that names the field and two of the ranks, instead of wrong results or a wait for messages that
// nobody sends. All calls of a group begin with this exchange, whatever the call is. A disagreement leaves
// the group usable, because all ranks have made the same exchange.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/communicator.h"
#include "core/errors.h"

namespace infcl {

// A value that must be the same on all ranks, as text without line breaks.
struct Field {
  std::string name;
  std::string value;
  ErrorCode code = ErrorCode::kValue;  // of the error where ranks differ
};

// What all ranks are about to do.
class FieldAgreement {
 public:
  // Waits until all ranks have come. The first field says which call this is. `refusal`: this rank has found
  // an error in its own call, and takes part in nothing but this exchange; empty: no error. Throws Error
  // (kAborted, kRankFailed).
  FieldAgreement(Communicator&, const std::vector<Field>&, const std::string& refusal, const Control&);

  // Throws, on all ranks with the same text, the error of a rank that refuses, or of the first field that
  // differs: kRankFailed, or the code of the field.
  void check() const;

 private:
  // All records have the same size, also those of different calls.
  struct Record {
    uint32_t format;
    uint32_t refuses;
    char text[2040];  // a line for each field, or the refusal
  };
  static_assert(sizeof(Record) == 2048, "all versions of infcl must agree on the bytes of a record");
  static Record make_record(const std::vector<Field>&, const std::string& refusal);
  ErrorCode code_of(const std::string& name) const;

  const std::vector<Field> fields_;
  std::vector<Record> records_;  // of each rank
};

}  // namespace infcl
