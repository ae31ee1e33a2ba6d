// Function bodies: instructions, labels, declarations and nested scopes.
#include "ptx_declarations.h"

namespace infcl::emulator {
namespace {

std::vector<std::string> split_opcode(const std::string& word) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t dot; (dot = word.find('.', begin)) != std::string::npos; begin = dot + 1)
    parts.push_back(word.substr(begin, dot - begin));
  parts.push_back(word.substr(begin));
  return parts;
}

class BodyParser {
 public:
  explicit BodyParser(TokenStream& tokens) : tokens_(tokens) {}

  std::vector<BodyItem> run() {
    tokens_.expect("{");
    for (int depth = 1; depth > 0;) {
      if (tokens_.accept("{")) {
        depth++;
        add(BodyItem::Kind::kScopeBegin);
      } else if (tokens_.accept("}")) {
        if (--depth > 0) add(BodyItem::Kind::kScopeEnd);
      } else if (tokens_.at_end()) {
        tokens_.fail("function without its closing brace");
      } else {
        parse_item();
      }
    }
    return std::move(items_);
  }

 private:
  BodyItem& add(BodyItem::Kind kind) {
    items_.emplace_back();
    items_.back().kind = kind;
    return items_.back();
  }

  void parse_item() {
    const Token& token = tokens_.peek();
    if (token.is(";")) {
      tokens_.take();
    } else if (token.is(".loc")) {
      parse_location();
    } else if (token.is(".pragma")) {
      while (!tokens_.accept(";")) tokens_.take();
    } else if (token.is(".reg")) {
      parse_registers();
    } else if (token.text[0] == '.') {
      BodyItem& item = add(BodyItem::Kind::kVariable);
      item.variable = parse_variable(tokens_);
      tokens_.expect(";");
    } else if (tokens_.peek(1).is(":")) {
      parse_label();
    } else {
      parse_statement();
    }
  }

  // .loc file line column [, function_name name[+n], inlined_at file line column]
  void parse_location() {
    int line = tokens_.peek().line;
    tokens_.take();
    location_ = {};
    location_.file = static_cast<int>(tokens_.take_integer());
    location_.line = static_cast<int>(tokens_.take_integer());
    while (!tokens_.at_end() && tokens_.peek().line == line) {
      if (!tokens_.take().is("inlined_at")) continue;
      location_.inlined_file = static_cast<int>(tokens_.take_integer());
      location_.inlined_line = static_cast<int>(tokens_.take_integer());
    }
  }

  void parse_registers() {
    tokens_.expect(".reg");
    std::string word = tokens_.take_word();
    auto type = parse_type(std::string_view(word).substr(1));
    if (!type) tokens_.fail("unknown register type " + word);
    BodyItem& item = add(BodyItem::Kind::kRegisters);
    do {
      RegisterDeclaration declaration{*type, tokens_.take_word(), 0};
      if (tokens_.accept("<")) {
        declaration.count = static_cast<int>(tokens_.take_integer());
        tokens_.expect(">");
      }
      item.registers.push_back(declaration);
    } while (tokens_.accept(","));
    tokens_.expect(";");
  }

  void parse_label() {
    std::string name(tokens_.take().text);
    tokens_.expect(":");
    if (!tokens_.accept(".branchtargets")) {
      add(BodyItem::Kind::kLabel).label = name;
      return;
    }
    BodyItem& item = add(BodyItem::Kind::kBranchTargets);
    item.label = name;
    do item.targets.push_back(tokens_.take_word());
    while (tokens_.accept(","));
    tokens_.expect(";");
  }

  void parse_statement() {
    Statement statement;
    statement.location = location_;
    const char* begin = tokens_.peek().text.data();
    if (tokens_.accept("@")) {
      statement.guard_negated = tokens_.accept("!");
      statement.guard = tokens_.take_word();
    }
    std::string opcode = tokens_.take_word();
    statement.opcode = split_opcode(opcode);
    bool first = true;
    while (!tokens_.peek().is(";")) {
      if (!first) tokens_.expect(",");
      first = false;
      statement.operands.push_back(parse_operand());
    }
    statement.text.assign(begin, tokens_.take().text.data());
    add(BodyItem::Kind::kStatement).statement = std::move(statement);
  }

  OperandSyntax parse_operand() {
    if (tokens_.peek().is("[")) return parse_address();
    if (tokens_.accept("{")) return parse_list(OperandSyntax::Kind::kVector, "}");
    if (tokens_.accept("(")) return parse_list(OperandSyntax::Kind::kArguments, ")");
    if (tokens_.peek().kind == Token::Kind::kNumber || tokens_.peek().is("-")) return tokens_.take_number();
    OperandSyntax operand;
    operand.negated = tokens_.accept("!");
    operand.name = tokens_.take_word();
    if (!tokens_.accept("|")) return operand;
    OperandSyntax pair;
    pair.kind = OperandSyntax::Kind::kPair;
    pair.items = {operand, parse_operand()};
    return pair;
  }

  OperandSyntax parse_list(OperandSyntax::Kind kind, std::string_view end) {
    OperandSyntax list;
    list.kind = kind;
    while (!tokens_.accept(end)) {
      list.items.push_back(parse_operand());
      tokens_.accept(",");
    }
    return list;
  }

  OperandSyntax parse_address() {
    tokens_.expect("[");
    OperandSyntax address;
    address.kind = OperandSyntax::Kind::kAddress;
    if (tokens_.peek().kind == Token::Kind::kWord) address.name = tokens_.take_word();
    if (tokens_.accept("+") || tokens_.peek().kind == Token::Kind::kNumber || tokens_.peek().is("-"))
      address.bits = static_cast<uint64_t>(tokens_.take_integer());
    if (tokens_.accept(",")) address.items.push_back(parse_operand());
    tokens_.expect("]");
    return address;
  }

  TokenStream& tokens_;
  std::vector<BodyItem> items_;
  SourceLocation location_;
};

}  // namespace

std::vector<BodyItem> parse_body(TokenStream& tokens) { return BodyParser(tokens).run(); }

}  // namespace infcl::emulator
