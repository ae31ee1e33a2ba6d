// Parts of the PTX grammar that modules and function bodies share.
#pragma once

#include "token_stream.h"

namespace infcl::emulator {

// ".shared .align 16 .b8 name[64] = {...}", up to but without what ends it (; , or )).
// The tokens before ".align" may also be linkage words.
Variable parse_variable(TokenStream& tokens);

// The statements between { and }, braces included.
std::vector<BodyItem> parse_body(TokenStream& tokens);

}  // namespace infcl::emulator
