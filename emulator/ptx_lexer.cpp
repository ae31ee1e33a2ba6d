#include "ptx_lexer.h"

#include <cctype>

#include "types.h"

namespace infcl::emulator {
namespace {

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    while (skip_blanks()) tokens.push_back(next());
    tokens.push_back({Token::Kind::kEnd, text_.substr(text_.size()), line_});
    return tokens;
  }

 private:
  bool starts_with(std::string_view s) const { return text_.substr(at_, s.size()) == s; }

  bool skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') {
        line_++;
        at_++;
      } else if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
        at_++;
      } else if (starts_with("//")) {
        while (at_ < text_.size() && text_[at_] != '\n') at_++;
      } else if (starts_with("/*")) {
        while (at_ < text_.size() && !starts_with("*/")) line_ += text_[at_++] == '\n';
        at_ += 2;
      } else {
        return true;
      }
    }
    return false;
  }

  Token next() {
    size_t begin = at_;
    char c = text_[at_];
    if (c == '"') {
      at_ = text_.find('"', at_ + 1);
      if (at_ == std::string_view::npos)
        throw EmulatorError(Fault::kInvalidPtx, "unterminated string in PTX");
      at_++;
      return {Token::Kind::kString, text_.substr(begin, at_ - begin), line_};
    }
    if (!is_word_char(c)) {
      at_++;
      return {Token::Kind::kPunctuation, text_.substr(begin, 1), line_};
    }
    while (at_ < text_.size()) {
      if (is_word_char(text_[at_]))
        at_++;
      else if (starts_with("::"))
        at_ += 2;
      else
        break;
    }
    auto kind = std::isdigit(static_cast<unsigned char>(c)) ? Token::Kind::kNumber : Token::Kind::kWord;
    return {kind, text_.substr(begin, at_ - begin), line_};
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace infcl::emulator
