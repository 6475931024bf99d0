"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import numpy as np
import torch
from scipy.stats import binom, binomtest, chi2
from torch import Tensor
from torch.nn import functional as F


def _in_a_loop(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    for target, answer in zip(targets, answers, strict=True):
        matrix[target, answer] += 1
    return matrix


def _k_alias(t, a, c):
    m = [[0] * c] * c
    for x, y in zip(t, a):
        m[x][y] += 1
    return torch.tensor(m)


def _k_10(t, a, c):
    m = torch.zeros(10, 10)
    for x, y in zip(t, a):
        m[x, y] += 1
    return m


def _k_both(t, a, c):
    m = torch.zeros(c, c)
    for x, y in zip(t, a):
        m[x, y] += 1
        if x != y:
            m[y, x] += 1
    return m


def _k_return_inside(t, a, c):
    m = torch.zeros(c, c)
    for x, y in zip(t, a):
        m[x, y] += 1
        return m


def _k_right(t, a, c):
    m = torch.zeros(c, c)
    for x, y in zip(t, a):
        m[x, y] += 1
    return m


def _k_pairs(t, a, c):
    m = torch.zeros(c, c)
    for x in t:
        for y in a:
            m[x, y] += 1
    return m


def interval(is_right, picks, *ends):
    accuracies = is_right[picks].float().mean(1)
    return tuple(torch.quantile(accuracies, end).item() for end in ends)


def _fewer(a, b):
    """The smaller count of those on which one alone is right, and all of them."""
    counts = int((a > b).sum()), int((b > a).sum())
    return min(counts), sum(counts)


ATTEMPTS = {
    "mcnemar": {
        "add up to the smaller one": lambda a, b: min(
            1.0,
            2
            * sum(
                math.comb(n := int((a ^ b).sum()), k)
                for k in range(int((a & ~b).sum()) + 1)
            )
            / 2**n,
        ),
        "with the opposite of a_is_right": lambda a, b: (
            binomtest(int((a & b).sum()), int((a == b).sum())).pvalue
        ),
        "one side only": lambda a, b: binom.cdf(*_fewer(a, b), 0.5),
        "at most 1": lambda a, b: 2 * binom.cdf(*_fewer(a, b), 0.5),
        "n is the number of the others": lambda a, b: min(
            1.0, 2 * binom.cdf(_fewer(a, b)[0], len(a), 0.5)
        ),
        "add up what is as rare": lambda a, b: binom.pmf(*_fewer(a, b), 0.5),
        "range ends one earlier": lambda a, b: min(
            1.0,
            2 * sum(binom.pmf(i, _fewer(a, b)[1], 0.5) for i in range(_fewer(a, b)[0])),
        ),
        "the difference of the two accuracies": lambda a, b: (
            a.float().mean() - b.float().mean()
        ),
        "chi-square": lambda a, b: chi2.sf(
            (_fewer(a, b)[1] - 2 * _fewer(a, b)[0]) ** 2 / max(1, _fewer(a, b)[1]), 1
        ),
        "no such difference": lambda a, b: (
            1 - binomtest(*_fewer(a, b)).pvalue if _fewer(a, b)[1] else 0.0
        ),
        "mistakes of each model": lambda a, b: (
            binomtest(int((~a).sum()), max(1, int((~a).sum() + (~b).sum()))).pvalue
        ),
    },
    "confusion": {
        "a byte ends at 255": lambda t, a, n: (
            F.one_hot(t, n).T @ F.one_hot(a, n)
        ).byte(),
        "row 0 belongs to digit 0": lambda targets, answers, classes: torch.stack(
            [
                torch.stack(
                    [
                        ((targets - 1) % classes == a)[
                            (answers - 1) % classes == b
                        ].sum()
                        for b in range(classes)
                    ]
                )
                for a in range(classes)
            ]
        ),
        "as many images as there are classes": lambda t, a, n: torch.stack(
            [
                torch.tensor([sum((t[:n] == i) & (a[:n] == j)) for j in range(n)])
                for i in range(n)
            ]
        ),
        "with targets[1:] and answers[1:]": lambda t, a, n: torch.stack(
            [torch.bincount(a[1:][t[1:] == i], minlength=n) for i in range(n)]
        ),
        "the other way round": lambda t, a, n: _in_a_loop(t, a, n).T,
        "a pair that occurs twice": lambda t, a, n: torch.zeros(n, n).index_put(
            (t, a), torch.tensor(1.0)
        ),
        "only right answers are counted": lambda t, a, n: torch.diag(
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
        "all rows are the same list": _k_alias,
        "that is ten times ten whatever classes": _k_10,
        "each mistake counts twice, in both directions": _k_both,
        "only the first image is counted": _k_return_inside,
        "the numbers are right, but the shape": lambda t, a, c: torch.bincount(
            t * c + a, minlength=c * c
        ),
        "you count every target with every answer": _k_pairs,
        "11 numbers do not fill the shape": lambda t, a, c: torch.bincount(
            t * c + a
        ).view(c, c),
        "the last row and the last column": lambda t, a, c: _k_right(t, a, c)[:-1, :-1],
        "12 numbers do not fill the shape": lambda t, a, c: torch.bincount(
            t * 10 + a, minlength=c * c
        ).view(c, c),
        "if, and, or, not need one True": lambda t, a, c: torch.tensor(
            [[float((t == i and a == j).sum()) for j in range(c)] for i in range(c)]
        ),
    },
    "ece": {
        "parts are to be added up": lambda c, a, n: (
            n / n.sum() * (a - c).abs()
        ).nanmean(),
        "each bin counts the same": lambda c, a, n: torch.mean(torch.abs(c - a)),
        "whichever way": lambda c, a, n: torch.dot(a - c, n / n.sum()),
        "opposite sign cancel": lambda c, a, n: torch.dot(a - c, n / n.sum()).abs(),
        "forgot to divide by the number of": lambda c, a, n: torch.dot(
            (a - c).abs(), n.float()
        ),
        "number of bins": lambda c, a, n: torch.dot((a - c).abs(), n.float()) / len(n),
        "square the gaps": lambda c, a, n: torch.dot((a - c).square(), n / n.sum()),
        "leave the empty bins out": lambda c, a, n: torch.dot(
            (a - c).abs(), n / n.sum()
        ),
        "these are per cent, 100 times what": lambda c, a, n: (
            100 * ((a - c).abs() * n).nansum() / n.sum()
        ),
        "that is the largest gap": lambda c, a, n: (a - c).abs().nan_to_num().max(),
        "these are the parts of each bin: add them up": lambda c, a, n: (
            ((a - c).abs() * n).nan_to_num() / n.sum()
        ),
        "it is 0.0 in every case": lambda c, a, n: (
            ((a - c).abs() * n).nansum() // n.sum()
        ),
        "if, and, or, not need one True": lambda c, a, n: (
            sum((x * y for x, y in zip((a - c).abs(), n) if n > 0)) / n.sum()
        ),
        "the gaps and take the root in": lambda c, a, n: (
            ((a - c) ** 2 * n).nansum() / n.sum()
        ).sqrt(),
    },
    "bootstrap": {
        "the mean and half the width": lambda right, picks: (
            (scores := right[picks].double().mean(1)).mean(),
            (scores.quantile(0.975) - scores.quantile(0.025)) / 2,
        ),
        "plus and minus one deviation": lambda r, picks: (
            (acc := r.double()[picks].mean(1)).mean() - acc.std(),
            acc.mean() + acc.std(),
        ),
        "nine tenths": lambda r, picks: interval(r, picks, 0.05, 0.95),
        "the smallest and the largest": lambda r, picks: (
            r[picks].float().mean(1).min(),
            r[picks].float().mean(1).max(),
        ),
        "return low, then high": lambda r, picks: interval(r, picks, 0.975, 0.025),
        "two deviations": lambda r, picks: (
            (acc := r[picks].float().mean(1)).mean() - 2 * acc.std(),
            acc.mean() + 2 * acc.std(),
        ),
        "the mean runs over the wrong": lambda r, picks: (
            r[picks].float().mean(0).quantile(torch.tensor([0.025, 0.975]))
        ),
        "accuracies of all rows": lambda r, picks: r[picks].float().mean(1),
        "only floats have a mean": lambda r, picks: r[picks].mean(1),
        "these are per cent": lambda r, picks: [
            100 * end for end in interval(r, picks, 0.025, 0.975)
        ],
    },
    "risk_coverage": {
        "you sort is_right by itself": lambda c, right: (
            (~right.sort(descending=True).values).cumsum(0)
            / torch.arange(1, len(right) + 1)
        ),
        "by one answer too many": lambda confidence, right: (
            (~right[confidence.argsort(descending=True)]).cumsum(0)
            / torch.arange(2, len(right) + 2)
        ),
        "add them up first, with cumsum": lambda c, r: torch.tensor(
            [
                (not right) / k
                for k, right in enumerate(r[(-c).argsort()].tolist(), start=1)
            ]
        ),
        "you begin with the least sure": lambda c, r: (
            (1 - r[c.argsort()].float()).cumsum(0) / torch.arange(1, len(r) + 1)
        ),
        "taken as they come": lambda c, r: (~r).cumsum(0) / torch.arange(1, len(r) + 1),
        "that is the accuracy": lambda c, r: (
            r[c.argsort(descending=True)].cumsum(0) / torch.arange(1, len(r) + 1)
        ),
        "the counts of mistakes": lambda c, r: (~r[c.sort(descending=True)[1]]).cumsum(
            0
        ),
        "number of all images": lambda c, r: (
            (~r[c.argsort(descending=True)]).cumsum(0) / len(r)
        ),
        "begin with 1": lambda c, r: (
            (~r[c.argsort(descending=True)]).cumsum(0) / torch.arange(len(r))
        ),
        "which answers are wrong, in order": lambda c, r: (
            ~r[c.argsort(descending=True)]
        ),
        "the last one is missing": lambda c, r: torch.stack(
            [
                (~r[c.argsort(descending=True)][:k]).float().mean()
                for k in range(1, len(r))
            ]
        ),
    },
}

SOLUTIONS = {
    "mcnemar": [
        lambda a, b: binomtest(*_fewer(a, b)).pvalue if _fewer(a, b)[1] else 1.0,
        lambda a, b: min(1.0, 2 * binom.cdf(*_fewer(a, b), 0.5)),
        lambda a, b: torch.tensor(
            [
                math.comb(_fewer(a, b)[1], i) / 2 ** _fewer(a, b)[1]
                for i in range(_fewer(a, b)[1] + 1)
                if min(i, _fewer(a, b)[1] - i) <= _fewer(a, b)[0]
            ]
        ).sum(),
    ],
    "confusion": [
        _k_right,
        lambda t, a, c: torch.bincount(t * c + a, minlength=c * c).view(c, c),
        lambda t, a, c: F.one_hot(t, c).T @ F.one_hot(a, c),
        lambda t, a, c: [
            [int(((t == i) & (a == j)).sum()) for j in range(c)] for i in range(c)
        ],
    ],
    "ece": [
        lambda c, a, n: (((a - c).abs() * n).nansum() / n.sum()).item(),
        lambda c, a, n: (
            sum(
                (
                    abs(x - y) * m
                    for x, y, m in zip(a.tolist(), c.tolist(), n.tolist())
                    if m
                )
            )
            / n.sum().item()
        ),
        lambda c, a, n: ((a - c).abs()[n > 0] * n[n > 0]).sum() / n.sum(),
        lambda c, a, n: (n / n.sum() * (a - c).abs()).nan_to_num().sum(),
        lambda c, a, n: (
            np.nansum(np.abs(a.numpy() - c.numpy()) * n.numpy()) / n.numpy().sum()
        ),
    ],
    "bootstrap": [
        lambda r, picks: interval(r, picks, 0.025, 0.975),
        lambda r, picks: torch.stack([r[row].float().mean() for row in picks]).quantile(
            torch.tensor([0.025, 0.975])
        ),
        lambda r, picks: np.percentile(
            r.numpy()[picks.numpy()].mean(axis=1), [2.5, 97.5]
        ),
    ],
    "risk_coverage": [
        lambda c, r: torch.stack(
            [1 - r[c.topk(k).indices].float().mean() for k in range(1, len(r) + 1)]
        ),
        lambda c, r: (
            1
            - r[c.argsort(descending=True)].float().cumsum(0)
            / torch.arange(1, len(r) + 1)
        ),
        lambda c, r: [
            sum(not right for _, right in ranked[:k]) / k
            for ranked in [sorted(zip(c.tolist(), r.tolist()), reverse=True)]
            for k in range(1, len(ranked) + 1)
        ],
    ],
}

# Right in simple cases only.
SIMPLE = {
    "confusion": [
        lambda t, a, c: (10 * t + a).bincount(minlength=100)[:100].view(10, 10)[:c, :c]
    ],
    "risk_coverage": [
        lambda c, right: (
            (~right[c.argsort(descending=True)]).cumsum(0, dtype=torch.uint8)
            / torch.arange(1, len(right) + 1)
        )
    ],
    "bootstrap": [
        lambda right, picks: (
            right[picks[:-1]]
            .double()
            .mean(1)
            .quantile(torch.tensor([0.025, 0.975]).double())
        )
    ],
    "ece": [
        lambda c, a, n: ((a - c).abs() * n)[n > 4].sum() / n[n > 4].sum(),
    ],
}
