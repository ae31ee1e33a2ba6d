#!/usr/bin/python3
"""Expected values from PyTorch autograd in float64, so that the oracle is not its own only witness.

  sudo apt-get install python3-torch
  /usr/bin/python3 test/goldens/make-goldens.py            # rewrites contrastive.golden.json beside this file
  /usr/bin/python3 test/goldens/make-goldens.py --check    # recomputes and compares with the committed file

Inputs are those of test/reference/problems.ts, restated here, so the file holds recipes and expected outputs only. No
gradient formula appears here: losses by masked log_softmax (checked against the textbook form where an objective has
one), gradients by autograd.
"""

import argparse
import json
import math
import pathlib
import sys

try:
    import torch
except ImportError:
    sys.exit("make-goldens.py needs PyTorch: sudo apt-get install python3-torch, then run it with /usr/bin/python3")

FILE = pathlib.Path(__file__).with_name("contrastive.golden.json")
ENTRIES = 6  # gradient entries kept per matrix, besides its norm and sum
ROWS = 32  # row losses kept

# test/reference/problems.ts, Recipe: how many of what, and the options as the public API has them.
def recipe(objective, rows, keys, dim, scale, alike, seed, **more):
    return {"objective": objective, "rows": rows, "keys": keys, "dim": dim, "logitScale": scale,
            "alike": alike, "seed": seed, **more}


TRAINED = 14.285714149475098  # 1 / 0.07 in float32
Q2K, K2Q, Q2Q, K2K = "queryToKey", "keyToQuery", "queryToQuery", "keyToKey"

CASES = [
    recipe("clip", 1, 1, 1, 1.0, 4, 1),
    recipe("clip", 2, 2, 3, 10.0, 4, 2),
    recipe("clip", 5, 5, 64, 1.0, 0, 3),
    recipe("clip", 7, 7, 65, 100.0, 4, 4),
    recipe("clip", 13, 13, 1, 50.0, 0, 5),
    recipe("clip", 31, 31, 17, TRAINED, 4, 6),
    recipe("clip", 33, 33, 512, 20.0, 2, 7),
    recipe("clip", 97, 97, 33, 100.0, 2, 8),
    recipe("clip", 113, 113, 64, 30.0, 1, 9),
    recipe("clip", 225, 225, 16, 100.0, 0, 10),
    recipe("clip", 449, 449, 3, TRAINED, 4, 11),
    recipe("infonce", 1, 1, 3, 100.0, 4, 12),
    recipe("infonce", 1, 7, 2, 5.0, 4, 13, labelSeed=60),
    recipe("infonce", 8, 8, 16, 20.0, 4, 14),
    recipe("infonce", 17, 17, 64, 100.0, 2, 15, labelSeed=61),
    recipe("infonce", 29, 101, 33, TRAINED, 4, 16, labelSeed=62),
    recipe("infonce", 64, 449, 65, 50.0, 2, 17, labelSeed=63),
    recipe("infonce", 101, 103, 512, 100.0, 1, 18),
    recipe("infonce", 3, 1000, 8, 1.0, 4, 19, labelSeed=64),
    recipe("infonce", 449, 450, 5, 100.0, 0, 20, labelSeed=65),
    # the other objectives
    recipe("ntxent", 1, 1, 4, 10.0, 4, 22),
    recipe("ntxent", 33, 33, 24, 10.0, 3, 24),
    recipe("ntxent", 241, 241, 8, 50.0, 2, 26),
    recipe("supcon", 1, 1, 4, 10.0, 4, 28),
    recipe("supcon", 40, 40, 16, 10.0, 3, 30),
    recipe("supcon", 33, 33, 16, 20.0, 3, 32, classes=2),
    recipe("supcon", 50, 0, 16, 10.0, 3, 34),
    recipe("supcon", 241, 0, 9, TRAINED, 3, 36, classes=100),
    recipe("siglip", 1, 1, 4, 10.0, 4, 38),
    recipe("siglip", 31, 31, 20, 10.0, 4, 40),
    recipe("siglip", 241, 260, 7, 100.0, 2, 42, logitBias=-20.0),
    recipe("siglip", 30, 30, 7, 5.0, 2, 44, logitBias=3.0, ids=12, weights=True),
    # directions, in one denominator and in one each
    *(recipe("infonce", 21, 21, 12, 15.0, 3, 46 + 2 * n, directions=directions, partition=partition)
      for n, (directions, partition) in enumerate([
          ([Q2K, K2Q], "joint"), ([Q2K, Q2Q], "joint"), ([Q2K, K2K], "joint"), ([Q2K, K2Q, Q2Q, K2K], "joint"),
          ([Q2K, K2Q], "perDirection"), ([Q2K, Q2Q, K2K], "perDirection"),
          ([Q2K, K2Q, Q2Q, K2K], "perDirection")])),
    recipe("infonce", 19, 19, 12, 15.0, 3, 70, directions=[Q2K, K2Q, Q2Q, K2K], partition="joint", ids=9,
           falseNegativeMargin=-0.1, hardPerQuery=2, weights=True, coarse=True),
    recipe("infonce", 19, 19, 12, 15.0, 3, 72, directions=[Q2K, Q2Q], partition="perDirection", ids=9,
           falseNegativeMargin=-0.1, labelSmoothing=0.1, hardPerQuery=1, coarse=True),
    # each option alone, then all that go together
    *(recipe(objective, 37, 37, 12, 20.0, 3, seed + more.pop("shift"), **more)
      for seed, objective in [(80, "clip"), (120, "infonce"), (160, "ntxent")]
      for more in [
          {"shift": 0, "ids": 15}, {"shift": 2, "falseNegativeMargin": -0.15, "coarse": True},
          {"shift": 4, "labelSmoothing": 0.1}, {"shift": 6, "weights": True},
          {"shift": 8, "hardness": {"strength": 5.0, "on": "inBatch"}},
          {"shift": 10, "ids": 15, "falseNegativeMargin": 0.0625, "labelSmoothing": 0.2, "weights": True,
           "coarse": True}]),
    *(recipe(objective, 23, 23, 12, 20.0, 3, seed + more.pop("shift"), **more)
      for seed, objective in [(200, "clip"), (230, "infonce")]
      for more in [
          {"shift": 0, "hardPerQuery": 1}, {"shift": 2, "hardPerQuery": 5, "labelSmoothing": 0.3},
          {"shift": 4, "hardPerQuery": 3, "falseNegativeMargin": -0.15, "coarse": True},
          {"shift": 6, "hardPerQuery": 3, "hardness": {"strength": 4.0, "on": "hard"}},
          {"shift": 8, "hardPerQuery": 3, "hardness": {"strength": 4.0, "on": "all"}, "ids": 11, "weights": True}]),
    recipe("infonce", 30, 77, 12, 20.0, 3, 260, labelSeed=66, ids=25, labelSmoothing=0.1, weights=True),
]


def hash32(seed, index):
    h = (seed * 0x9E3779B1 + index * 0x85EBCA77) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return h ^ (h >> 16)


def unit(seed, index):
    return ((hash32(seed, index) >> 16) - 32768) / 32768


def make_problem(case):
    """test/reference/problems.ts: every step is exact in float32."""
    rows, dim, seed, alike = case["rows"], case["dim"], case["seed"], case["alike"]
    keys = case["keys"] or rows
    labels = [hash32(case["labelSeed"], i) % keys for i in range(rows)] if "labelSeed" in case else list(range(rows))
    k = 0
    while 3 * 4**k < dim:
        k += 1
    scale = 2.0**-k
    q = [unit(seed, at) * scale for at in range(rows * dim)]
    noise = [unit(seed + 1, at) * scale for at in range(keys * dim)]
    mixed = list(noise)
    for i in range(rows):
        for d in range(dim):
            at = labels[i] * dim + d
            mixed[at] = (alike * q[i * dim + d] + (8 - alike) * noise[at]) / 8
    per = case.get("hardPerQuery", 0)
    hard = [(2 * q[at // (per * dim) * dim + at % dim] + 6 * unit(seed + 5000, at) * scale) / 8
            for at in range(rows * per * dim)]

    def matrix(values, count):
        if case.get("coarse"):
            values = [math.floor(value / (scale / 64) + 0.5) * (scale / 64) for value in values]
        return torch.tensor(values, dtype=torch.float64).reshape(count, dim).requires_grad_()

    classes = case.get("classes", max(1, rows // 3))
    integers = lambda offset, count, modulus: torch.tensor([hash32(seed + offset, i) % modulus for i in range(count)])
    return {
        "q": matrix(q, rows), "k": matrix(mixed, keys), "hard": matrix(hard, rows * per),
        "labels": torch.tensor(labels),
        "classes": integers(1000, rows, classes),
        "query_ids": integers(2000, rows, case.get("ids", 1)),
        "key_ids": integers(3000, keys, case.get("ids", 1)),
        "weights": torch.tensor([(hash32(seed + 4000, i) % 8) / 4 if i and case.get("weights") else 1.0
                                 for i in range(rows)], dtype=torch.float64),
    }


def summary(grad):
    flat = grad.reshape(-1)
    at = sorted({(i * (flat.numel() - 1)) // (ENTRIES - 1) for i in range(ENTRIES)})
    return {
        "norm": flat.norm().item(),
        "sum": flat.sum().item(),
        "entries": [[i, flat[i].item()] for i in at],
    }


def false_negatives(case, p):
    """Which similarities do not count: keys of q x k, q x q and k x k, and of queries x their hard negatives."""
    q, k, labels = p["q"].detach(), p["k"].detach(), p["labels"]
    rows = torch.arange(len(q))
    masks = {"qk": q @ k.T, "qq": q @ q.T, "kk": k @ k.T,
             "hard": torch.einsum("id,ihd->ih", q, p["hard"].detach().reshape(len(q), -1, q.shape[1]))}
    dots, masks = masks, {name: torch.zeros_like(dots, dtype=torch.bool) for name, dots in masks.items()}
    if "ids" in case:
        ids = {"q": p["query_ids"], "k": p["key_ids"]}
        for name in ("qk", "qq", "kk"):
            masks[name] |= ids[name[0]][:, None] == ids[name[1]][None, :]
    if "falseNegativeMargin" in case:
        limit = (dots["qk"][rows, labels] + case["falseNegativeMargin"]).float().double()
        columns_too = case["objective"] != "infonce" or K2Q in case.get("directions", [])
        for name in masks:
            masks[name] |= dots[name] > limit[:, None]
            if name in ("qq", "kk") or name == "qk" and columns_too:
                masks[name] |= dots[name] > limit[None, :]
    return masks


def denominators(case):
    if "directions" in case:
        each = [d for d in (Q2K, K2Q, Q2Q, K2K) if d in case["directions"]]
        return [(1.0, each)] if case["partition"] == "joint" else [(1 / len(each), [d]) for d in each]
    return {"infonce": [(1.0, [Q2K])], "clip": [(0.5, [Q2K]), (0.5, [K2Q])],
            "ntxent": [(0.5, [Q2K, Q2Q]), (0.5, [K2Q, K2K])]}[case["objective"]]


def softmax_losses(case, p, s):
    """Per-row losses, log-sum-exps and 'positive ranks first': the positive in column 0, then all that counts."""
    q, k, labels = p["q"], p["k"], p["labels"]
    rows, n = torch.arange(len(q)), len(q)
    masks = false_negatives(case, p)
    hardness = case.get("hardness", {"strength": 0.0, "on": "all"})
    in_batch = hardness["strength"] if hardness["on"] != "hard" else 0.0
    hard_strength = hardness["strength"] if hardness["on"] != "inBatch" else 0.0
    negative = lambda dots, strength: s * dots + strength * dots.detach()
    positive = (q * k[labels]).sum(1)
    not_self = ~torch.eye(n, dtype=torch.bool)
    not_positive = torch.ones(n, len(k), dtype=torch.bool)
    not_positive[rows, labels] = False
    blocks = {  # logits of negatives, and which of them count
        Q2K: lambda: (negative(q @ k.T, in_batch), ~masks["qk"] & not_positive),
        K2Q: lambda: (negative(k @ q.T, in_batch), ~masks["qk"].T & not_self),
        Q2Q: lambda: (negative(q @ q.T, in_batch), ~masks["qq"] & not_self),
        K2K: lambda: (negative(k @ k.T, in_batch), ~masks["kk"] & not_self),
    }
    hard = p["hard"].reshape(n, -1, q.shape[1])
    own = torch.einsum("id,ihd->ih", q, hard)
    loss, lse, eps = torch.zeros(n, dtype=torch.float64), None, case.get("labelSmoothing", 0.0)
    for weight, over in denominators(case):
        parts = [blocks[name]() for name in over]
        if lse is None:
            parts.append((negative(own, hard_strength), ~masks["hard"]))
        x = torch.cat([s * positive[:, None]] + [part[0] for part in parts], 1)
        counts = torch.cat([torch.ones(n, 1, dtype=torch.bool)] + [part[1] for part in parts], 1)
        log_p = torch.log_softmax(x.masked_fill(~counts, -math.inf), 1).masked_fill(~counts, 0.0)
        # torch's label_smoothing means the same but has no masks
        loss = loss - weight * ((1 - eps) * log_p[:, 0] + eps * log_p.sum(1) / counts.sum(1))
        lse = torch.logsumexp(x.masked_fill(~counts, -math.inf), 1) if lse is None else lse
    rivals = torch.cat([(q @ k.T).masked_fill(~blocks[Q2K]()[1], -math.inf),
                        own.masked_fill(masks["hard"], -math.inf)], 1)
    return loss, lse, positive >= rivals.max(1).values


def plain_losses(case, p, s):
    """The textbook form of an objective without options, where there is one; else None."""
    plain = {"objective", "rows", "keys", "dim", "logitScale", "alike", "seed", "labelSeed"}
    cross_entropy = lambda x, target: torch.nn.functional.cross_entropy(x, target, reduction="none")
    if not set(case) <= plain:
        return None
    x = s * p["q"] @ p["k"].T
    if case["objective"] == "infonce":
        return cross_entropy(x, p["labels"])
    if case["objective"] == "clip":
        return (cross_entropy(x, p["labels"]) + cross_entropy(x.T, p["labels"])) / 2
    if case["objective"] == "ntxent":  # SimCLR: rows of both views against all rows but themselves
        z, n = torch.cat([p["q"], p["k"]]), case["rows"]
        x = (s * z @ z.T).masked_fill(torch.eye(2 * n, dtype=torch.bool), -math.inf)
        both = cross_entropy(x, torch.arange(2 * n).roll(n))
        return (both[:n] + both[n:]) / 2
    return None


def supcon_losses(case, p, s):
    """Of every anchor (queries first), their number with positives, and the queries' log-sum-exps."""
    n = case["rows"]
    both = case["keys"] > 0
    z = torch.cat([p["q"], p["k"]]) if both else p["q"]
    classes = p["classes"].repeat(2 if both else 1)
    itself = torch.eye(len(z), dtype=torch.bool)
    x = (s * z @ z.T).masked_fill(itself, -math.inf)
    lse = torch.logsumexp(x, 1)
    positive = (classes[:, None] == classes[None, :]) & ~itself
    count = positive.sum(1)
    loss = torch.where(count > 0, lse - x.masked_fill(~positive, 0).sum(1) / count.clamp(min=1), 0.0 * lse)
    first = torch.zeros(n, dtype=torch.bool)
    if both:
        dots, same = p["q"] @ p["k"].T, p["classes"][:, None] == p["classes"][None, :]
        first = dots.masked_fill(~same, -math.inf).max(1).values >= dots.max(1).values
    return loss, (count > 0).sum(), lse[:n], first


def siglip_losses(case, p, s, c):
    n, m = case["rows"], case["keys"]
    dots = p["q"] @ p["k"].T
    z = 2 * torch.eye(n, m, dtype=torch.float64) - 1
    counts = torch.eye(n, m, dtype=torch.bool) | ~false_negatives(case, p)["qk"]
    losses = -torch.nn.functional.logsigmoid(z * (s * dots + c)).masked_fill(~counts, 0.0)
    rivals = dots.masked_fill(~counts | torch.eye(n, m, dtype=torch.bool), -math.inf)
    return losses.sum(1), torch.diagonal(dots) >= rivals.max(1).values


def compute(case):
    p = make_problem(case)
    s = torch.tensor(case["logitScale"], dtype=torch.float64, requires_grad=True)
    c = torch.tensor(case.get("logitBias", -10.0), dtype=torch.float64, requires_grad=True)
    lse = None
    if case["objective"] == "supcon":
        per_row, anchors, lse, first = supcon_losses(case, p, s)
        loss = per_row.sum() / anchors.clamp(min=1)
    else:
        if case["objective"] == "siglip":
            per_row, first = siglip_losses(case, p, s, c)
        else:
            per_row, lse, first = softmax_losses(case, p, s)
            textbook = plain_losses(case, p, s)
            if textbook is not None:
                assert (per_row - textbook).abs().max() < 1e-12, case
                per_row = textbook
        loss = (p["weights"] * per_row).sum() / p["weights"].sum()
    loss.backward()
    found = {
        "loss": loss.item(),
        "logitScaleGrad": s.grad.item(),
        "queryGrads": summary(p["q"].grad),
        "rowLoss": per_row[: case["rows"]][:ROWS].tolist(),
    }
    if case["keys"] > 0:
        found["keyGrads"] = summary(p["k"].grad)
        found["accuracy"] = first.double().mean().item()
    if "hardPerQuery" in case:
        found["hardNegativeGrads"] = summary(p["hard"].grad)
    if case["objective"] == "siglip":
        found["logitBiasGrad"] = c.grad.item()
    else:
        found["lse"] = lse[:ROWS].tolist()
    return {"recipe": case, "expected": found}


def difference(a, b):
    """Largest |a - b| / max(1, |b|) over two JSON values of the same shape; infinite when the shapes differ."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max((difference(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max((difference(x, y) for x, y in zip(a, b)), default=0.0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) / max(1.0, abs(b))
    return 0.0 if a == b else float("inf")


def write_or_check(description, file, bound, make_cases):
    """Writes the cases to the file; with --check, refuses a file whose numbers differ by more than the bound."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    check = parser.parse_args().check
    cases = make_cases()
    if not check:
        lines = ",\n".join("  " + json.dumps(case) for case in cases)
        file.write_text('{\n"torch": "%s",\n"cases": [\n%s\n]\n}\n' % (torch.__version__, lines))
        print(f"{file.name}: {len(cases)} cases, {file.stat().st_size} bytes")
        return
    worst = difference(cases, json.loads(file.read_text())["cases"])
    print(f"{file.name}: largest difference {worst:.1e}")
    if worst > bound:
        sys.exit("the committed file does not hold what this script computes")


if __name__ == "__main__":
    write_or_check(__doc__, FILE, 1e-11, lambda: [compute(case) for case in CASES])
