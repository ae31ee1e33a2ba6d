"""What peers on a GPU share: features like gpu-bench's, times of a loss with gradients, and one row of JSON.

A row has times in milliseconds by CUDA events, as medians; or "skipped", what this shape lacks; or "missing", what this
machine lacks for any shape. With --device cpu times are the host's clock's and mean nothing: that only tries a script.
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


class Clock:
    """Milliseconds between marks: CUDA events, or the host's clock for the CPU."""

    def __init__(self, torch, device):
        self.torch = torch
        self.on_gpu = device == "cuda"
        size = FLUSH_BYTES if self.on_gpu else 1
        self.flush = torch.empty(size, dtype=torch.int8, device=device)

    def mark(self):
        if not self.on_gpu:
            return time.perf_counter()
        event = self.torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, first, second):
        if not self.on_gpu:
            return 1000 * (second - first)
        self.torch.cuda.synchronize()
        return first.elapsed_time(second)


def import_torch(device):
    try:
        import torch
    except ImportError as error:
        raise Missing("python3 has no torch (%s)" % error)
    if device == "cuda" and not torch.cuda.is_available():
        raise Missing("torch finds no CUDA device")
    return torch


def make_set(torch, options):
    """Queries and keys whose equal rows have a cosine of about 0.7, as gpu-bench's."""
    shared = torch.randn(options.rows, options.dim, device=options.device)

    def leaf():
        noisy = shared + 0.65 * torch.randn(options.rows, options.dim, device=options.device)
        rows = torch.nn.functional.normalize(noisy).to(getattr(torch, options.dtype))
        return rows.detach().requires_grad_()

    return leaf(), leaf()


def measure(torch, loss, options):
    """Features alternate between two sets, and the L2 cache is overwritten before each round."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    sets = [make_set(torch, options) for _ in range(2)]
    scale = torch.tensor(1 / 0.07, device=options.device, requires_grad=True)
    target = torch.arange(options.rows, device=options.device)
    clock = Clock(torch, options.device)

    def round_of(index):
        queries, keys = sets[index % 2]
        clock.flush.zero_()
        start = clock.mark()
        value = loss(queries, keys, scale, target)
        middle = clock.mark()
        value.backward()
        end = clock.mark()
        times = clock.between(start, middle), clock.between(middle, end), value.item()
        for tensor in (queries, keys, scale):
            tensor.grad = None
        return times

    round_of(0)  # compiles, and fills the allocator
    start = time.perf_counter()
    _, _, value = round_of(1)
    seconds = time.perf_counter() - start
    repetitions = max(1, min(options.repetitions, int(options.max_seconds / seconds)))
    rounds = [round_of(index) for index in range(repetitions)]
    on_gpu = options.device == "cuda"
    return {
        "repetitions": repetitions,
        "forward_ms": statistics.median(r[0] for r in rounds),
        "backward_ms": statistics.median(r[1] for r in rounds),
        "total_ms": statistics.median(r[0] + r[1] for r in rounds),
        "loss": value if math.isfinite(value) else None,
        "peak_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
    }


def run(make_loss, options):
    """The row of one shape; make_loss(torch, options) returns loss(queries, keys, scale, target)."""
    try:
        torch = import_torch(options.device)
        loss = make_loss(torch, options)
    except Missing as missing:
        return {"missing": str(missing)}
    out_of_memory = getattr(torch.cuda, "OutOfMemoryError", MemoryError)
    try:
        return measure(torch, loss, options)
    except out_of_memory as error:
        return {"skipped": str(error).split("\n")[0]}
    except Exception as error:  # one that this shape causes in somebody else's kernels is a result too
        print("%s: %s" % (type(error).__name__, error), file=sys.stderr)
        return {"skipped": "%s: %s" % (type(error).__name__, str(error).split("\n")[0])}


def size(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1, not %s" % text)
    return value


def seconds(text):
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0, not %s" % text)
    return value


def main(implementations, dtypes, make_loss):
    """The command line of a peer: one shape, one row of JSON on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("implementation", choices=implementations)
    parser.add_argument("--dtype", choices=dtypes, default="bfloat16")
    parser.add_argument("--rows", type=size, required=True)
    parser.add_argument("--dim", type=size, required=True)
    parser.add_argument("--max-seconds", type=seconds, default=20)
    parser.add_argument("--repetitions", type=size, default=9)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: tries the script, measures nothing")
    options = parser.parse_args()
    shape = {key: getattr(options, key) for key in ("implementation", "dtype", "rows", "dim")}
    print(json.dumps({**shape, **run(make_loss, options)}))
