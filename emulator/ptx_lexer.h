// Cuts PTX text into tokens. Words keep their dots ("ld.global.f32", "%tid.x", "shared::cta").
#pragma once

#include <string_view>
#include <vector>

namespace infcl::emulator {

struct Token {
  enum class Kind { kWord, kNumber, kString, kPunctuation, kEnd };
  Kind kind;
  std::string_view text;  // into the text given to tokenize
  int line;

  bool is(std::string_view wanted) const { return kind != Kind::kString && text == wanted; }
};

std::vector<Token> tokenize(std::string_view text);

}  // namespace infcl::emulator
