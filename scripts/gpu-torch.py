"""A clip loss with gradients in PyTorch on a GPU, for comparison with gpu-bench; runs alone or from gpu-bench.mjs.

  torch   dense: logits of rows x rows, two cross-entropies, backward
  inf_cl  the Triton kernels that come with the Inf-CLIP paper, each direction once

Usage: gpu-torch.py torch|inf_cl --dtype bfloat16|float32 --rows N --dim D [--max-seconds S] [--repetitions R]
Prints one row of JSON, see bench/peers/gpu_timing.py.
"""

import os
import sys

sys.dont_write_bytecode = True  # the source may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "bench", "peers"))
import gpu_timing


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
        raise gpu_timing.Missing("python3 has no inf_cl (%s)" % error)
    head = min(dim, 256)

    def loss(queries, keys, scale, target):
        forth = cal_flash_loss(queries, keys, target, scale, head_dim=head)
        back = cal_flash_loss(keys, queries, target, scale, head_dim=head)
        return (forth.mean() + back.mean()) / 2

    return loss


def make_loss(torch, options):
    return dense_loss(torch) if options.implementation == "torch" else inf_cl_loss(options.dim)


gpu_timing.main(["torch", "inf_cl"], ["bfloat16", "float32"], make_loss)
