#include "store/mapping.h"

#include "core/errors.h"

namespace infcl::store {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kStore, "store", what); }

[[noreturn]] void refuse_changed(const std::string& path, const std::string& how) {
  refuse("The file " + path + " " + how + " while it was open: dispose of the store, and open it again");
}

std::string bytes_text(int64_t from, int64_t to) {
  return "from " + std::to_string(from) + " to " + std::to_string(to) + " bytes";
}

// `content`: whether the time of the last change counts.
void refuse_change(const std::string& path, const FileFacts& before, const FileFacts& now, bool content) {
  if (!is_same_file(before, now)) refuse_changed(path, "was replaced by another file");
  if (now.bytes < before.bytes) refuse_changed(path, "was truncated " + bytes_text(before.bytes, now.bytes));
  if (now.bytes > before.bytes) refuse_changed(path, "grew " + bytes_text(before.bytes, now.bytes));
  if (content && now.modified_ns != before.modified_ns) refuse_changed(path, "was written to");
}

// The facts of the file, if the request fits them.
FileFacts check_request(const File& file, const MappingRequest& r) {
  const FileFacts facts = file.facts();
  if (r.expected) refuse_change(r.path, *r.expected, facts, !r.writable);
  int64_t end = 0;
  const bool fits =
      r.offset >= 0 && r.bytes > 0 && !__builtin_add_overflow(r.offset, r.bytes, &end) && end <= facts.bytes;
  if (!fits)
    refuse("Expected data within the " + std::to_string(facts.bytes) + " bytes of " + r.path +
           " but received " + std::to_string(r.bytes) + " bytes from byte " + std::to_string(r.offset) +
           " on");
  return facts;
}

}  // namespace

Mapping::Mapping(const MappingRequest& r)
    : file_(r.path, r.writable),
      offset_(r.offset),
      bytes_(r.bytes),
      writable_(r.writable),
      facts_(check_request(file_, r)),
      pages_(file_, r.offset, r.bytes, r.writable) {}

void Mapping::check() const {
  const std::optional<FileFacts> now = facts_of(file_.path());
  if (!now) refuse_changed(file_.path(), "was removed or renamed");
  refuse_change(file_.path(), facts_, *now, !writable_);
}

void Mapping::read(int64_t offset, int64_t bytes, void* into) const {
  int64_t end = 0;
  if (offset < 0 || bytes < 0 || __builtin_add_overflow(offset, bytes, &end) || end > bytes_)
    refuse("Expected bytes within the data of " + file_.path());
  check();
  const int64_t got = file_.read(offset_ + offset, bytes, into);
  if (got < bytes) refuse_changed(file_.path(), "was truncated");
  check();
}

}  // namespace infcl::store
