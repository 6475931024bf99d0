"""Attempts as readers write them, and a word of the hint that each gets."""

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


def _a_inplace(m, c):
    m[:, c] = m[:, c].mean()
    return m


def _a_set(m, c, value):
    m = m.clone()
    m[:, c] = value
    return m


def _a_loop(m, c):
    out = m.clone()
    mean = sum(out[n, c].sum().item() for n in range(len(m))) / m[:, c].numel()
    for n in range(len(m)):
        for i in range(m.shape[2]):
            for j in range(m.shape[3]):
                out[n, c, i, j] = mean
    return out


def _a_first_dimension(m, c):
    m = m.clone()
    m[c] = m[c].mean()
    return m


def _a_no_return(m, c):
    m = m.clone()
    m[:, c] = m[:, c].mean()


ATTEMPTS = {
    "respond": {
        "add up each by itself": lambda maps, w, i, j: (
            maps[:, i : i + w.shape[1], j : j + w.shape[2]].sum() * w.sum()
        ),
        "add up the channels before": lambda maps, w, i, j: (
            maps[:, i : i + w.shape[1], j : j + w.shape[2]].sum(0) * w.sum(0)
        ).sum(),
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
        "you pick among the columns": lambda a, c, k: (
            a[:, c].max(1).values.max(0).values.topk(k).indices
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
    "ablated": {
        "you put the channel's sum there": lambda maps, channel: torch.where(
            (torch.arange(maps.shape[1]) == channel)[:, None, None],
            maps[:, channel].sum(),
            maps,
        ),
        "your function changes its input maps": _a_inplace,
        "you put 0 there": lambda m, c: m.index_fill(1, torch.tensor([c]), 0),
        "each image gets a mean of its own": lambda m, c: _a_set(
            m, c, m[:, c].flatten(1).mean(1)[:, None, None]
        ),
        "each place gets a mean of its own": lambda m, c: _a_set(
            m, c, m.mean(0)[c].expand(len(m), -1, -1)
        ),
        "the channels are dimension 1": _a_first_dimension,
        "mean over all channels": lambda m, c: _a_set(m, c, m.mean()),
        "every channel is replaced": lambda m, c: (
            m.mean(dim=(0, 2, 3), keepdim=True) + 0 * m
        ),
        "do it the other way round": lambda m, c: (
            m * (torch.arange(m.shape[1]) == c)[:, None, None]
        ),
        "the others are gone": lambda m, c: (
            m[:, c].mean() * (torch.arange(m.shape[1]) == c)[:, None, None]
        ).expand_as(m),
        "you subtract the mean": lambda m, c: _a_set(m, c, m[:, c] - m[:, c].mean()),
        "that is the mean alone": lambda m, c: m[:, c].mean().item(),
        "this channel only": lambda m, c: m[:, c].mean().expand(m[:, c].shape),
        "you take the channel out": lambda m, c: torch.cat(
            [m[:, :c], m[:, c + 1 :]], dim=1
        ),
        "largest number there": lambda m, c: _a_set(m, c, m[:, c].amax()),
        "your function returns nothing": _a_no_return,
        "that is maps, as it was given": lambda m, c: m,
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
    "ablated": [
        _a_loop,
        lambda m, c: _a_set(m, c, m[:, c].mean()),
        lambda m, c: m.index_fill(1, torch.tensor([c]), m[:, c].mean().item()),
        lambda m, c: torch.where(
            (torch.arange(m.shape[1]) == c).view(1, -1, 1, 1), m[:, c].mean(), m
        ),
        lambda m, c: torch.cat(
            [m[:, :c], 0 * m[:, c : c + 1] + m[:, c].mean(), m[:, c + 1 :]], 1
        ),
    ],
}

# Right in simple cases only.
SIMPLE = {
    "respond": [lambda maps, w, i, j: torch.conv2d(maps[:3], w[None, :3])[0, i, j]],
    "most_excited": [
        lambda maps, c, k: maps[:, c].relu().amax((1, 2)).argsort(0, True, True)[:k],
        lambda m, c, k: m[:, c, :, : m.shape[2]].amax((1, 2)).topk(k).indices,
    ],
}
