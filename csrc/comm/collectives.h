// Sums, copies and collections of arrays over all ranks, over any communicator. Every rank makes the same
// call with the same sizes: core/field_agreement.h finds out before.
//
// Each rank sends and receives about 2 (n - 1) / n times the bytes of a sum or a copy, whatever the number of
// ranks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/communicator.h"

namespace infcl::comm {

enum class Element { kFloat32, kFloat64, kInt32, kUint8 };
enum class Reduction { kSum, kMin, kMax };

constexpr size_t element_size(Element e) { return e == Element::kFloat64 ? 8 : e == Element::kUint8 ? 1 : 4; }

// Replaces the values of all ranks by their sum, minimum or maximum, element by element. One rank computes an
// element, in the order of ranks, so all ranks have the same bits. Sums of float32 are made in float64 and
// rounded once; sums of integers wrap around. NaN on one rank is NaN on all.
void all_reduce(Communicator&, Element, Reduction, void* values, int64_t count, const Control&);

// Replaces the bytes of all ranks by those of `root`.
void broadcast(Communicator&, int root, void* values, size_t bytes, const Control&);

// Puts the bytes of rank r at all + r * bytes.
void all_gather_large(Communicator&, const void* mine, size_t bytes, void* all, const Control&);

}  // namespace infcl::comm
