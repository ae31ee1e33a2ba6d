#include "ptx_parser.h"

#include <cstring>

#include "ptx_declarations.h"

namespace infcl::emulator {
namespace {

Space parse_variable_space(TokenStream& tokens) {
  std::string word = tokens.take_word();
  if (word == ".shared") return Space::kShared;
  if (word == ".global") return Space::kGlobal;
  if (word == ".const") return Space::kConst;
  if (word == ".local") return Space::kLocal;
  if (word == ".param") return Space::kParam;
  tokens.fail("unknown state space " + word);
}

void parse_initialiser(TokenStream& tokens, Variable& variable) {
  size_t width = type_bytes(variable.type);
  auto append = [&] {
    OperandSyntax number = tokens.take_number();
    size_t at = variable.initial.size();
    variable.initial.resize(at + width);
    std::memcpy(variable.initial.data() + at, &number.bits, width);
  };
  if (tokens.accept("{")) {
    do append();
    while (tokens.accept(","));
    tokens.expect("}");
  } else {
    append();
  }
  if (variable.initial.size() > variable.bytes) tokens.fail("initialiser longer than its variable");
  variable.initial.resize(variable.bytes);
}

class ModuleParser {
 public:
  explicit ModuleParser(std::string_view text) : tokens_(tokenize(text)) {}

  ModuleSyntax run() {
    while (!tokens_.at_end()) parse_item();
    return std::move(module_);
  }

 private:
  void parse_item() {
    const std::string word(tokens_.peek().text);
    const int line = tokens_.peek().line;
    if (word == ".version" || word == ".address_size") {
      tokens_.skip_line(line);
    } else if (word == ".target") {
      tokens_.take();
      module_.target = tokens_.take_word();
      tokens_.skip_line(line);
    } else if (word == ".file") {
      parse_file();
    } else if (word == ".section") {
      while (!tokens_.accept("{")) tokens_.take();
      while (!tokens_.accept("}")) tokens_.take();
    } else if (word == ".alias" || word == ".pragma") {
      tokens_.fail("directive not modelled");
    } else {
      parse_declaration();
    }
  }

  void parse_file() {
    tokens_.take();
    int index = static_cast<int>(tokens_.take_integer());
    std::string path(tokens_.take().text);
    if (path.size() > 1) path = path.substr(1, path.size() - 2);
    module_.files[index] = path.substr(path.find_last_of('/') + 1);
    while (tokens_.accept(",")) tokens_.take_integer();
  }

  void parse_declaration() {
    bool is_extern = false;
    for (;; tokens_.take()) {
      const Token& token = tokens_.peek();
      if (token.is(".extern"))
        is_extern = true;
      else if (!token.is(".visible") && !token.is(".weak") && !token.is(".common"))
        break;
    }
    if (tokens_.peek().is(".entry") || tokens_.peek().is(".func")) {
      parse_function();
      return;
    }
    Variable variable = parse_variable(tokens_);
    variable.is_extern = is_extern;
    tokens_.expect(";");
    module_.variables.push_back(variable);
  }

  std::vector<Variable> parse_parameters() {
    std::vector<Variable> parameters;
    tokens_.expect("(");
    while (!tokens_.accept(")")) {
      parameters.push_back(parse_variable(tokens_));
      tokens_.accept(",");
    }
    return parameters;
  }

  void parse_function() {
    FunctionSyntax function;
    function.is_entry = tokens_.take().is(".entry");
    if (tokens_.peek().is("(")) function.results = parse_parameters();
    function.name = tokens_.take_word();
    if (tokens_.peek().is("(")) function.parameters = parse_parameters();
    parse_performance_directives(function);
    if (!tokens_.accept(";")) {
      function.has_body = true;
      function.body = parse_body(tokens_);
    }
    module_.functions.push_back(std::move(function));
  }

  void parse_dimensions(uint32_t (&out)[3]) {
    for (uint32_t& n : out) n = 1;
    size_t i = 0;
    do out[i++] = static_cast<uint32_t>(tokens_.take_integer());
    while (i < 3 && tokens_.accept(","));
  }

  void parse_performance_directives(FunctionSyntax& function) {
    while (tokens_.peek().kind == Token::Kind::kWord) {
      std::string word = tokens_.take_word();
      uint32_t dims[3];
      if (word == ".maxntid" || word == ".reqntid") {
        parse_dimensions(dims);
        function.max_threads = dims[0] * dims[1] * dims[2];
      } else if (word == ".reqnctapercluster") {
        parse_dimensions(function.cluster);
        function.requires_cluster = true;
      } else if (word == ".minnctapersm" || word == ".maxnreg" || word == ".maxclusterrank") {
        tokens_.take_integer();
      } else if (word != ".explicitcluster" && word != ".noreturn") {
        tokens_.fail("unknown directive " + word);
      }
    }
  }

  TokenStream tokens_;
  ModuleSyntax module_;
};

}  // namespace

Variable parse_variable(TokenStream& tokens) {
  Variable variable;
  variable.space = parse_variable_space(tokens);
  for (;;) {
    if (tokens.accept(".align")) {
      variable.align = static_cast<size_t>(tokens.take_integer());
    } else if (tokens.accept(".ptr")) {  // attributes of a pointer parameter
      while (tokens.peek().is(".global") || tokens.peek().is(".shared") || tokens.peek().is(".const") ||
             tokens.peek().is(".local"))
        tokens.take();
      if (tokens.accept(".align")) tokens.take_integer();
    } else if (tokens.peek().text[0] == '.') {
      std::string word(tokens.take_word());
      auto type = parse_type(std::string_view(word).substr(1));
      if (!type) tokens.fail("unknown variable attribute " + word);
      variable.type = *type;
      variable.align = std::max(variable.align, type_bytes(*type));
    } else {
      break;
    }
  }
  variable.name = tokens.take_word();
  variable.bytes = type_bytes(variable.type);
  while (tokens.accept("[")) {
    variable.bytes *= tokens.peek().is("]") ? 0 : static_cast<size_t>(tokens.take_integer());
    tokens.expect("]");
  }
  if (tokens.accept("=")) parse_initialiser(tokens, variable);
  return variable;
}

ModuleSyntax parse_ptx(std::string_view text) { return ModuleParser(text).run(); }

}  // namespace infcl::emulator
