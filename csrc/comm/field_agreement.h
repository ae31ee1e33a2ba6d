// Before ranks do something together, each one tells what it is about to do. So ranks that disagree get an
// error that names the field and two of the ranks, instead of wrong results or a wait for messages that
// nobody sends. A disagreement leaves the group usable: all ranks have made the same exchange.
#pragma once

#include <string>
#include <vector>

#include "core/communicator.h"
#include "core/errors.h"

namespace infcl::comm {

// A value that must be the same on all ranks, as text without line breaks.
struct Field {
  std::string name;
  std::string value;
  ErrorCode code;  // of the error where ranks differ
};

// Throws, on all ranks with the same text, the error of the first field that differs. The first fields say
// which call this is; where the calls differ, later fields are not compared.
//
// `refusal`: this rank has found an error in its own call and takes part in nothing but this exchange. The
// function then returns, and the other ranks get the text as an error (kRankFailed). Empty: no error.
void agree_on(Communicator&, const std::vector<Field>&, const std::string& refusal, const Control&);

}  // namespace infcl::comm
