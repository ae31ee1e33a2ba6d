"""Dense PyTorch, the usual way: logits, two cross-entropies, backward. Debian python3-torch is enough.

Usage: torch_dense.py rows dim threads. Prints "ready VERSION" once, then runs one loss with gradients and prints its
seconds for each line read from stdin. Holds the rows x rows logits and their gradient, as users do.
"""

import sys
import time

import torch


def one_round(queries, keys, scale, target):
    start = time.perf_counter()
    logits = scale * queries @ keys.T
    cross_entropy = torch.nn.functional.cross_entropy
    loss = (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
    loss.backward()
    for leaf in (queries, keys, scale):
        leaf.grad = None
    return time.perf_counter() - start


def main():
    rows, dim, threads = map(int, sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    unit_rows = lambda: torch.nn.functional.normalize(torch.randn(rows, dim)).requires_grad_()
    queries, keys = unit_rows(), unit_rows()
    scale = torch.tensor(1 / 0.07, requires_grad=True)
    target = torch.arange(rows)
    print("ready", torch.__version__, flush=True)
    for _ in sys.stdin:
        print("%.9f" % one_round(queries, keys, scale, target), flush=True)


main()
