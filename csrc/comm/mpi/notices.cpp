#include "comm/mpi/notices.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace infcl::mpi {

Notice Notice::failed(int rank, const std::string& text) {
  Notice notice;
  notice.kind = NoticeKind::kFailed;
  notice.rank = rank;
  std::memcpy(notice.text, text.data(), std::min(text.size(), sizeof(notice.text) - 1));
  return notice;
}

void Notices::listen() {
  listening_ = wire_.receive(incoming_.get(), sizeof(Notice), Wire::kAnyRank, Stream::kNotices);
}

void Notices::send(const Notice& notice, int to) {
  auto copy = std::make_unique<Notice>(notice);
  const int message = wire_.send(copy.get(), sizeof(Notice), to, Stream::kNotices);
  sent_.push_back({std::move(copy), message});
}

void Notices::send_to_others(const Notice& notice) {
  for (int rank = 0; rank < wire_.size(); ++rank)
    if (rank != wire_.rank()) send(notice, rank);
}

bool Notices::all_sent() {
  const auto has_left = [this](const Sent& sent) { return wire_.done(sent.message); };
  sent_.erase(std::remove_if(sent_.begin(), sent_.end(), has_left), sent_.end());
  return sent_.empty();
}

std::optional<Notice> Notices::receive() {
  all_sent();
  if (!wire_.done(listening_)) return std::nullopt;
  Notice notice = *incoming_;
  notice.text[sizeof(notice.text) - 1] = '\0';
  listen();
  return notice;
}

void Notices::close() {
  send(Notice{}, wire_.rank());
  bool received = false;
  while (!received || !all_sent()) received = received || wire_.done(listening_);
}

}  // namespace infcl::mpi
