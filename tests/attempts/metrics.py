"""Attempts as readers write them, and a word of the hint that each gets."""

import torch
from torch import Tensor


def _in_a_loop(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    for target, answer in zip(targets, answers, strict=True):
        matrix[target, answer] += 1
    return matrix


ATTEMPTS = {
    "confusion": {
        "the other way round": lambda t, a, n: _in_a_loop(t, a, n).T,
        "a pair that occurs twice": lambda t, a, n: torch.zeros(n, n).index_put(
            (t, a), torch.tensor(1.0)
        ),
        "only right answers": lambda t, a, n: torch.diag(
            torch.bincount(t[t == a], minlength=n)
        ),
        "only mistakes": lambda t, a, n: _in_a_loop(t[t != a], a[t != a], n),
        "shares of each row": lambda t, a, n: torch.nn.functional.normalize(
            _in_a_loop(t, a, n).float(), p=1, dim=1
        ),
        "shares of all images": lambda t, a, n: _in_a_loop(t, a, n) / t.numel(),
        "a digit that does not occur": lambda t, a, n: torch.tensor(
            [[((t == i) & (a == j)).sum() for j in t.unique()] for i in t.unique()]
        ),
        "shape should be (2, 2), not (2,)": lambda t, a, n: torch.bincount(a),
        "return a torch tensor, not a list": lambda t, a, n: _in_a_loop(
            t, a, n
        ).tolist(),
    },
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
    "hand_over": {
        "the surest": lambda p, k: p.max(1).values.argsort(descending=True)[:k],
        "wrong order": lambda p, k: torch.topk(-p.amax(1), k).indices.flip(0),
        "one digit only": lambda p, k: torch.topk(p[:, 0], k, largest=False).indices,
        "each row is an image": lambda p, k: (
            p.max(0).values.topk(k, largest=False).indices
        ),
        "return the indices": lambda p, k: -torch.topk(-p.amax(1), k).values,
        "only the first k": lambda p, k: (p.topk(2).values @ p.new([1, -1])).argsort(),
        "shape should be (1,), not (3,)": lambda p, k: p.amax(1) < 0.7,
        "not a list": lambda p, k: p.amax(1).argsort()[:k].tolist(),
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
