#include "token_stream.h"

#include <algorithm>
#include <cstring>

namespace infcl::emulator {

OperandSyntax TokenStream::take_number() {
  bool negative = accept("-");
  if (!negative) accept("+");
  if (peek().kind != Token::Kind::kNumber) fail("expected a number");
  std::string text(take().text);
  OperandSyntax number;
  if (text.size() > 1 && text[0] == '0' && std::strchr("fFdD", text[1])) {
    number.kind =
        std::tolower(text[1]) == 'f' ? OperandSyntax::Kind::kFloat32 : OperandSyntax::Kind::kFloat64;
    number.bits = std::stoull(text.substr(2), nullptr, 16);
    if (negative) fail("sign before a hexadecimal float");
  } else if (text.find('.') != std::string::npos) {
    double value = std::stod(text) * (negative ? -1 : 1);
    number.kind = OperandSyntax::Kind::kFloat64;
    std::memcpy(&number.bits, &value, sizeof value);
  } else {
    size_t used = 0;
    number.kind = OperandSyntax::Kind::kInteger;
    number.bits = std::stoull(text, &used, 0);
    if (used < text.size() && text.substr(used) != "U") fail("not a number: " + text);
    if (negative) number.bits = 0 - number.bits;
  }
  return number;
}

int64_t TokenStream::take_integer() {
  OperandSyntax number = take_number();
  if (number.kind != OperandSyntax::Kind::kInteger) fail("expected an integer");
  return static_cast<int64_t>(number.bits);
}

}  // namespace infcl::emulator
