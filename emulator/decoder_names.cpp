// Decoder: what names stand for.
#include <algorithm>

#include "decoder.h"

namespace infcl::emulator {
namespace {

using S = SpecialRegister;

const std::map<std::string, SpecialRegister, std::less<>>& special_registers() {
  static const std::map<std::string, SpecialRegister, std::less<>> names = {
      {"%tid.x", S::kTidX},
      {"%tid.y", S::kTidY},
      {"%tid.z", S::kTidZ},
      {"%ctaid.x", S::kCtaidX},
      {"%ctaid.y", S::kCtaidY},
      {"%ctaid.z", S::kCtaidZ},
      {"%ntid.x", S::kNtidX},
      {"%ntid.y", S::kNtidY},
      {"%ntid.z", S::kNtidZ},
      {"%nctaid.x", S::kNctaidX},
      {"%nctaid.y", S::kNctaidY},
      {"%nctaid.z", S::kNctaidZ},
      {"%laneid", S::kLaneId},
      {"%warpid", S::kWarpId},
      {"%nwarpid", S::kWarpCount},
      {"%smid", S::kMultiprocessorId},
      {"%gridid", S::kGridId},
      {"%dynamic_smem_size", S::kDynamicSharedSize},
      {"%total_smem_size", S::kTotalSharedSize},
      {"%lanemask_eq", S::kLanemaskEq},
      {"%lanemask_lt", S::kLanemaskLt},
      {"%lanemask_le", S::kLanemaskLe},
      {"%lanemask_gt", S::kLanemaskGt},
      {"%lanemask_ge", S::kLanemaskGe},
      {"%cluster_ctaid.x", S::kClusterCtaidX},
      {"%cluster_ctaid.y", S::kClusterCtaidY},
      {"%cluster_ctaid.z", S::kClusterCtaidZ},
      {"%cluster_nctaid.x", S::kClusterNctaidX},
      {"%cluster_nctaid.y", S::kClusterNctaidY},
      {"%cluster_nctaid.z", S::kClusterNctaidZ},
      {"%cluster_ctarank", S::kClusterCtaRank},
      {"%cluster_nctarank", S::kClusterNctaRank},
      {"%clusterid.x", S::kClusteridX},
      {"%clusterid.y", S::kClusteridY},
      {"%clusterid.z", S::kClusteridZ},
      {"%nclusterid.x", S::kNclusteridX},
      {"%nclusterid.y", S::kNclusteridY},
      {"%nclusterid.z", S::kNclusteridZ},
  };
  return names;
}

}  // namespace

const RegisterSlot* Decoder::find_register(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    auto found = scope->registers.find(name);
    if (found != scope->registers.end()) return &found->second;
  }
  return nullptr;
}

const Symbol* Decoder::find_symbol(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    auto found = scope->symbols.find(name);
    if (found != scope->symbols.end()) return &found->second;
  }
  auto global = globals_.find(name);
  if (global != globals_.end()) return &global->second;
  for (const Variable& v : module_.variables)  // shared memory of the module: only what a kernel names counts
    if (v.name == name && v.space == Space::kShared)
      return &(scopes_.front().symbols[name] = place_shared(v));
  return nullptr;
}

uint32_t Decoder::constant(uint64_t bits, uint8_t width) {
  if (width < 8 && width > 0) bits &= (uint64_t{1} << (width * 8)) - 1;
  auto [entry, is_new] = constants_.try_emplace({bits, width}, 0);
  if (is_new) {
    entry->second = allocate_register(width);
    kernel_.constants.push_back({entry->second, width, bits});
  }
  return entry->second;
}

uint32_t Decoder::symbol_address(const Symbol& symbol, uint8_t width) {
  if (symbol.space != Space::kShared) return constant(symbol.address, width);
  uint32_t offset = allocate_register(width);
  if (symbol.is_dynamic_shared)  // its value is known when all static shared memory is
    dynamic_shared_constants_.push_back(kernel_.constants.size());
  kernel_.constants.push_back({offset, width, symbol.address, true});
  return offset;
}

uint32_t Decoder::special(const std::string& name) {
  auto found = special_registers().find(name);
  if (found == special_registers().end()) return kNoRegister;
  for (const SpecialSlot& slot : kernel_.specials)
    if (slot.which == found->second) return slot.offset;
  kernel_.specials.push_back({allocate_register(4), found->second});
  return kernel_.specials.back().offset;
}

void Decoder::refer_to_label(const std::string& label) {
  scopes_.back().label_uses.emplace_back(kernel_.code.size() - 1, label);
}

void Decoder::refer_to_branch_table(const std::string& label) {
  scopes_.back().table_uses.emplace_back(kernel_.code.size() - 1, label);
}

// Names resolve in the innermost scope that has them: what this one lacks is left to the one around it.
void Decoder::close_scope() {
  Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  auto hand_over = [&](auto uses, const std::string& label) {
    if (scopes_.empty())
      throw EmulatorError(Fault::kInvalidPtx, "no label " + label + " in " + function_->name);
    (scopes_.back().*uses).push_back((scope.*uses).front());
  };
  for (; !scope.label_uses.empty(); scope.label_uses.erase(scope.label_uses.begin())) {
    auto [instruction, label] = scope.label_uses.front();
    auto found = scope.labels.find(label);
    if (found == scope.labels.end())
      hand_over(&Scope::label_uses, label);
    else
      kernel_.code[instruction].target = found->second;
  }
  for (; !scope.table_uses.empty(); scope.table_uses.erase(scope.table_uses.begin())) {
    auto [instruction, label] = scope.table_uses.front();
    auto found = scope.tables.find(label);
    if (found == scope.tables.end())
      hand_over(&Scope::table_uses, label);
    else
      kernel_.code[instruction].target = resolve_branch_table(scope, found->second);
  }
}

int32_t Decoder::resolve_branch_table(const Scope& scope, const std::vector<std::string>& labels) {
  std::vector<int32_t> targets;
  for (const std::string& label : labels) {
    auto found = scope.labels.find(label);
    if (found == scope.labels.end())
      throw EmulatorError(Fault::kInvalidPtx, "branch table names no label of its scope: " + label);
    targets.push_back(found->second);
  }
  kernel_.branch_tables.push_back(std::move(targets));
  return static_cast<int32_t>(kernel_.branch_tables.size()) - 1;
}

const FunctionSyntax& Decoder::find_function(const std::string& name) const {
  for (const FunctionSyntax& f : module_.functions)
    if (f.name == name && f.has_body) return f;
  throw EmulatorError(Fault::kInvalidPtx, "call of a function without a body: " + name);
}

void Decoder::call(const std::string& function, std::vector<Symbol> results, std::vector<Symbol> arguments) {
  kernel_.code.back().control = Control::kCall;
  calls_.push_back({kernel_.code.size() - 1, function, std::move(results), std::move(arguments)});
}

void Decoder::return_from_function() {
  kernel_.code.back().control = function_->is_entry ? Control::kExit : Control::kReturn;
}

void Decoder::link_calls() {
  for (const PendingCall& call : calls_) {
    const Frame& frame = frames_.at(call.function);
    if (call.arguments.size() != frame.parameters.size() || call.results.size() != frame.results.size())
      throw EmulatorError(Fault::kInvalidPtx, "call and function disagree: " + call.function);
    std::vector<ParameterCopy> in, out;
    for (size_t i = 0; i < call.arguments.size(); i++)
      in.push_back({call.arguments[i].address, frame.parameters[i].address, frame.parameters[i].bytes});
    for (size_t i = 0; i < call.results.size(); i++)
      out.push_back({frame.results[i].address, call.results[i].address, frame.results[i].bytes});
    Instruction& instruction = kernel_.code[call.instruction];
    instruction.target = frame.begin;
    instruction.immediate = static_cast<int64_t>(kernel_.call_copies.size());
    kernel_.call_copies.push_back(std::move(in));
    kernel_.return_copies.push_back(std::move(out));
  }
}

std::string Kernel::describe(size_t instruction) const {
  const SourceLocation& at = code[instruction].location;
  auto name = [&](int file, int line) {
    size_t i = static_cast<size_t>(file);
    return (i < files.size() && !files[i].empty() ? files[i] : "?") + ":" + std::to_string(line);
  };
  std::string where = at.file ? name(at.file, at.line) : "no line";
  if (at.inlined_file) where += " (inlined at " + name(at.inlined_file, at.inlined_line) + ")";
  return where + ": " + text[instruction];
}

}  // namespace infcl::emulator
