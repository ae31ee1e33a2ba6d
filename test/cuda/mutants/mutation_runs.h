// Small launches of every kernel for mutants to fail in: ragged edges, several tiles, depths that go around
// the ring of stages twice, and every rule.
#pragma once

#include <string>
#include <vector>

namespace mutation {

// What a run computed. Two results are the same if they differ by no more than the tolerance, which is no
// less than twice that of the kernels' own tests against dense loops: a mutant that deviates more fails
// there, too.
struct Output {
  std::string name;
  std::vector<double> values;
  double relative = 0, absolute = 0;
};
using Outputs = std::vector<Output>;
using Run = Outputs (*)();

Outputs forward_plain();    // labels
Outputs forward_deep();     // twice around the ring of sm_90, which is longer
Outputs forward_general();  // and ids, limits, smoothing
Outputs forward_classes();
Outputs forward_steep();  // logits so far apart that rows and columns need shifts of their own
Outputs forward_huge();   // logits of which a float holds no fraction, dots without rounding
Outputs forward_one_plane();
Outputs forward_sigmoid();
Outputs forward_sigmoid_exact();  // dots without rounding
Outputs forward_triangle();
Outputs backward_plain();
Outputs backward_deep();
Outputs backward_one_tile();  // of rows: a block without a neighbour
Outputs backward_general();
Outputs backward_classes();
Outputs backward_steep();  // normalisers so far apart that each needs an exponential of its own
Outputs backward_sigmoid();
Outputs backward_triangle();
Outputs backward_filter();  // which tiles the filter skips
Outputs sums_of_tiles();
Outputs sums_of_triangle();
Outputs accumulate_block();  // added to what was there
Outputs accumulate_wide();   // two tiles of features, and two boxes of the second
Outputs accumulate_over();   // in place of it
Outputs accumulate_triangle();
Outputs accumulate_skipping();  // some tiles of G skipped
Outputs split_float32();
Outputs split_float16();
Outputs pair_rows();
// In memory of more than 2^31 elements, of which little is ever touched.
Outputs scores_beyond_32_bits();
Outputs gradients_beyond_32_bits();
Outputs rows_beyond_32_bits();
Outputs columns_beyond_32_bits();
Outputs split_beyond_32_bits();
Outputs dots_beyond_32_bits();
Outputs pairs_beyond_32_bits();

// "" if they are the same, else where they differ most.
std::string difference(const Outputs& got, const Outputs& want);

}  // namespace mutation
