// The floor that the library races: OpenBLAS forms the matrix products of a loss and its gradients, and
// nothing else. There is no exponential, no log-sum-exp and no check, so the results are useless. Panels of
// 2048 queries avoid the M x N array here too. `keys`, by default as many as rows, has a product alone; then
// `panel` says how many queries a panel has.
//
//   openblas-floor rows dim threads forward|frozen|full
//   openblas-floor rows dim threads forward keys panel
//       prints "ready CORE CONFIG" once; then runs a round for each line from stdin and prints the seconds
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
void openblas_set_num_threads(int);
char* openblas_get_config();
char* openblas_get_corename();
}

namespace {

constexpr int64_t kPanelRows = 2048;

struct Problem {
  int64_t rows, keys_rows, panel_rows, dim;
  bool query_grads, key_grads;
  std::vector<float> queries, keys, scores, d_queries, d_keys;
};

std::vector<float> random_rows(int64_t count, uint32_t state) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-35f;
  }
  return out;
}

void form_scores(Problem& p, int64_t first, int64_t count) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, p.keys_rows, p.dim, 1,
              &p.queries[first * p.dim], p.dim, p.keys.data(), p.dim, 0, p.scores.data(), p.keys_rows);
}

// S = Q K^T for the forward pass and again for the backward pass, then dQ = S K and dK += S^T Q.
double round_seconds(Problem& p) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t first = 0; first < p.rows; first += p.panel_rows) {
    const int64_t count = std::min(p.panel_rows, p.rows - first);
    form_scores(p, first, count);
    if (p.query_grads || p.key_grads) form_scores(p, first, count);
    if (p.query_grads)
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, p.dim, p.rows, 1, p.scores.data(), p.rows,
                  p.keys.data(), p.dim, 0, &p.d_queries[first * p.dim], p.dim);
    if (p.key_grads)
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p.rows, p.dim, count, 1, p.scores.data(), p.rows,
                  &p.queries[first * p.dim], p.dim, first > 0, p.d_keys.data(), p.dim);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const bool has_keys = argc == 7 && std::strcmp(argv[4], "forward") == 0;
  if (argc != 5 && !has_keys) {
    std::fprintf(stderr,
                 "usage: openblas-floor rows dim threads forward|frozen|full, or forward keys panel\n");
    return 2;
  }
  Problem p;
  p.rows = std::atoll(argv[1]);
  p.dim = std::atoll(argv[2]);
  p.query_grads = std::strcmp(argv[4], "forward") != 0;
  p.key_grads = std::strcmp(argv[4], "full") == 0;
  p.queries = random_rows(p.rows * p.dim, 1);
  p.keys_rows = has_keys ? std::atoll(argv[5]) : p.rows;
  p.panel_rows = has_keys ? std::atoll(argv[6]) : kPanelRows;
  p.keys = random_rows(p.keys_rows * p.dim, 2);
  p.scores.resize(static_cast<size_t>(std::min(p.panel_rows, p.rows) * p.keys_rows));
  if (p.query_grads) p.d_queries.resize(p.queries.size());
  if (p.key_grads) p.d_keys.resize(p.keys.size());
  openblas_set_num_threads(std::atoi(argv[3]));
  round_seconds(p);  // touches every page and starts the threads
  std::printf("ready %s %s\n", openblas_get_corename(), openblas_get_config());
  std::fflush(stdout);
  char line[256];
  while (std::fgets(line, sizeof line, stdin)) {
    std::printf("%.9f\n", round_seconds(p));
    std::fflush(stdout);
  }
  return 0;
}
