// Prints how busy the CPU backend keeps many threads, by a simulation with costs measured on this machine.
//
//   schedule [features of a row, by default 256]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "call.h"
#include "cpu/isa_dispatch.h"
#include "measure.h"

namespace {

using infcl::ObjectiveKind;
using schedule::Call;
using schedule::Costs;
using schedule::Times;

constexpr int64_t kRows[] = {4096, 8192, 32768, 65536};
constexpr int kThreads[] = {1, 2, 4, 8, 16, 32, 64, 128};

struct Kind {
  const char* name;
  ObjectiveKind kind;
};
constexpr Kind kKinds[] = {{"clip", ObjectiveKind::kClip},
                           {"ntxent", ObjectiveKind::kNtXent},
                           {"supcon", ObjectiveKind::kSupCon},
                           {"infonce", ObjectiveKind::kInfoNce},
                           {"siglip", ObjectiveKind::kSigLip}};

void print_costs(const Call& call, const Costs& c) {
  std::printf(
      "  costs at B = %ld. ns of a pair: scores %.3f, fold %.3f, G %.3f (kept scores %.3f), d_rows %.3f, "
      "d_columns %.3f\n",
      static_cast<long>(call.rows), 1e9 * c.scores, 1e9 * c.fold, 1e9 * c.logit_grad, 1e9 * c.logit_grad_kept,
      1e9 * c.row_gradient, 1e9 * c.column_gradient);
  std::printf(
      "  ns of a row: packing %.0f, %.0f and %.0f, check %.0f, merge %.1f, close %.0f, finish %.0f; "
      "start and end of threads %.1f us\n",
      1e9 * c.pack_panels, 1e9 * c.pack_transposed, 1e9 * c.pack_values, 1e9 * c.find_not_finite,
      1e9 * c.merge, 1e9 * c.close, 1e9 * c.finish, 1e6 * c.barrier);
}

// How much of the time threads work; and the time of one thread, divided by the time of T threads and by T.
// The second is lower where T threads leave less memory for scores that stay, and so multiply more.
void print_row(const Call& base, const infcl::cpu::Kernels& k) {
  const Costs costs = schedule::measure(base, k);
  double alone = 0;
  std::string line;
  char text[64];
  Times last;
  for (const int threads : kThreads) {
    Call call = base;
    call.threads = threads;
    last = schedule::simulate(call, costs, k);
    if (threads == 1) alone = last.wall;
    std::snprintf(text, sizeof text, " %.2f (%.2f) |", last.work / (last.wall * threads),
                  alone / (last.wall * threads));
    line += text;
  }
  std::printf("| %ld |%s %.1f ms | %.1f s |\n", static_cast<long>(base.rows), line.c_str(),
              1e3 * last.critical, alone);
  print_costs(base, costs);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t dim = argc > 1 ? std::atoll(argv[1]) : 256;
  if (argc > 2 || dim < 1) {
    std::fprintf(stderr, "usage: schedule [features of a row, by default 256]\n");
    return 2;
  }
  const infcl::cpu::Kernels& k = infcl::cpu::select_kernels("", false);
  std::printf("%s, D = %ld, default workspace\n", k.isa, static_cast<long>(dim));
  for (const Kind& kind : kKinds) {
    std::printf("\n%s\n| B | T = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | critical path | one thread |\n",
                kind.name);
    for (const int64_t rows : kRows) print_row({kind.kind, rows, dim, 1, 0}, k);
    std::fflush(stdout);
  }
  return 0;
}
