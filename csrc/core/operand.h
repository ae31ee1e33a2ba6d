// Names of the matrices of a call, and the one answer of all backends to features that are not finite.
#pragma once

#include <cstdint>
#include <string>

#include "core/errors.h"
#include "core/objective.h"

namespace infcl {

enum class Operand {
  kQueries,
  kKeys,
  kHardNegatives,
  kGuideQueries,
  kGuideKeys,
  kGuideHardNegatives,
  kTeacherQueries,
  kTeacherKeys
};

constexpr int kOperandCount = 8;
constexpr Operand kOperands[kOperandCount] = {Operand::kQueries,        Operand::kKeys,
                                              Operand::kHardNegatives,  Operand::kGuideQueries,
                                              Operand::kGuideKeys,      Operand::kGuideHardNegatives,
                                              Operand::kTeacherQueries, Operand::kTeacherKeys};

constexpr Operand operand_of(Side s) { return s == Side::kQueries ? Operand::kQueries : Operand::kKeys; }

// The option that users know it by.
constexpr const char* name_of(Operand o) {
  constexpr const char* names[kOperandCount] = {"queries",
                                                "keys",
                                                "hardNegatives.keys",
                                                "options.guide.queries",
                                                "options.guide.keys",
                                                "options.guide.hardNegatives",
                                                "options.teacher.queries",
                                                "options.teacher.keys"};
  return names[static_cast<int>(o)];
}

// The least sum of squares that a row counts with: float32 loses the squares of shorter rows.
constexpr double kLeastSquares = 1e-36;

// `element` counts features from the first row on.
[[noreturn]] inline void throw_not_finite(Operand o, int64_t element, int64_t dim) {
  throw Error(ErrorCode::kNotFinite, "input",
              std::string("Expected finite values for ") + name_of(o) +
                  " but received NaN or Infinity at row " + std::to_string(element / dim) + ", column " +
                  std::to_string(element % dim));
}

}  // namespace infcl
