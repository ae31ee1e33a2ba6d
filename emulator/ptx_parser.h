// PTX text to ModuleSyntax. Throws EmulatorError(kInvalidPtx) for whatever it does not know.
#pragma once

#include <string_view>

#include "ptx_syntax.h"

namespace infcl::emulator {

ModuleSyntax parse_ptx(std::string_view text);

}  // namespace infcl::emulator
