// While slabs are computed with, the next ones are copied: read off the order in which an emulator was given
// work on two streams and waited for it.
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "core/backends.h"
#include "emulator_log.h"
#include "engine_cases.h"

using emulator::Line;

namespace {

class Log {
 public:
  explicit Log(std::vector<Line> lines) : lines_(std::move(lines)) {
    for (const Line& line : lines_) {
      const bool computes = line.what == "launch" && line.subject.rfind("scores_", 0) == 0;
      if (computes) work_ = line.stream;
      if (line.what == "launch" && line.subject.rfind("split", 0) == 0) copies_ = line.stream;
    }
  }
  const std::string& work() const { return work_; }
  const std::string& copies() const { return copies_; }

  // The work waits for copies: the line where the first of these copies was given, or -1 if there was none.
  int first_copy(int wait) const {
    int record = wait;
    while (record >= 0 && !(lines_[record].what == "record" && lines_[record].stream == copies_ &&
                            lines_[record].subject == lines_[wait].subject))
      --record;
    int first = -1;
    for (int at = record - 1; at >= 0; --at) {
      const Line& line = lines_[at];
      if (line.stream != copies_ || line.what == "await") continue;
      // The copies into a slot begin with a wait for the last user of the slot.
      if (line.what == "wait for") return first;
      if (line.what.rfind("copy", 0) == 0) first = at;
    }
    return first;
  }

  // The last launch of a product before a line, or -1.
  int last_product(int before) const {
    for (int at = before - 1; at >= 0; --at)
      if (lines_[at].what == "launch" && lines_[at].stream == work_ &&
          (lines_[at].subject.rfind("scores_", 0) == 0 || lines_[at].subject.rfind("accumulate", 0) == 0))
        return at;
    return -1;
  }

  // When the host first knew that a launch had ended.
  int known_done(int launch) const {
    for (int at = launch + 1; at < size(); ++at) {
      if (lines_[at].what != "await" || lines_[at].stream != work_) continue;
      if (lines_[at].subject == "all") return at;
      for (int record = at; record > launch; --record)
        if (lines_[record].what == "record" && lines_[record].stream == work_ &&
            lines_[record].subject == lines_[at].subject)
          return at;
    }
    return size();
  }

  int size() const { return static_cast<int>(lines_.size()); }
  const Line& at(int i) const { return lines_[i]; }

 private:
  std::vector<Line> lines_;
  std::string work_, copies_;
};

struct Count {
  int slabs = 0, overlapped = 0;
  int ahead = 0;  // given between the launches of what came before
};

Count count(const Log& log) {
  Count n;
  for (int i = 0; i < log.size(); ++i) {
    if (log.at(i).what != "wait for" || log.at(i).stream != log.work()) continue;
    const int product = log.last_product(i), copy = log.first_copy(i);
    if (product < 0 || copy < 0) continue;  // before all work; or nothing to copy
    ++n.slabs;
    if (copy < log.known_done(product)) ++n.overlapped;
    if (copy < product) ++n.ahead;
  }
  return n;
}

Count run_with(int64_t workspace) {
  cases::Case c{"overlap", cases::request(cases::ObjectiveKind::kInfoNce, 10), 900, 1100, 64};
  const std::vector<int32_t> labels(900, 5);
  c.request.labels = labels.data();
  const cases::Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.workspace_bytes = workspace;
  const auto backend = infcl::make_cuda_backend(0, {});
  emulator::reset();
  const cases::Run run = cases::run(*backend, r);
  const Log log(emulator::work());
  CHECK(run.result.stats.slabs >= 3, "%ld slabs", static_cast<long>(run.result.stats.slabs));
  CHECK(!log.copies().empty() && log.work() != log.copies(), "two streams");
  const Count n = count(log);
  // The first visit of a pass has nothing to run beside.
  CHECK(n.slabs > 10 && n.overlapped >= n.slabs - 4, "%d of %d slabs came beside work", n.overlapped,
        n.slabs);
  return n;
}

}  // namespace

int main() {
  if (!emulator::is_there()) {
    std::printf("SKIPPED cuda_overlap_test: INFCL_CUDA_LIBRARY names no emulator\n");
    return 77;
  }
  for (const int64_t workspace : {1000 << 10, 1400 << 10}) {
    const Count n = run_with(workspace);
    // Where several slabs are held, the next one has their visits to come in.
    CHECK(4 * n.ahead > n.slabs, "%d of %d slabs came between launches", n.ahead, n.slabs);
    std::printf("%d slabs: %d beside work, %d between launches\n", n.slabs, n.overlapped, n.ahead);
  }
  return check::summary();
}
