"""Attempts as readers write them, and a word of the hint that each gets."""

import torch


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


ATTEMPTS = {
    "smooth_targets": {
        "one_hot stops at the largest": lambda targets, classes, epsilon: (
            torch.nn.functional.one_hot(targets) * (1 - epsilon) + epsilon / classes
        ),
        "among the other classes": lambda t, k, e: smooth(t, k, 1 - e, e / (k - 1)),
        "more than 1": lambda t, k, e: torch.eye(k)[t] + e / k,
        "less than 1": lambda t, k, e: smooth(t, k, 1 - e, 0.0),
        "whole of epsilon": lambda t, k, e: smooth(t, k, 1.0, e),
        "other way round": lambda t, k, e: smooth(t, k, e + (1 - e) / k, (1 - e) / k),
        "nothing is smoothed": lambda t, k, e: torch.eye(k)[t],
        "shape should be (1, 2), not (2, 1)": lambda t, k, e: (
            smooth(t, k, 1 - e + e / k, e / k).T
        ),
        "not a list": lambda t, k, e: smooth(t, k, 1 - e + e / k, e / k).tolist(),
    },
    "early_stop": {
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
        "best loss": lambda losses, patience: (4, min(losses[:4])),
        "equal loss": lambda losses, patience: stop(losses, patience, tolerance=1e-9),
        "the epoch before": neighbours,
        "only those in a row": never_begin_again,
        "return 2 results": lambda losses, patience: stop(losses, patience)[0],
    },
}
