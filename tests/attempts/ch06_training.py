"""Attempts as readers write them, and a word of the hint that each gets."""

import math
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F


def smooth(targets, classes, target, others):
    rows = torch.full((len(targets), classes), others)
    rows[range(len(targets)), targets] = target
    return rows


def stop(val_losses, patience, start=1, tolerance=0.0):
    """The loop with a counter, as most write it; so far it is right."""
    best, where, bad = float("inf"), start, 0
    for epoch, loss in enumerate(val_losses, start):
        if loss < best + tolerance:
            best, where, bad = loss, epoch, 0
        else:
            bad += 1
            if bad == patience:
                return epoch, where
    return epoch, where


def never_begin_again(val_losses, patience):
    best, bad = float("inf"), 0
    for epoch, loss in enumerate(val_losses):
        if loss < best:
            best, where = loss, epoch
        else:
            bad += 1
        if bad >= patience:
            break
    return epoch + 1, where + 1


def neighbours(val_losses, patience):
    seen, bad = [], 0
    for loss in val_losses:
        bad = 0 if not seen or loss < seen[-1] else bad + 1
        seen.append(loss)
        if bad >= patience:
            break
    return len(seen), seen.index(min(seen)) + 1


def _e(
    better=lambda a, b: a < b,
    stop=lambda w, p: w >= p,
    first=1,
    final=True,
    reset=True,
    compare_prev=False,
    swap=False,
):

    def f(losses, patience):
        best, best_epoch, wait = (math.inf, first, 0)
        prev = math.inf
        epoch = 0
        for epoch, loss in enumerate(losses, first):
            if better(loss, prev if compare_prev else best):
                best, best_epoch = (loss, epoch)
                if reset:
                    wait = 0
            else:
                wait += 1
                if stop(wait, patience):
                    return (best_epoch, epoch) if swap else (epoch, best_epoch)
            prev = loss
        if final:
            return (best_epoch, epoch) if swap else (epoch, best_epoch)
        return None

    return f


def _e_min(losses, patience):
    best = losses.index(min(losses)) + 1
    return (min(best + patience, len(losses)), best)


def _e_beyond(losses, patience):
    best = losses.index(min(losses)) + 1
    return (best + patience, best)


def _schedule(n, steps, w, peak, part):
    if n < w:
        return peak * n / w
    return peak / 2 * (1 + math.cos(math.pi * part((n - w) / (steps - w))))


def _guess(words):
    return dict(zip("ABCDE", words.split(), strict=True))


def _start_from(val_losses, patience, best):
    at = 0
    for epoch, loss in enumerate(val_losses, 1):
        if loss < best:
            best, at = loss, epoch
        elif epoch - at >= patience:
            return epoch, at
    return len(val_losses), at


def _first_counts_as_bad(val_losses, patience):
    best, at, wait = val_losses[0], 1, 0
    for epoch, loss in enumerate(val_losses, 1):
        if loss < best:
            best, at, wait = loss, epoch, 0
        else:
            wait += 1
            if wait == patience:
                return epoch, at
    return len(val_losses), at


def _compare_from_the_second(val_losses, patience):
    best = 0
    for n in range(1, len(val_losses)):
        if val_losses[n] < val_losses[best]:
            best = n
        elif n - best == patience:
            break
    return n + 1, best + 1


ATTEMPTS = {
    "schedule": {
        "rises along a straight line": lambda step, steps, warmup, peak: (
            peak * (1 - math.cos(math.pi * step / warmup)) / 2
            if step < warmup
            else peak * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
        ),
        "// leaves whole numbers": lambda step, steps, warmup, peak: (
            peak * (step // warmup)
            if step < warmup
            else peak
            * (1 + math.cos(math.pi * ((step - warmup) // (steps - warmup))))
            / 2
        ),
        "the warm-up is missing": lambda n, steps, w, peak: (
            peak * (1 + math.cos(math.pi * n / steps)) / 2
        ),
        "count its steps from there": lambda n, steps, w, peak: _schedule(
            n, steps, w, peak, lambda s: n / steps
        ),
        "has steps - warmup steps": lambda n, steps, w, peak: _schedule(
            n, steps, w, peak, lambda s: (n - w) / steps
        ),
        "a whole wave": lambda n, steps, w, peak: _schedule(
            n, steps, w, peak, lambda s: 2 * s
        ),
        "between -1 and 1": lambda n, steps, w, peak: (
            n / w * peak if n < w else peak * math.cos(math.pi * (n - w) / (steps - w))
        ),
        "twice too large": lambda n, steps, w, peak: (
            n / w * peak
            if n < w
            else peak * (1 + math.cos(math.pi * (n - w) / (steps - w)))
        ),
        "a straight line": lambda n, steps, w, peak: (
            min(n / w, (steps - n) / (steps - w)) * peak
        ),
        "stays where it is": lambda n, steps, w, peak: peak * min(1, n / w),
        "multiply it by peak": lambda n, steps, w, peak: _schedule(
            n, steps, w, 1.0, lambda s: s
        ),
    },
    "diagnoses": {
        "with the keys A, B, C, D, E": lambda: {"A": "labels"},
        "return a dictionary": lambda: ["labels", "dead", "leak", "zero_grad", "rate"],
        "'overfitting' (for B) is none of the words": lambda: _guess(
            "labels overfitting leak rate rate"
        ),
        "3 of 5 diagnoses are right.": lambda: _guess(
            "leak dead labels zero_grad rate"
        ),
        "1 of 5 diagnoses are right, and no two": lambda: _guess(5 * "leak "),
        "0 of 5 diagnoses are right": lambda: _guess("dead rate zero_grad leak labels"),
    },
    "smooth_targets": {
        "one_hot stops at the largest": lambda targets, classes, epsilon: (
            torch.nn.functional.one_hot(targets) * (1 - epsilon) + epsilon / classes
        ),
        "among the other classes": lambda t, k, e: smooth(t, k, 1 - e, e / (k - 1)),
        "more than 1 in each row": lambda t, k, e: torch.eye(k)[t] + e / k,
        "less than 1 in each row": lambda t, k, e: smooth(t, k, 1 - e, 0.0),
        "whole of epsilon": lambda t, k, e: smooth(t, k, 1.0, e),
        "other way round": lambda t, k, e: smooth(t, k, e + (1 - e) / k, (1 - e) / k),
        "nothing is smoothed yet": lambda t, k, e: torch.eye(k)[t],
        "the target loses epsilon and gets its": lambda t, c, e: torch.where(
            F.one_hot(t, c).bool(), 1 - e, e / c
        ),
        "the others get epsilon each": lambda t, c, e: torch.where(
            F.one_hot(t, c).bool(), 1 - e, e
        ),
        "the classes are not ten in every": lambda t, c, e: (
            F.one_hot(t, 10) * (1 - e) + e / 10
        ),
        "the targets are places, not values": lambda t, c, e: t * (1 - e) + e / c,
        "rows and columns are exchanged": lambda t, c, e: (
            (F.one_hot(t, c) * (1 - e) + e / c).T
        ),
        "you have a row for each class": lambda t, c, e: torch.eye(c) * (1 - e) + e / c,
        "you divide by the number of images": lambda t, c, e: (
            F.one_hot(t, c) * (1 - e) + e / len(t)
        ),
    },
    "early_stop": {
        "the first epoch is compared with itself": _first_counts_as_bad,
        "a loss may be larger than that": lambda losses, p: _start_from(losses, p, 1),
        "you keep the last epoch": lambda losses, patience: (
            (at := stop(losses, patience))[0],
            at[1] if at[0] - at[1] >= patience else len(losses),
        ),
        "from 1": lambda losses, patience: stop(losses, patience, start=0),
        "go on to the end": lambda losses, patience: stop(losses, 100),
        "into the future": lambda losses, patience: (
            stop(losses, patience)[0],
            losses.index(min(losses)) + 1,
        ),
        "too long": lambda losses, patience: stop(losses, patience + 1),
        "too early": lambda losses, patience: stop(losses, patience - 1),
        "the order": lambda losses, patience: stop(losses, patience)[::-1],
        "weights of the last": lambda losses, patience: (
            stop(losses, patience)[0],
            stop(losses, patience)[0],
        ),
        "equal loss": lambda losses, patience: stop(losses, patience, tolerance=1e-9),
        "the epoch before": neighbours,
        "only those in a row": never_begin_again,
        "in this case your function comes to": _e(final=False),
        "epoch is looked for among all, also": _e_min,
        "the training cannot end after its last": _e_beyond,
        "these are the epochs, but the best": lambda l, p: _e()(l, p)[0],
        "that is the best loss: return the epoch that had it": lambda l, p: (
            _e()(l, p)[0],
            l[_e()(l, p)[1] - 1],
        ),
        "this is a list, which knows no": lambda l, p: (len(l), l.argmin() + 1),
    },
}

SOLUTIONS = {
    "schedule": [
        lambda n, steps, w, peak: _schedule(n, steps, w, peak, lambda s: s),
        lambda n, steps, w, peak: (
            peak
            * torch.where(
                torch.tensor(n < w),
                n / w,
                torch.tensor(math.pi * (n - w) / (steps - w) / 2).cos() ** 2,
            )
        ),
        lambda n, steps, w, peak: (
            peak * np.interp(n, [0, w], [0, 1])
            if n <= w
            else peak * 0.5 * (1 + np.cos(np.pi * (n - w) / (steps - w)))
        ),
    ],
    "diagnoses": [
        lambda: _guess("labels dead leak zero_grad rate"),
        lambda: dict(zip("BADCE", ["dead", "labels", "zero_grad", "leak", "rate"])),
        lambda: {
            "E": "rate",
            "D": "zero_grad",
            "C": "leak",
            "B": "dead",
            "A": "labels",
        },
    ],
    "smooth_targets": [
        lambda t, c, e: torch.full((len(t), c), e / c).scatter(
            1, t[:, None], 1 - e + e / c
        ),
        lambda t, c, e: (1 - e) * torch.eye(c)[t] + e / c,
        lambda t, c, e: [
            [1 - e + e / c if k == x else e / c for k in range(c)] for x in t.tolist()
        ],
        lambda t, c, e: np.eye(c)[t.numpy()] * (1 - e) + e / c,
    ],
    "early_stop": [
        lambda l, p: list(_e()(l, p)),
        lambda l, p: torch.tensor(_e()(l, p)),
        lambda l, p: tuple(map(float, _e()(l, p))),
        lambda l, p: next(
            (
                (e, b)
                for e in range(1, len(l) + 1)
                for b in [l.index(min(l[:e])) + 1]
                if e - b >= p
            ),
            (len(l), l.index(min(l)) + 1),
        ),
    ],
}

SIMPLE = {
    "early_stop": [
        *(partial(_start_from, best=best) for best in (10, 100, 9999, 1e9)),
        partial(stop, tolerance=-1e-5),
        _compare_from_the_second,
    ],
    "smooth_targets": [
        lambda t, k, e: (F.one_hot(t, k) * (1 - e) + e / k).round(decimals=2)
    ],
    "schedule": [
        lambda n, steps, w, peak: _schedule(
            max(n, 1) if w == 1 else n, steps, w, peak, lambda s: s
        ),
        lambda n, steps, w, peak: min(
            peak * n / w, _schedule(n, steps, 0, peak, lambda s: (n - w) / (steps - w))
        ),
    ],
}
