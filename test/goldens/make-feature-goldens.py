#!/usr/bin/python3
"""Expected values of infcl/evaluation from PyTorch in float64, so that test/reference/features.ts is not alone.

  /usr/bin/python3 test/goldens/make-feature-goldens.py            # rewrites features.golden.json beside this file
  /usr/bin/python3 test/goldens/make-feature-goldens.py --check    # recomputes and compares with the committed file

Inputs come from the hash of make-goldens.py. The probe is trained by torch.optim.LBFGS, singular values are those of
torch.linalg.svdvals, and distances those of torch.pdist. features.test.ts makes the same inputs.
"""

import importlib.util
import pathlib

import torch
from torch.nn.functional import cross_entropy, normalize

HERE = pathlib.Path(__file__).parent
FILE = HERE / "features.golden.json"

spec = importlib.util.spec_from_file_location("make_goldens", HERE / "make-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

CASES = [
    {"rows": 60, "dim": 7, "classes": 5, "seed": 701, "l2": 0.01, "t": 2, "alpha": 2},
    {"rows": 33, "dim": 12, "classes": 3, "seed": 711, "l2": 0.5, "t": 0.5, "alpha": 1},
    {"rows": 9, "dim": 16, "classes": 9, "seed": 721, "l2": 0.1, "t": 5, "alpha": 3},
]


def noise(rows, dim, seed):
    values = [goldens.unit(seed, at) for at in range(rows * dim)]
    return torch.tensor(values, dtype=torch.float64).view(rows, dim)


def train_probe(x, labels, case):
    weights = torch.zeros(case["classes"], case["dim"], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(case["classes"], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights, bias], max_iter=2000, tolerance_grad=1e-10, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = cross_entropy(x @ weights.T + bias, labels) + case["l2"] / 2 * (weights**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return closure().item(), (x @ weights.T + bias).detach()


def class_metrics(scores, labels):
    best = scores.argmax(1)
    five = scores.topk(min(5, scores.shape[1])).indices
    recalls = [(best[labels == each] == each).double().mean().item() for each in labels.unique()]
    return {
        "top1": (best == labels).double().mean().item(),
        "top5": (five == labels[:, None]).any(1).double().mean().item(),
        "meanPerClassRecall": sum(recalls) / len(recalls),
    }


def compute(case):
    rows, dim, classes, seed = (case[name] for name in ("rows", "dim", "classes", "seed"))
    labels = torch.arange(rows) % classes
    centres = noise(classes, dim, seed + 1)
    x = noise(rows, dim, seed) + centres[labels]
    y = noise(rows, dim, seed + 2) + centres[labels]
    a, b = normalize(x), normalize(y)
    sigma = torch.linalg.svdvals(x)
    p = sigma / sigma.sum() + 1e-7
    loss, scores = train_probe(x, labels, case)
    return {
        "recipe": case,
        "expected": {
            "alignment": ((a - b).norm(dim=1) ** case["alpha"]).mean().item(),
            "uniformity": (-case["t"] * torch.pdist(a) ** 2).exp().mean().log().item(),
            "gap": (a.mean(0) - b.mean(0)).norm().item(),
            "centroidCosine": torch.cosine_similarity(a.mean(0), b.mean(0), dim=0).item(),
            "effectiveRank": (-(p * p.log()).sum()).exp().item(),
            "zeroShot": class_metrics(x @ centres.T, labels),
            "probeLoss": loss,
            "probe": class_metrics(scores, labels),
        },
    }


if __name__ == "__main__":
    goldens.write_or_check(__doc__, FILE, 1e-9, lambda: [compute(case) for case in CASES])
