// Compared dots come from one product, on every instruction set: exact copies of a positive are neither
// beyond its limit nor ahead of it, whatever the number of features and their type.
#include <cmath>
#include <cstring>
#include <string>

#include "check.h"
#include "cpu_engine.h"
#include "tie_checks.h"

using cases::Case;
using cases::Matrix;
using cases::Run;

namespace {

// Hard negatives are rounded as the rest is: the loss is that of the rounded problem.
void test_rounded_hard_negatives(Engine& e) {
  const int64_t rows = 200, dim = 64, per_query = 4;
  const Matrix q = cases::random_matrix(rows, dim, 1, infcl::DType::kFloat32),
               k = cases::random_matrix(rows, dim, 2, infcl::DType::kFloat32),
               hard = cases::random_matrix(rows * per_query, dim, 3, infcl::DType::kFloat32);
  infcl::ContrastiveRequest r = cases::request(cases::ObjectiveKind::kInfoNce, 20);
  r.bfloat16 = true;
  r.hard_negatives_per_query = per_query;
  const auto with = [&](const Matrix& a, const Matrix& b, const Matrix& c) {
    infcl::ContrastiveRequest whole = r;
    whole.queries = a.view();
    whole.keys = b.view();
    whole.hard_negatives = c.view();
    return run(e, whole, 1, 0).result;
  };
  const auto rounded = [](const Matrix& m) {
    Matrix out{m.wide, {}, infcl::DType::kFloat32};
    for (float& v : out.wide.data) {
      uint32_t bits;
      std::memcpy(&bits, &v, sizeof bits);
      bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
      std::memcpy(&v, &bits, sizeof v);
    }
    return out;
  };
  const infcl::ContrastiveResult got = with(q, k, hard);
  if (got.stats.isa == e.isa) return;  // without bfloat16 products nothing is rounded
  const double right = with(rounded(q), rounded(k), rounded(hard)).loss;
  CHECK(got.loss == right, "%s: %.9g, of rounded features %.9g", got.stats.isa.c_str(), got.loss, right);
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    cases::check_ties({isa, [&](const infcl::ContrastiveRequest& r) { return run(e, r, 2, 0); }});
    test_rounded_hard_negatives(e);
  }
  return check::summary();
}
