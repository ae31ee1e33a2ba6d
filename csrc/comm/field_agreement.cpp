#include "comm/field_agreement.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace infcl::comm {

namespace {

// One more wherever the meaning of a record changes. Ranks with different versions of infcl must not go on.
constexpr uint32_t kFormat = 0x1fc10001;

constexpr std::string_view kColon = ": ";

// What a rank is about to do. All records have the same size, also those of other calls.
struct Record {
  uint32_t format = kFormat;
  uint32_t refused = 0;
  char text[504] = "";  // a line for each field, or the refusal
};
static_assert(sizeof(Record) == 512, "all versions of infcl must agree on the bytes of a record");

Record make_record(const std::vector<Field>& fields, const std::string& refusal) {
  Record record;
  std::string text = refusal;
  record.refused = refusal.empty() ? 0 : 1;
  if (refusal.empty())
    for (const Field& field : fields) text += field.name + std::string(kColon) + field.value + "\n";
  std::memcpy(record.text, text.data(), std::min(text.size(), sizeof(record.text) - 1));
  return record;
}

std::vector<std::string_view> lines_of(const Record& record) {
  std::string_view text(record.text);
  std::vector<std::string_view> lines;
  for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.push_back(text.substr(0, end));
  return lines;
}

// A line "values.length: 5" in its two parts.
std::string_view name_of(std::string_view line) { return line.substr(0, line.find(kColon)); }
std::string_view value_of(std::string_view line) {
  const size_t colon = line.find(kColon);
  return colon == std::string_view::npos ? line : line.substr(colon + kColon.size());
}

std::string on_rank(std::string_view line, int rank) {
  return std::string(value_of(line)) + " on rank " + std::to_string(rank);
}

ErrorCode code_of(std::string_view name, const std::vector<Field>& fields) {
  for (const Field& field : fields)
    if (field.name == name) return field.code;
  return ErrorCode::kValue;
}

}  // namespace

void agree_on(Communicator& group, const std::vector<Field>& fields, const std::string& refusal,
              const Control& control) {
  const Record mine = make_record(fields, refusal);
  std::vector<Record> all(static_cast<size_t>(group.size()));
  group.all_gather(&mine, sizeof mine, all.data(), control);
  if (!refusal.empty()) return;
  for (int rank = 0; rank < group.size(); ++rank) {
    Record& record = all[static_cast<size_t>(rank)];
    record.text[sizeof(record.text) - 1] = '\0';
    if (record.format != kFormat)
      throw Error(ErrorCode::kRankFailed, "group",
                  "Expected the same version of infcl on all ranks, but rank " + std::to_string(rank) +
                      " has another one than rank " + std::to_string(group.rank()));
    if (record.refused)
      throw Error(ErrorCode::kRankFailed, "group",
                  "rank " + std::to_string(rank) + " refused its call: " + record.text);
  }
  // Field by field, so that the first field that differs anywhere is the one that is named.
  const std::vector<std::string_view> first = lines_of(all[0]);
  for (size_t i = 0; i < first.size(); ++i)
    for (int rank = 1; rank < group.size(); ++rank) {
      const std::vector<std::string_view> lines = lines_of(all[static_cast<size_t>(rank)]);
      if (i < lines.size() && lines[i] == first[i]) continue;
      const std::string_view name = name_of(first[i]);
      throw Error(code_of(name, fields), "group",
                  "Expected the same " + std::string(name) + " on all ranks but received " +
                      on_rank(first[i], 0) + " and " +
                      on_rank(i < lines.size() ? lines[i] : "nothing", rank));
    }
}

}  // namespace infcl::comm
