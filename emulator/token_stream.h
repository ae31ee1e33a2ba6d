// A cursor over tokens, and numbers in PTX's notations.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ptx_lexer.h"
#include "ptx_syntax.h"

namespace infcl::emulator {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) at_++;
    return token;
  }
  bool accept(std::string_view text) {
    if (!peek().is(text)) return false;
    take();
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail("expected '" + std::string(text) + "'");
  }
  bool at_end() const { return peek().kind == Token::Kind::kEnd; }
  std::string take_word() {
    if (peek().kind != Token::Kind::kWord) fail("expected a name");
    return std::string(take().text);
  }
  int64_t take_integer();
  OperandSyntax take_number();  // integer, 0f..., 0d... or decimal, with an optional sign
  void skip_line(int line) {
    while (!at_end() && peek().line == line) take();
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw EmulatorError(Fault::kInvalidPtx, "PTX line " + std::to_string(peek().line) + ": " + why + " at '" +
                                                std::string(peek().text) + "'");
  }

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace infcl::emulator
