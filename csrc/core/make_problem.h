// The request as a backend knows it: matrices by their names, similarities, and how to spend memory and
// threads.
#pragma once

#include "core/backend.h"
#include "core/request.h"

namespace infcl {

Problem make_problem(const ContrastiveRequest&);

// Features of a guide or a teacher, by the operand's name.
const MatrixView& frozen_view(const ContrastiveRequest&, Operand);

}  // namespace infcl
