// Logits of every size that float32 holds, on every instruction set: right, or refused.
#include <string>

#include "check.h"
#include "cpu_engine.h"
#include "large_logit_checks.h"

namespace {

// A call for the loss alone has the same loss.
void check_loss_alone(Engine& e, const large::Problem& p) {
  const double loss = run(e, p.request, 2, 0).result.loss;
  CHECK(infcl::contrastive(p.request, *e.backend).loss == loss, "%s %s", e.isa.c_str(), p.name.c_str());
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    const cases::Solver s{isa, [&](const infcl::ContrastiveRequest& r) { return run(e, r, 2, 0); }};
    large::visit([&](const large::Problem& p) {
      large::against_oracle(s, p);
      check_loss_alone(e, p);
    });
    // a dot of 64 products and a logit
    large::check_all(s, {0x1p-22, 20});
  }
  return check::summary();
}
