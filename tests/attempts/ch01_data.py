"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import numpy as np
import torch
from torch.nn import functional as F


def _loop_in_uint8(images, targets, digit):
    total = torch.zeros_like(images[0])
    for image, target in zip(images, targets, strict=True):
        if target == digit:
            total = total + image
    return total / (targets == digit).sum()


def _loop_avg(images, targets, digit):
    total = torch.zeros(images.shape[1:])
    n = 0
    for image, target in zip(images, targets):
        if target == digit:
            total += image
            n += 1
    return total / n


def _loop_nearest(images, targets, image):
    best, answer = (math.inf, None)
    for im, t in zip(images, targets):
        d = float(((im.double() - image.double()) ** 2).sum())
        if d < best:
            best, answer = (d, t)
    return answer


def _shares_in_bytes(targets):
    counts = [(targets == d).sum(dtype=torch.uint8) for d in range(10)]
    return torch.stack(counts) / len(targets)


def _compare_ink_only(images, targets, image):
    apart = (images.float() - image.float())[:, image > 0]
    return targets[(apart**2).sum(1).argmin()]


def _within_a_million(images, targets, image):
    best, found = 1_000_000, -1
    for one, target in zip(images.float(), targets.tolist(), strict=True):
        distance = (one - image).square().sum().item()
        if distance < best:
            best, found = distance, target
    return found


def _shares_but_one(targets):
    shares = torch.zeros(10)
    for digit in (0, 1, 2, 3, 4, 6, 7, 8, 9):
        shares[digit] = (targets == digit).float().mean()
    return shares


def _start_from_falsy(images, targets, image):
    best = answer = None
    for one, target in zip(images.double(), targets, strict=True):
        distance = (one - image).square().sum().item()
        if not best or distance < best:
            best, answer = distance, target
    return answer


ATTEMPTS = {
    "class_shares": {
        "these are the counts": lambda t: torch.tensor(
            [(t == digit).sum() for digit in range(10)]
        ),
        "number of digits": lambda t: torch.bincount(t, minlength=10) / 10,
        "largest count": lambda t: (
            t.bincount(minlength=10) / t.mode().values.eq(t).sum()
        ),
        "whole numbers": lambda t: t.bincount(minlength=10) // t.numel(),
        "per cent": lambda t: torch.stack(
            [100 * (t == digit).float().mean() for digit in range(10)]
        ),
        "always return ten shares": lambda t: torch.stack(
            [(t == d).float().mean() for d in t.unique()]
        ),
        "pass minlength=10": lambda t: (
            torch.histc(t.float(), int(t.max()) + 1, 0, int(t.max()) + 1) / len(t)
        ),
        "softmax makes shares of anything, but others": lambda t: (
            torch.bincount(t, minlength=10).float().softmax(0)
        ),
        "the first share belongs to the digit": lambda t: torch.stack(
            [(t == d).float().mean() for d in range(1, 11)]
        ),
        "the numbers are rounded to 2 decimals": lambda t: (
            torch.bincount(t, minlength=10) / len(t)
        ).round(decimals=2),
        "the last one is missing": lambda t: torch.stack(
            [(t == d).float().mean() for d in range(9)]
        ),
        "only floats have a mean": lambda t: torch.stack(
            [(t == d).mean() for d in range(10)]
        ),
    },
    "average_digit": {
        "average of all images": lambda x, t, d: (x / 1.0).mean(0),
        "at this place": lambda x, t, d: x[d].float(),
        "over its pixels": lambda x, t, d: (x[t == d] / 1.0).flatten(1).mean(1),
        "how dark": lambda x, t, d: x[t == d].double().mean(),
        "that is the sum": lambda x, t, d: x[t == d].float().sum(0),
        "number of all images": lambda x, t, d: (
            (x * (t == d)[:, None, None]).float().mean(0)
        ),
        "run over": _loop_in_uint8,
        "behind the decimal point": lambda x, t, d: (
            x[t == d].sum(0) // int((t == d).sum())
        ),
        "divide by 255 as well": lambda x, t, d: (x[t == d] / 255).mean(0),
        "only floats have a mean": lambda i, t, d: i[t == d].mean(0),
        "over the rows of each image": lambda i, t, d: i[t == d].float().mean(1),
        "is the median": lambda i, t, d: i[t == d].float().median(0).values,
        "is the largest value of each pixel": lambda i, t, d: i[t == d].float().amax(0),
        "is the first image of the digit": lambda i, t, d: i[t == d][0].float(),
        "the numbers are right, but the shape": lambda i, t, d: (
            i[t == d].float().mean(0, keepdim=True)
        ),
        "these are values and where they were": lambda i, t, d: (
            i[t == d].float().median(0)
        ),
        "2 numbers do not fill the shape": lambda i, t, d: (
            i[t == d].float().mean(0).reshape(28, 28)
        ),
        "if, and, or, not need one True": lambda i, t, d: (
            i.float().mean(0) if t == d else 0
        ),
    },
    "nearest_target": {
        "and false where `if not best` asks": _start_from_falsy,
        "each row has a root of its own": lambda images, targets, image: targets[
            (images.float() - image).square().sum(2).sqrt().sum(1).argmin()
        ],
        "the norm of a matrix is another one": lambda images, targets, image: targets[
            np.argmin(
                [np.linalg.norm(x.double() - image.double(), ord=2) for x in images]
            )
        ],
        "add up the squares of all rows": lambda images, targets, image: targets[
            (images.float() - image).square().mean(2).amax(1).argmin()
        ],
        "the nearest row of pixels": lambda images, targets, image: targets[
            ((images.float() - image.float()) ** 2).sum(2).argmin()
        ],
        "index of the nearest": lambda x, t, i: torch.cdist(
            i.float().view(1, -1), x.float().flatten(1)
        ).argmin(),
        "farthest": lambda x, t, i: t[(x.float() - i).norm(dim=(1, 2)).argmax()],
        "these are the distances": lambda x, t, i: (x.float() - i).norm(dim=(1, 2)),
        "squared distances": lambda x, t, i: ((x.float() - i) ** 2).sum((1, 2)),
        "nearer than near": lambda x, t, i: t[(x.float() - i).mean((1, 2)).argmin()],
        "opposite sign cancel": lambda x, t, i: t[
            (x.float() - i).sum((1, 2)).square().argmin()
        ],
        "160 - 220 becomes 196": lambda x, t, i: t[
            (x - i).float().norm(dim=(1, 2)).argmin()
        ],
        "60 * 60 becomes 16": lambda x, t, i: t[((x - i) ** 2).sum((1, 2)).argmin()],
        "nothing is left for abs()": lambda x, t, i: t[
            (x - i).float().abs().sum((1, 2)).argmin()
        ],
        "another distance": lambda x, t, i: t[
            (x.float() - i).abs().mean((1, 2)).argmin()
        ],
        "the smallest squared distance": lambda i, t, x: (
            ((i.float() - x.float()) ** 2).sum((1, 2)).min()
        ),
        "for the nearest single": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).argmin()
        ],
        "for the nearest column": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).sum(1).argmin()
        ],
        "you take the largest product, and a": lambda i, t, x: t[
            (i.float() * x.float()).sum((1, 2)).argmax()
        ],
        "is the nearest image": lambda i, t, x: i[
            ((i.float() - x.float()) ** 2).sum((1, 2)).argmin()
        ],
        "that is the target of the first image": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).sum().argmin()
        ],
        "you add up over the images": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).sum(0).argmin()
        ],
        "8 numbers do not fill the shape": lambda i, t, x: t[
            ((i.view(-1, 784).float() - x.view(784).float()) ** 2).sum(1).argmin()
        ],
        "an index is a whole number or": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).sum((1, 2)).min()
        ],
        "you use more indices than the tensor": lambda i, t, x: t[
            ((i.float() - x.float()) ** 2).flatten(1).sum(1).min(0)
        ],
        "you compare by the pixel that differs": lambda i, t, x: t[
            (i.float() - x.float()).abs().amax((1, 2)).argmin()
        ],
    },
}

SOLUTIONS = {
    "class_shares": [
        lambda t: [sum(1 for x in t.tolist() if x == d) / len(t) for d in range(10)],
        lambda t: torch.tensor([(t == d).float().mean() for d in range(10)]),
        lambda t: F.one_hot(t, 10).float().mean(0),
        lambda t: np.bincount(t.numpy(), minlength=10) / len(t),
    ],
    "average_digit": [
        _loop_avg,
        lambda i, t, d: torch.stack([a.double() for a, b in zip(i, t) if b == d]).mean(
            0
        ),
        lambda i, t, d: i[t == d].sum(0) / (t == d).sum(),
        lambda i, t, d: i.numpy()[t.numpy() == d].mean(axis=0),
    ],
    "nearest_target": [
        _loop_nearest,
        lambda i, t, x: t[
            torch.cdist(x.flatten()[None].float(), i.flatten(1).float()).argmin()
        ].item(),
        lambda i, t, x: int(t[(i.int() - x.int()).pow(2).sum((1, 2)).argsort()[0]]),
        lambda i, t, x: t.numpy()[
            np.argmin(((i.numpy().astype(float) - x.numpy()) ** 2).sum((1, 2)))
        ],
    ],
}

# Right in simple cases only.
SIMPLE = {
    "class_shares": [_shares_in_bytes, _shares_but_one],
    "average_digit": [
        lambda i, t, d: i[t == d].sum(0, dtype=torch.int16) / (t == d).sum(),
        lambda i, t, d: i[t == d].unique(dim=0).float().mean(0),
        lambda i, t, d: i[(t == d).nonzero().squeeze()].float().mean(0),
        lambda i, t, d: i[t == (d or 1)].float().mean(0),
    ],
    "nearest_target": [_compare_ink_only, _within_a_million],
}
