#include "core/field_agreement.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace infcl {

namespace {

// One more wherever the meaning of a record or a message changes. Ranks with different versions of infcl must
// not go on.
constexpr uint32_t kFormat = 0x1fc10003;

constexpr std::string_view kColon = ": ";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.push_back(text.substr(0, end));
  return lines;
}

// A line "values.length: 5" in its two parts.
std::string name_of(std::string_view line) { return std::string(line.substr(0, line.find(kColon))); }
std::string value_of(std::string_view line) {
  const size_t colon = line.find(kColon);
  return std::string(colon == std::string_view::npos ? line : line.substr(colon + kColon.size()));
}

std::string on_rank(const std::string& value, size_t rank) {
  return value + " on rank " + std::to_string(rank);
}

}  // namespace

FieldAgreement::Record FieldAgreement::make_record(const std::vector<Field>& fields,
                                                   const std::string& refusal) {
  Record record{kFormat, refusal.empty() ? 0u : 1u, ""};
  std::string text = refusal;
  if (refusal.empty())
    for (const Field& field : fields) text += field.name + std::string(kColon) + field.value + "\n";
  std::memcpy(record.text, text.data(), std::min(text.size(), sizeof record.text - 1));
  return record;
}

FieldAgreement::FieldAgreement(Communicator& group, const std::vector<Field>& fields,
                               const std::string& refusal, const Control& control)
    : fields_(fields), records_(static_cast<size_t>(group.size())) {
  const Record mine = make_record(fields, refusal);
  group.all_gather(&mine, sizeof mine, records_.data(), control);
  for (Record& record : records_) record.text[sizeof record.text - 1] = '\0';
}

ErrorCode FieldAgreement::code_of(const std::string& name) const {
  for (const Field& field : fields_)
    if (field.name == name) return field.code;
  return ErrorCode::kValue;
}

void FieldAgreement::check() const {
  for (size_t rank = 0; rank < records_.size(); ++rank)
    if (records_[rank].refuses)
      throw Error(ErrorCode::kRankFailed, "group",
                  "rank " + std::to_string(rank) + " failed: " + records_[rank].text);
  for (size_t rank = 1; rank < records_.size(); ++rank)
    if (records_[rank].format != records_[0].format)
      throw Error(ErrorCode::kRankFailed, "group",
                  "Expected the same version of infcl on all ranks, but rank " + std::to_string(rank) +
                      " has another one than rank 0");
  // Field by field, so that the first field that differs anywhere is the one that is named. Where the calls
  // differ, later fields are not compared.
  const std::vector<std::string_view> first = lines_of(records_[0].text);
  for (size_t i = 0; i < first.size(); ++i)
    for (size_t rank = 1; rank < records_.size(); ++rank) {
      const std::vector<std::string_view> lines = lines_of(records_[rank].text);
      if (i < lines.size() && lines[i] == first[i]) continue;
      const std::string name = name_of(first[i]), other = i < lines.size() ? value_of(lines[i]) : "nothing";
      throw Error(code_of(name), "group",
                  "Expected the same on all ranks but received " + name + ": " + on_rank(other, rank) + ", " +
                      on_rank(value_of(first[i]), 0));
    }
}

}  // namespace infcl
