"""Triton kernels of a tile-wise contrastive loss: each computes tiles of the logits, and none stores the logits.

All of them take bfloat16 features whose width is a multiple of BLOCK_D, and sum in float32. Exponentials have base 2, so
`scale` comes multiplied by log2(e).
"""

import os

import triton
import triton.language as tl

BLOCK_M, BLOCK_N, BLOCK_D = 128, 128, 64
GROUP = 8  # rows of tiles that are visited together, so that their operands stay in the L2 cache
# Triton's interpreter, which tries the kernels without a GPU, multiplies no bfloat16.
INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")
LAUNCH = dict(num_warps=8, num_stages=4)


@triton.jit
def tile_of_products(a, b, rows, columns, width, stride_a, stride_b, BLOCK: tl.constexpr):
    """rows of a times columns of b, over `width` elements that are `stride` apart; strides of the rows are in `rows`."""
    along = tl.arange(0, BLOCK)
    a_tile = a + rows[:, None] + (along * stride_a)[None, :]
    b_tile = b + columns[None, :] + (along * stride_b)[:, None]
    sums = tl.zeros((rows.shape[0], columns.shape[0]), dtype=tl.float32)
    for start in range(0, width, BLOCK):
        inside = along < width - start
        x = tl.load(a_tile, mask=inside[None, :], other=0.0)
        y = tl.load(b_tile, mask=inside[:, None], other=0.0)
        if INTERPRETED:
            x, y = x.to(tl.float32), y.to(tl.float32)
        sums = tl.dot(x, y, sums)
        a_tile += BLOCK * stride_a
        b_tile += BLOCK * stride_b
    return sums


@triton.jit
def tile_of_dots(q, k, i, j, count, dim, BLOCK_D: tl.constexpr):
    """Similarities of queries i and keys j; rows beyond the last are those of the first, and are masked by the caller."""
    rows = (i % count).to(tl.int64) * dim
    columns = (j % count).to(tl.int64) * dim
    return tile_of_products(q, k, rows, columns, dim, 1, 1, BLOCK_D)


@triton.jit
def fold_kernel(q, k, row_parts, column_parts, positives, scale, count, dim, tiles,
                BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):  # fmt: skip
    """Folds `tiles` tiles of one tile row: an online log-sum-exp of the rows, and one of each tile's columns."""
    block, chunk = tl.program_id(0), tl.program_id(1)
    i = block * BLOCK_M + tl.arange(0, BLOCK_M)
    largest = tl.full((BLOCK_M,), float("-inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK_M,), dtype=tl.float32)
    last = tl.minimum((chunk + 1) * tiles, tl.cdiv(count, BLOCK_N))
    for tile in range(chunk * tiles, last):
        j = tile * BLOCK_N + tl.arange(0, BLOCK_N)
        x = scale * tile_of_dots(q, k, i, j, count, dim, BLOCK_D)
        x = tl.where((i < count)[:, None] & (j < count)[None, :], x, float("-inf"))
        new = tl.maximum(tl.maximum(largest, tl.max(x, 1)), -1e38)  # finite: no infinity is subtracted from another
        total = total * tl.exp2(largest - new) + tl.sum(tl.exp2(x - new[:, None]), 1)
        largest = new
        top = tl.maximum(tl.max(x, 0), -1e38)
        column = top + tl.log2(tl.sum(tl.exp2(x - top[None, :]), 0))
        tl.store(column_parts + block.to(tl.int64) * count + j, column, mask=j < count)
        if (tile + 1) * BLOCK_N > block * BLOCK_M and tile * BLOCK_N < (block + 1) * BLOCK_M:
            on_diagonal = tl.sum(tl.where(i[:, None] == j[None, :], x, 0.0), 1)
            here = (i < count) & (i >= tile * BLOCK_N) & (i < (tile + 1) * BLOCK_N)
            tl.store(positives + i, on_diagonal, mask=here)
    tl.store(row_parts + chunk.to(tl.int64) * count + i, largest + tl.log2(total), mask=i < count)


@triton.jit
def tile_at(first_column, columns, count, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, GROUP: tl.constexpr):
    """Rows and columns of this program's tile of a stripe of `columns` columns, in an order that is kind to the L2 cache."""
    high, wide = tl.cdiv(count, BLOCK_M), tl.cdiv(columns, BLOCK_N)
    y, x = tl.swizzle2d(tl.program_id(0) // wide, tl.program_id(0) % wide, high, wide, GROUP)
    return y * BLOCK_M + tl.arange(0, BLOCK_M), x * BLOCK_N + tl.arange(0, BLOCK_N)


@triton.jit
def clip_gradient_kernel(q, k, row_lse, column_lse, gradient, sums, scale, first, columns, count, dim,
                         BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
                         GROUP: tl.constexpr):  # fmt: skip
    """Gradient of count * loss by the logits of a stripe of columns, and the sum of gradient times similarity of each tile."""
    i, local = tile_at(first, columns, count, BLOCK_M, BLOCK_N, GROUP)
    j = first + local
    inside = (i < count)[:, None] & (local < columns)[None, :]
    dots = tile_of_dots(q, k, i, j, count, dim, BLOCK_D)
    x = scale * dots
    by_row = tl.load(row_lse + i, mask=i < count, other=0.0)
    by_column = tl.load(column_lse + j, mask=local < columns, other=0.0)
    g = 0.5 * (tl.exp2(x - by_row[:, None]) + tl.exp2(x - by_column[None, :]))
    g = tl.where(inside, g - tl.where(i[:, None] == j[None, :], 1.0, 0.0), 0.0)
    tl.store(sums + tl.program_id(0), tl.sum(tl.sum(g * dots, 1), 0))
    place = gradient + i[:, None].to(tl.int64) * columns + local[None, :]
    tl.store(place, g.to(tl.bfloat16), mask=inside)


@triton.jit
def siglip_kernel(q, k, losses, gradient, sums, scale, bias, first, columns, count, dim,
                  BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
                  GROUP: tl.constexpr):  # fmt: skip
    """Sigmoid loss of a stripe's tiles and its gradient by the logits in one visit: no term needs a sum over others."""
    i, local = tile_at(first, columns, count, BLOCK_M, BLOCK_N, GROUP)
    j = first + local
    inside = (i < count)[:, None] & (local < columns)[None, :]
    dots = tile_of_dots(q, k, i, j, count, dim, BLOCK_D)
    sign = tl.where(i[:, None] == j[None, :], 1.0, -1.0)
    z = sign * (scale * dots + bias)  # in base 2
    small = tl.exp2(-tl.abs(z))
    loss = tl.maximum(-z, 0.0) + tl.log2(1 + small)
    g = -sign * tl.where(z > 0, small, 1.0) / (1 + small)
    g = tl.where(inside, g, 0.0)
    tl.store(losses + tl.program_id(0), tl.sum(tl.sum(tl.where(inside, loss, 0.0), 1), 0))
    tl.store(sums + tl.program_id(0), tl.sum(tl.sum(g * dots, 1), 0))
    place = gradient + i[:, None].to(tl.int64) * columns + local[None, :]
    tl.store(place, g.to(tl.bfloat16), mask=inside)


@triton.jit
def accumulate_kernel(gradient, features, out, factor, rows, inner, dim, stride_row, stride_inner,
                      ADD: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
                      GROUP: tl.constexpr):  # fmt: skip
    """out = or += factor * gradient (rows x inner, any strides) times features (inner x dim)."""
    high, wide = tl.cdiv(rows, BLOCK_M), tl.cdiv(dim, BLOCK_N)
    y, x = tl.swizzle2d(tl.program_id(0) // wide, tl.program_id(0) % wide, high, wide, GROUP)
    i = y * BLOCK_M + tl.arange(0, BLOCK_M)
    d = x * BLOCK_N + tl.arange(0, BLOCK_N)
    starts = (i % rows).to(tl.int64) * stride_row
    product = factor * tile_of_products(gradient, features, starts, d % dim, inner, stride_inner, dim, BLOCK_D)
    place = out + i[:, None].to(tl.int64) * dim + d[None, :]
    inside = (i < rows)[:, None] & (d < dim)[None, :]
    if ADD:
        product += tl.load(place, mask=inside, other=0.0)
    tl.store(place, product, mask=inside)
