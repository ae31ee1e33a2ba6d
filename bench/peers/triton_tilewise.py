"""A yardstick on one GPU: CLIP and SigLIP losses with gradients, tile by tile in plain Triton (triton_kernels.py).

  clip    forward: log-sum-exp of rows and columns in one visit; backward: tiles again, then both gradient products
  siglip  loss and gradient of a tile in one visit, so three products and not four; all of the work is in the forward

The gradient of the logits is held for a stripe of columns at a time, in bfloat16. Features are bfloat16, sums are float32.

Usage: triton_tilewise.py clip|siglip --rows N --dim D [--max-seconds S] [--repetitions R] [--device cuda|cpu]
D must be a multiple of 8. First the loss and gradients of a small ragged shape are held to dense PyTorch; a yardstick that
is wrong is not measured. Prints one row of JSON, see gpu_timing.py. With --device cpu set TRITON_INTERPRET=1.
"""

import math
import os
import sys

sys.dont_write_bytecode = True  # the source may be read-only
import gpu_timing

LOG2_E = math.log2(math.e)
LIMITS = (1 << 30, 16)  # bytes of the logits' gradient in a stripe; tiles that a program folds
SMALL_LIMITS = (1, 2)  # several stripes and several programs a row, also of a small shape
SIGLIP_BIAS = -10.0
EXACT_ROWS, EXACT_DIM = 300, 72  # neither is a multiple of a tile


def blocks(length, block):
    return (length + block - 1) // block


class Tilewise:
    """Both losses on one pair of feature matrices; gradients are those of the mean loss."""

    def __init__(self, torch, kernels, limits, features_and_scale):
        queries, keys, scale = features_and_scale
        self.torch, self.kernels = torch, kernels
        self.stripe_bytes, self.tiles_a_program = limits
        self.q, self.k = queries.detach(), keys.detach()
        self.count, self.dim = queries.shape
        self.scale = float(scale)
        self.tile = dict(BLOCK_M=kernels.BLOCK_M, BLOCK_N=kernels.BLOCK_N, BLOCK_D=kernels.BLOCK_D)
        self.order = dict(GROUP=kernels.GROUP)

    def floats(self, *shape):
        return self.torch.empty(shape, dtype=self.torch.float32, device=self.q.device)

    def fold(self):
        """Mean clip loss; keeps the log-sum-exps, in base 2, for the gradients."""
        high, wide = blocks(self.count, self.kernels.BLOCK_M), blocks(self.count, self.kernels.BLOCK_N)
        chunks = blocks(wide, self.tiles_a_program)
        rows, columns = self.floats(chunks, self.count), self.floats(high, self.count)
        positives = self.floats(self.count)
        self.kernels.fold_kernel[(high, chunks)](
            self.q, self.k, rows, columns, positives, self.scale * LOG2_E, self.count, self.dim, self.tiles_a_program,
            **self.tile, **self.kernels.LAUNCH)  # fmt: skip
        self.row_lse, self.column_lse = self.join(rows), self.join(columns)
        return ((self.row_lse + self.column_lse) / 2 - positives).mean() / LOG2_E

    def join(self, parts):
        largest = parts.max(0).values
        return largest + (parts - largest).exp2().sum(0).log2()

    def stripes(self):
        block = self.kernels.BLOCK_N
        width = max(block, self.stripe_bytes // (2 * self.count) // block * block)
        for first in range(0, self.count, width):
            yield first, min(width, self.count - first)

    def gradients(self, gradient_of_stripe):
        """Gradients of queries, keys and scale; gradient_of_stripe(first, columns, gradient, sums, tiles) fills a stripe's."""
        of_queries, of_keys, of_scale = self.floats(self.count, self.dim), self.floats(self.count, self.dim), 0
        for first, columns in self.stripes():
            gradient = self.torch.empty((self.count, columns), dtype=self.torch.bfloat16, device=self.q.device)
            tiles = blocks(self.count, self.kernels.BLOCK_M) * blocks(columns, self.kernels.BLOCK_N)
            sums = self.floats(tiles)
            gradient_of_stripe(first, columns, gradient, sums, tiles)
            of_scale = of_scale + sums.sum()
            ends = slice(first, first + columns)
            self.accumulate(gradient, self.k[ends], of_queries, first > 0)
            self.accumulate(gradient.T, self.q, of_keys[ends], False)
        return of_queries.to(self.q.dtype), of_keys.to(self.k.dtype), of_scale / self.count

    def accumulate(self, gradient, features, out, add):
        rows, inner = gradient.shape
        grid = (blocks(rows, self.kernels.BLOCK_M) * blocks(self.dim, self.kernels.BLOCK_N),)
        self.kernels.accumulate_kernel[grid](
            gradient, features, out, self.scale / self.count, rows, inner, self.dim, *gradient.stride(), add,
            **self.tile, **self.order, **self.kernels.LAUNCH)  # fmt: skip

    def clip_stripe(self, first, columns, gradient, sums, tiles):
        self.kernels.clip_gradient_kernel[(tiles,)](
            self.q, self.k, self.row_lse, self.column_lse, gradient, sums, self.scale * LOG2_E, first, columns,
            self.count, self.dim, **self.tile, **self.order, **self.kernels.LAUNCH)  # fmt: skip

    def siglip(self):
        losses = []

        def stripe(first, columns, gradient, sums, tiles):
            losses.append(self.floats(tiles))
            self.kernels.siglip_kernel[(tiles,)](
                self.q, self.k, losses[-1], gradient, sums, self.scale * LOG2_E, SIGLIP_BIAS * LOG2_E, first, columns,
                self.count, self.dim, **self.tile, **self.order, **self.kernels.LAUNCH)  # fmt: skip

        gradients = self.gradients(stripe)
        return sum(part.sum() for part in losses) / LOG2_E / self.count, gradients


def tilewise_loss(torch, kernels, name, limits):
    """loss(queries, keys, scale, target) that autograd can differentiate."""

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(context, queries, keys, scale):
            context.problem = Tilewise(torch, kernels, limits, (queries, keys, scale))
            if name == "clip":
                return context.problem.fold()
            value, context.gradients = context.problem.siglip()
            return value

        @staticmethod
        def backward(context, factor):
            problem = context.problem
            gradients = problem.gradients(problem.clip_stripe) if name == "clip" else context.gradients
            return tuple(factor.to(g.dtype) * g for g in gradients)

    return lambda queries, keys, scale, target: Loss.apply(queries, keys, scale)


def dense_loss(torch, name):
    def loss(queries, keys, scale, target):
        logits = scale * queries @ keys.T
        if name == "clip":
            cross_entropy = torch.nn.functional.cross_entropy
            return (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
        signs = 2 * torch.eye(len(target), device=logits.device, dtype=logits.dtype) - 1
        return torch.nn.functional.softplus(-signs * (logits + SIGLIP_BIAS)).sum() / len(target)

    return loss


def worst_errors(torch, loss, dense, options):
    """Relative errors of the loss, and of gradients by the length of their largest row, against dense float64."""
    small = type(options)(**{**vars(options), "rows": EXACT_ROWS, "dim": EXACT_DIM})
    torch.manual_seed(2)
    narrow = [*gpu_timing.make_set(torch, small), torch.tensor(1 / 0.07, device=options.device, requires_grad=True)]
    wide = [x.detach().double().requires_grad_() for x in narrow]
    target = torch.arange(small.rows, device=options.device)
    values = []
    for function, leaves in ((loss, narrow), (dense, wide)):
        values.append(function(*leaves, target))
        values[-1].backward()
    error_of_loss = abs(values[0].item() / values[1].item() - 1)
    errors = []
    for ours, right in zip(narrow, wide):
        rows = lambda x: x.double().reshape(-1, right.shape[-1] if right.dim() else 1).norm(dim=1)
        errors.append((rows(ours.grad - right.grad).max() / rows(right.grad).max()).item())
    return error_of_loss, errors


def make_loss(torch, options):
    try:
        import triton_kernels
    except ImportError as error:
        raise gpu_timing.Missing("python3 has no triton (%s)" % error)
    if options.device == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
        raise gpu_timing.Missing("Triton runs on the CPU with TRITON_INTERPRET=1 only")
    if options.dim % 8 != 0:
        sys.exit("triton_tilewise: --dim must be a multiple of 8, not %d" % options.dim)
    name = options.implementation
    small = tilewise_loss(torch, triton_kernels, name, SMALL_LIMITS)
    error_of_loss, errors = worst_errors(torch, small, dense_loss(torch, name), options)
    print("against dense float64: loss %.1e; gradients %s" % (error_of_loss, errors), file=sys.stderr)
    if not (error_of_loss < 1e-5 and max(errors) < 1e-2):
        sys.exit("triton_tilewise: wrong results on this machine: loss off by %g, gradients by %s" % (error_of_loss, errors))
    return tilewise_loss(torch, triton_kernels, name, LIMITS)


if __name__ == "__main__":
    gpu_timing.main(["clip", "siglip"], ["bfloat16"], make_loss)
