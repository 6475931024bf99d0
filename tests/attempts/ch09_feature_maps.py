"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import numpy as np
import torch
from torch.nn import functional as F


def _resp_loop(m, w, i, j):
    total = 0.0
    for c in range(w.shape[0]):
        for a in range(w.shape[1]):
            for b in range(w.shape[2]):
                total += m[c, i + a, j + b].item() * w[c, a, b].item()
    return total


def _n_inplace(f):
    f[:] = f - f.mean(0)
    d = torch.cdist(f, f)
    return d.fill_diagonal_(torch.inf).argmin(1)


ATTEMPTS = {
    "respond": {
        "is not as high as the kernel": lambda maps, weights, i, j: (
            maps[:, i : i + weights.shape[0], j : j + weights.shape[1]] * weights
        ).sum(),
        "the other way round": lambda a, w, i, j: torch.conv2d(a, w[None])[0, j, i],
        "upside down": lambda a, w, i, j: torch.conv2d(a, w.flip(1, 2)[None])[0, i, j],
        "mean of the products": lambda a, w, i, j: (
            torch.conv2d(a, w[None])[0, i, j] / w.numel()
        ),
        "a negative response is cut off at": lambda m, w, i, j: (
            (m[:, i : i + w.shape[1], j : j + w.shape[2]] * w).sum().relu()
        ),
        "these are the products: add them up": lambda m, w, i, j: (
            m[:, i : i + w.shape[1], j : j + w.shape[2]] * w
        ),
        "one number for each channel": lambda m, w, i, j: (
            m[:, i : i + w.shape[1], j : j + w.shape[2]] * w
        ).sum((1, 2)),
        "you use the first channel only": lambda m, w, i, j: (
            m[0, i : i + w.shape[1], j : j + w.shape[2]] * w[0]
        ).sum(),
        "each map has weights of its own": lambda m, w, i, j: (
            m[:, i : i + w.shape[1], j : j + w.shape[2]] * w[0]
        ).sum(),
        "row i and column j are the": lambda m, w, i, j: (
            m[
                :,
                i - w.shape[1] // 2 : i - w.shape[1] // 2 + w.shape[1],
                j - w.shape[2] // 2 : j - w.shape[2] // 2 + w.shape[2],
            ]
            * w
        ).sum(),
        "two tensors do not fit": lambda m, w, i, j: (
            m[i : i + w.shape[1], j : j + w.shape[2]] * w
        ).sum(),
        "works for square kernels only": lambda m, w, i, j: (
            m[:, i : i + w.shape[1], j : j + w.shape[1]] * w
        ).sum(),
        "take the largest of the channels": lambda m, w, i, j: (
            (m[:, i : i + w.shape[1], j : j + w.shape[2]] * w).sum((1, 2)).max()
        ),
        "begins one row and one column too late": lambda m, w, i, j: (
            m[:, i + 1 : i + 1 + w.shape[1], j + 1 : j + 1 + w.shape[2]] * w
        ).sum(),
    },
    "most_excited": {
        "you add the places up": lambda a, c, k: a.mean((2, 3))[:, c].topk(k).indices,
        "least": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[:k],
        "wrong order": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[-k:],
        "largest numbers themselves": lambda a, c, k: (
            a[:, c].flatten(1).max(1).values.sort(descending=True).values[:k]
        ),
        "all channels": lambda a, c, k: (
            a.flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
        "dimension 1": lambda a, c, k: (
            a[c].flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
        "these are values and where they were": lambda m, c, k: (
            m[:, c].amax((1, 2)).topk(k)
        ),
        "you take the largest absolute value": lambda m, c, k: (
            m[:, c].abs().amax((1, 2)).topk(k).indices
        ),
        "these are places in one long row": lambda m, c, k: (
            m[:, c].flatten().topk(k).indices
        ),
        "this function does not take (tuple). max": lambda m, c, k: (
            m[:, c].max((1, 2)).topk(k).indices
        ),
        "the shape should be (2,), not (3, 1, 2)": lambda m, c, k: (
            m[:, c].topk(k).indices
        ),
        "that is the most exciting image alone: return k": lambda m, c, k: (
            m[:, c].amax((1, 2)).argmax()
        ),
        "these are all images in order": lambda m, c, k: (
            m[:, c].amax((1, 2)).argsort(descending=True)
        ),
        "the shape should be (2,), not (3, 2)": lambda m, c, k: (
            m[:, c].amax(1).topk(k).indices
        ),
        "the images are counted from 0, and": lambda m, c, k: (
            m[:, c].amax((1, 2)).topk(k).indices + 1
        ),
        "look at the first channel, whatever channel": lambda m, c, k: (
            m[:, 0].amax((1, 2)).topk(k).indices
        ),
    },
    "nearest": {
        "at distance 0": lambda f: (f[:, None] - f).norm(dim=2).argmin(1),
        "the farthest": lambda f: (f[:, None] - f).norm(dim=2).argmax(1),
        "these are the distances": lambda f: (
            (f[:, None] - f).norm(dim=2).topk(2, largest=False).values[:, 1]
        ),
        "largest product": lambda f: (f @ f.T - 1e6 * torch.eye(len(f))).argmax(1),
        "index of one pair": lambda f: (
            (f[:, None] - f).norm(dim=2) + 1e6 * torch.eye(len(f))
        ).argmin(),
        "you add up how far the numbers": lambda f: (
            torch.cdist(f, f, p=1).fill_diagonal_(torch.inf).argmin(1)
        ),
        "you compare directions, by the cosine": lambda f: (
            (F.normalize(f) @ F.normalize(f).T).fill_diagonal_(-torch.inf).argmax(1)
        ),
        "these are values and where they were": lambda f: (
            torch.cdist(f, f).fill_diagonal_(torch.inf).min(1)
        ),
        "the nearest two, the vector itself among": lambda f: (
            torch.cdist(f, f).topk(2, largest=False).indices
        ),
        "the second farthest": lambda f: torch.cdist(f, f).argsort(1, descending=True)[
            :, 1
        ],
        "you compare by the number that differs": lambda f: (
            torch.cdist(f, f, torch.inf).fill_diagonal_(torch.inf).argmin(1)
        ),
        "your function changes its input features, which": _n_inplace,
        "the nearest vectors": lambda f: f[
            torch.cdist(f, f).fill_diagonal_(torch.inf).argmin(1)
        ],
        "a dimension is missing here": lambda f: torch.stack(
            [torch.cdist(x, f).argmin() for x in f]
        ),
        "1 on the diagonal is not far": lambda f: (
            torch.cdist(f, f) + torch.eye(len(f))
        ).argmin(1),
        "the second nearest others": lambda f: torch.cdist(f, f).argsort(1)[:, 2],
    },
}

SOLUTIONS = {
    "respond": [
        _resp_loop,
        lambda m, w, i, j: F.conv2d(m[None], w[None])[0, 0, i, j],
        lambda m, w, i, j: torch.tensordot(
            m[:, i : i + w.shape[1], j : j + w.shape[2]], w, 3
        ),
    ],
    "most_excited": [
        lambda m, c, k: m[:, c].flatten(1).max(1).values.argsort(descending=True)[:k],
        lambda m, c, k: sorted(range(len(m)), key=lambda n: -m[n, c].max())[:k],
        lambda m, c, k: m[:, c].amax(dim=(-1, -2)).sort(descending=True).indices[:k],
        lambda m, c, k: np.argsort(-m.numpy()[:, c].max((1, 2)))[:k],
    ],
    "nearest": [
        lambda f: torch.cdist(f, f).argsort(1)[:, 1],
        lambda f: torch.cdist(f, f).topk(2, largest=False).indices[:, 1],
        lambda f: [
            min(
                (j for j in range(len(f)) if j != i),
                key=lambda j: float(((f[i] - f[j]) ** 2).sum()),
            )
            for i in range(len(f))
        ],
        lambda f: (
            ((f[:, None] - f) ** 2).sum(2).fill_diagonal_(math.inf).min(1).indices
        ),
    ],
}
