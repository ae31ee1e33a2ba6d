"""A clip loss with gradients in PyTorch on a GPU, for comparison with gpu-bench; runs alone or from gpu-bench.mjs.

  torch   dense: logits of rows x rows, two cross-entropies, backward
  inf_cl  the Triton kernels that come with the Inf-CLIP paper, each direction once

Usage: gpu-torch.py torch|inf_cl --dtype bfloat16|float32 --rows N --dim D [--max-seconds S] [--repetitions R]
Prints one JSON object: times by CUDA events as medians; or "skipped", what this shape lacks; or "missing", what this
machine lacks for any shape. Features alternate between two sets, and the L2 cache is overwritten before each round.
"""

import argparse
import json
import math
import statistics
import sys
import time

FLUSH_BYTES = 256 << 20  # more than any L2 cache


class Missing(Exception):
    """This machine cannot run the implementation at all."""


def import_torch():
    try:
        import torch
    except ImportError as error:
        raise Missing("python3 has no torch (%s)" % error)
    if not torch.cuda.is_available():
        raise Missing("torch finds no CUDA device")
    return torch


def dense_loss(torch):
    cross_entropy = torch.nn.functional.cross_entropy

    def loss(queries, keys, scale, target):
        logits = (scale * queries) @ keys.T
        return (cross_entropy(logits.float(), target) + cross_entropy(logits.T.float(), target)) / 2

    return loss


def inf_cl_loss(dim):
    try:
        from inf_cl import cal_flash_loss
    except ImportError as error:
        raise Missing("python3 has no inf_cl (%s)" % error)
    head = min(dim, 256)

    def loss(queries, keys, scale, target):
        forth = cal_flash_loss(queries, keys, target, scale, head_dim=head)
        back = cal_flash_loss(keys, queries, target, scale, head_dim=head)
        return (forth.mean() + back.mean()) / 2

    return loss


def make_sets(torch, rows, dim, dtype):
    """Two sets of features whose equal rows have a cosine of about 0.7, as gpu-bench's."""
    shared = torch.randn(rows, dim, device="cuda")

    def leaf():
        noisy = shared + 0.65 * torch.randn(rows, dim, device="cuda")
        return torch.nn.functional.normalize(noisy).to(dtype).detach().requires_grad_()

    return [(leaf(), leaf()) for _ in range(2)]


def measure(torch, loss, options):
    dtype = getattr(torch, options.dtype)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    sets = make_sets(torch, options.rows, options.dim, dtype)
    scale = torch.tensor(1 / 0.07, device="cuda", requires_grad=True)
    target = torch.arange(options.rows, device="cuda")
    flush = torch.empty(FLUSH_BYTES, dtype=torch.int8, device="cuda")

    def round_of(index):
        queries, keys = sets[index % 2]
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(3)]
        flush.zero_()
        marks[0].record()
        value = loss(queries, keys, scale, target)
        marks[1].record()
        value.backward()
        marks[2].record()
        torch.cuda.synchronize()
        for tensor in (queries, keys, scale):
            tensor.grad = None
        return marks[0].elapsed_time(marks[1]), marks[1].elapsed_time(marks[2]), value.item()

    round_of(0)  # compiles, and fills the allocator
    start = time.perf_counter()
    _, _, value = round_of(1)
    seconds = time.perf_counter() - start
    repetitions = max(1, min(options.repetitions, int(options.max_seconds / seconds)))
    rounds = [round_of(index) for index in range(repetitions)]
    return {
        "repetitions": repetitions,
        "forward_ms": statistics.median(r[0] for r in rounds),
        "backward_ms": statistics.median(r[1] for r in rounds),
        "total_ms": statistics.median(r[0] + r[1] for r in rounds),
        "loss": value if math.isfinite(value) else None,
        "peak_bytes": torch.cuda.max_memory_allocated(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(),
    }


def run(options):
    try:
        torch = import_torch()
        if options.implementation == "torch":
            loss = dense_loss(torch)
        else:
            loss = inf_cl_loss(options.dim)
    except Missing as missing:
        return {"missing": str(missing)}
    try:
        return measure(torch, loss, options)
    except torch.cuda.OutOfMemoryError as error:
        return {"skipped": str(error).split("\n")[0]}
    except Exception as error:  # one that this shape causes in somebody else's kernels is a result too
        print("%s: %s" % (type(error).__name__, error), file=sys.stderr)
        return {"skipped": "%s: %s" % (type(error).__name__, str(error).split("\n")[0])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("implementation", choices=["torch", "inf_cl"])
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--max-seconds", type=float, default=20)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    shape = {key: getattr(options, key) for key in ("implementation", "dtype", "rows", "dim")}
    print(json.dumps({**shape, **run(options)}))


main()
