#!/usr/bin/python3
"""Expected values from PyTorch autograd in float64, so that the oracle is not its own only witness.

  sudo apt-get install python3-torch
  /usr/bin/python3 test/goldens/make-goldens.py            # rewrites contrastive.golden.json beside this file
  /usr/bin/python3 test/goldens/make-goldens.py --check    # recomputes and compares with the committed file

Inputs are the integer hash of test/reference/inputs.ts, restated here in a dozen lines, so the file holds expected
outputs only. No gradient formula appears here: loss by torch.nn.functional.cross_entropy, gradients by autograd.
"""

import argparse
import json
import pathlib
import sys

try:
    import torch
except ImportError:
    sys.exit("make-goldens.py needs PyTorch: sudo apt-get install python3-torch, then run it with /usr/bin/python3")

FILE = pathlib.Path(__file__).with_name("contrastive.golden.json")
ENTRIES = 6  # gradient entries kept per matrix, besides its norm and sum
ROWS = 32  # row losses kept

# objective, rows, keys, dim, logit scale, eighths of a positive key that are its query, seed, seed of labels
CASES = [
    ("clip", 1, 1, 1, 1.0, 4, 1, None),
    ("clip", 2, 2, 3, 10.0, 4, 2, None),
    ("clip", 5, 5, 64, 1.0, 0, 3, None),
    ("clip", 7, 7, 65, 100.0, 4, 4, None),
    ("clip", 13, 13, 1, 50.0, 0, 5, None),
    ("clip", 31, 31, 17, 14.285714149475098, 4, 6, None),
    ("clip", 33, 33, 512, 20.0, 2, 7, None),
    ("clip", 97, 97, 33, 100.0, 2, 8, None),
    ("clip", 113, 113, 64, 30.0, 1, 9, None),
    ("clip", 225, 225, 16, 100.0, 0, 10, None),
    ("clip", 449, 449, 3, 14.285714149475098, 4, 11, None),
    ("infonce", 1, 1, 3, 100.0, 4, 12, None),
    ("infonce", 1, 7, 2, 5.0, 4, 13, 60),
    ("infonce", 8, 8, 16, 20.0, 4, 14, None),
    ("infonce", 17, 17, 64, 100.0, 2, 15, 61),
    ("infonce", 29, 101, 33, 14.285714149475098, 4, 16, 62),
    ("infonce", 64, 449, 65, 50.0, 2, 17, 63),
    ("infonce", 101, 103, 512, 100.0, 1, 18, None),
    ("infonce", 3, 1000, 8, 1.0, 4, 19, 64),
    ("infonce", 449, 450, 5, 100.0, 0, 20, 65),
]


def hash32(seed, index):
    h = (seed * 0x9E3779B1 + index * 0x85EBCA77) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return h ^ (h >> 16)


def unit(seed, index):
    return ((hash32(seed, index) >> 16) - 32768) / 32768


def make_pair(rows, keys, dim, seed, alike, labels):
    """test/reference/inputs.ts, makePair: every step is exact in float32."""
    k = 0
    while 3 * 4**k < dim:
        k += 1
    scale = 2.0**-k
    q = [unit(seed, at) * scale for at in range(rows * dim)]
    noise = [unit(seed + 1, at) * scale for at in range(keys * dim)]
    mixed = list(noise)
    for i in range(rows):
        key = labels[i]
        for d in range(dim):
            mixed[key * dim + d] = (alike * q[i * dim + d] + (8 - alike) * noise[key * dim + d]) / 8
    as_matrix = lambda values, n: torch.tensor(values, dtype=torch.float64).reshape(n, dim).requires_grad_()
    return as_matrix(q, rows), as_matrix(mixed, keys)


def summary(grad):
    flat = grad.reshape(-1)
    at = sorted({(i * (flat.numel() - 1)) // (ENTRIES - 1) for i in range(ENTRIES)})
    return {
        "norm": flat.norm().item(),
        "sum": flat.sum().item(),
        "entries": [[i, flat[i].item()] for i in at],
    }


def compute(case):
    objective, rows, keys, dim, scale, alike, seed, label_seed = case
    labels = list(range(rows)) if label_seed is None else [hash32(label_seed, i) % keys for i in range(rows)]
    q, k = make_pair(rows, keys, dim, seed, alike, labels)
    s = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    target = torch.tensor(labels)
    logits = s * q @ k.T
    per_row = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    if objective == "clip":
        per_row = (per_row + torch.nn.functional.cross_entropy(logits.T, target, reduction="none")) / 2
    loss = per_row.mean()
    loss.backward()
    return {
        "objective": objective, "rows": rows, "keys": keys, "dim": dim, "logitScale": scale,
        "alike": alike, "seed": seed, "labelSeed": label_seed,
        "loss": loss.item(),
        "logitScaleGrad": s.grad.item(),
        "queryGrads": summary(q.grad),
        "keyGrads": summary(k.grad),
        "lse": torch.logsumexp(logits, 1)[:ROWS].tolist(),
        "rowLoss": per_row[:ROWS].tolist(),
    }


def difference(a, b):
    """Largest |a - b| / max(1, |b|) over two JSON values of the same shape; infinite when the shapes differ."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max((difference(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max((difference(x, y) for x, y in zip(a, b)), default=0.0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) / max(1.0, abs(b))
    return 0.0 if a == b else float("inf")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    check = parser.parse_args().check
    cases = [compute(case) for case in CASES]
    if not check:
        lines = ",\n".join("  " + json.dumps(case) for case in cases)
        FILE.write_text('{\n"torch": "%s",\n"cases": [\n%s\n]\n}\n' % (torch.__version__, lines))
        print(f"{FILE.name}: {len(cases)} cases, {FILE.stat().st_size} bytes")
        return
    worst = difference(cases, json.loads(FILE.read_text())["cases"])
    print(f"{FILE.name}: largest difference {worst:.1e}")
    if worst > 1e-11:
        sys.exit("the committed file does not hold what this script computes")


if __name__ == "__main__":
    main()
