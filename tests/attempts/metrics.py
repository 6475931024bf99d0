"""Attempts as readers write them, and a word of the hint that each gets."""

import torch

ATTEMPTS = {
    "precision": {
        "that is recall": lambda m: torch.tensor(
            [m[i, i] / m[i].sum() for i in (0, 1)]
        ),
        "all digits together": lambda m: m.trace() / m.sum(),
        "every count": lambda m: m / m.sum(0, keepdim=True),
        "number of all images": lambda m: m.diagonal() / m.sum(),
        "counts of right answers": torch.diag,
        "whole numbers": lambda m: m.diag() // m.sum(0),
        "shape should be (2,), not (1, 2)": lambda m: m.diag()[None] / m.sum(0),
        "not a list": lambda m: (m.diag() / m.sum(0)).tolist(),
    },
    "ece": {
        "each bin counts the same": lambda c, a, n: torch.mean(torch.abs(c - a)),
        "whichever way": lambda c, a, n: torch.dot(a - c, n / n.sum()),
        "opposite sign cancel": lambda c, a, n: torch.dot(a - c, n / n.sum()).abs(),
        "forgot to divide": lambda c, a, n: torch.dot((a - c).abs(), n.float()),
        "number of bins": lambda c, a, n: torch.dot((a - c).abs(), n.float()) / len(n),
        "square the gaps": lambda c, a, n: torch.dot((a - c).square(), n / n.sum()),
        "leave the empty bins out": (
            lambda c, a, n: torch.dot((a - c).abs(), n / n.sum())
        ),
        "not a float": lambda c, a, n: 0.03,
    },
}
