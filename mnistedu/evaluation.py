"""Run a network once, then measure what it said.

``predict`` gives ``(logits, targets)``; every metric is a pure function of those:
``logits`` float ``(N, 10)``, ``targets`` int64 ``(N,)`` in 0..9, of any other shape a
ValueError. ``distort`` changes the images beforehand, to see where a network breaks.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import eval_mode, to_model
from mnistedu.augmentation import affine
from mnistedu.images import to_ink


class Calibration(NamedTuple):
    """What a network claimed and what was true, in bins of equal width, ``(bins,)``.

    ``confidence``: the mean of the largest probabilities in each bin; ``accuracy``:
    the fraction of them that were right, both float64 and nan where a bin is empty;
    ``counts``: how many there are.
    """

    confidence: Tensor
    accuracy: Tensor
    counts: Tensor


@torch.inference_mode()
def predict(
    model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Run the model over a loader, in evaluation mode and on the model's device.

    Args:
        model: a network of images to logits, left in the mode in which it was.
        loader: batches of normalised images ``(N, 1, 28, 28)`` and targets ``(N,)``.

    Returns:
        logits ``(N, 10)``, float32 in whatever precision the model computes, and
        targets ``(N,)`` int64, both on the CPU.

    Raises:
        ValueError: if the images are not normalised, or there are none.
    """
    with eval_mode(model):
        batches = [(model(to_model(images, model)), y) for images, y in loader]
    if not batches:
        raise ValueError("The loader gave no images.")
    logits, targets = zip(*batches, strict=True)
    return torch.cat(logits).float().cpu(), torch.cat(targets)


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """The fraction of images whose largest logit is that of the target, in [0, 1]."""
    return _right(logits, targets).float().mean().item()


def confusion_matrix(logits: Tensor, targets: Tensor) -> Tensor:
    """How often each digit (row) was taken for each digit (column): int64 ``(10, 10)``.

    The diagonal counts the correct predictions.
    """
    _check(logits, targets)
    pairs = targets * 10 + logits.argmax(1)
    return torch.bincount(pairs, minlength=100).view(10, 10)


def accuracy_interval(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    """Where the accuracy on all digits like these may lie (Wilson, 1927).

    With n images of which the fraction p is right, and z = 1.96, its ends, in [0, 1],
    are ::

        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Of many such intervals, each from a test set of its own, about 95 % hold the true
    accuracy.
    """
    from scipy.stats import binomtest  # slow to import, seldom needed

    right = int(_right(logits, targets).sum())
    low, high = binomtest(right, len(targets)).proportion_ci(0.95, method="wilson")
    return float(low), float(high)


def per_class_accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """The fraction of each digit's images that is read correctly (its recall).

    It is float32 ``(10,)``, and nan for a digit that is not among the targets.
    """
    matrix = confusion_matrix(logits, targets)
    return matrix.diag() / matrix.sum(1)


def auc(scores: Tensor, positive: Tensor) -> Tensor:
    """In which share of all pairs a positive example has the larger score.

    That is the area under the receiver operating characteristic (Hanley and McNeil,
    1982): 1 if the scores separate the two kinds, about 0.5 if they know nothing.

    Args:
        scores: float ``(N,)``, or ``(C, N)`` for C different scores.
        positive: bool ``(N,)``, some of them true and some false.

    Returns:
        float ``()``, or ``(C,)``, in [0, 1]. A pair with equal scores counts one half.
    """
    others = scores[..., ~positive].sort(-1).values
    mine = scores[..., positive].contiguous()
    less = torch.searchsorted(others, mine).float()  # how many others lie below
    no_more = torch.searchsorted(others, mine, right=True).float()
    return (less + no_more).mean(-1) / (2 * others.shape[-1])


def calibration(logits: Tensor, targets: Tensor, bins: int = 10) -> Calibration:
    """Sort the answers by confidence, the largest probability, into equal bins.

    Bin m, counted from 1, holds the confidences in ((m - 1) / bins, m / bins]. In a
    calibrated network confidence and accuracy agree in every bin (Guo, Pleiss, Sun
    and Weinberger, 2017).
    """
    confidence, right = logits.double().softmax(1).amax(1), _right(logits, targets)
    m = (confidence * bins).ceil().long() - 1  # (N,), each answer's bin, from 0
    counts = m.bincount(minlength=bins)
    confidence, right = m.bincount(confidence, bins), m.bincount(right.double(), bins)
    return Calibration(confidence / counts, right / counts, counts)


def expected_calibration_error(
    logits: Tensor, targets: Tensor, bins: int = 10
) -> float:
    """How far confidence and accuracy are apart: ``Σₘ nₘ/n |accuracyₘ - confidenceₘ|``.

    The mean over the bins of ``calibration``, each weighted by the nₘ of the n answers
    that it holds: in [0, 1], and 0 for a network that is calibrated in every bin
    (Naeini, Cooper and Hauskrecht, 2015).
    """
    confidence, accuracy, counts = calibration(logits, targets, bins)
    return ((accuracy - confidence).abs() * counts).nansum().item() / len(targets)


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """The number to divide logits by, so that their probabilities fit best.

    That is where the cross-entropy of ``logits / temperature`` is smallest (Guo and
    others, 2017). Above 1 the network was too sure of itself, below too modest; no
    answer changes. Fit it on validation images, not on those that judge it.

    Returns:
        The best of 0.2, 0.21 ... 5.
    """
    temperatures = torch.arange(20, 501) / 100
    losses = [F.cross_entropy(logits / t, targets) for t in temperatures]
    return temperatures[torch.stack(losses).argmin()].item()


def most_confident_mistakes(logits: Tensor, targets: Tensor, k: int = 10) -> Tensor:
    """The wrong answers with the largest probabilities.

    Returns:
        Their indices, int64, the most confident one first: k of them, or fewer if
        there are not so many mistakes.
    """
    confidence = logits.double().softmax(1).amax(1)
    wrong = (~_right(logits, targets)).nonzero().squeeze(1)
    return wrong[confidence[wrong].argsort(descending=True)[:k]]


def mcnemar_test(logits_a: Tensor, logits_b: Tensor, targets: Tensor) -> float:
    """Whether the accuracies of two networks differ by more than chance.

    Images on which both are right, or both wrong, do not tell them apart. Of the
    others, b are read by the first network only and c by the second only; if neither
    is better, b has the binomial distribution of b + c tosses of a coin, which McNemar
    (1947) approximated. Dietterich (1998) recommends the test for two networks that are
    trained once.

    Returns:
        The exact two-sided p-value in [0, 1]: how likely a difference at least as
        large would be by chance alone. It is 1 if the networks never differ.
    """
    from scipy.stats import binomtest  # slow to import, seldom needed

    right_a, right_b = _right(logits_a, targets), _right(logits_b, targets)
    only_a, differ = int((right_a & ~right_b).sum()), int((right_a ^ right_b).sum())
    return float(binomtest(only_a, differ).pvalue) if differ else 1.0


def distort(images: Tensor, kind: str, amount: float) -> Tensor:
    """Change images in one way, all by the same amount.

    Args:
        images: raw digits or ink ``(N, 1, H, W)`` (see ``images``).
        kind: what to do, and with it what ``amount`` means: ``"rotation"``, in degrees
            counter-clockwise; ``"shift"``, in pixels to the right; ``"scale"``, the
            factor for width and height; ``"noise"`` that is added to each pixel, its
            standard deviation; ``"blur"`` with a Gaussian, its standard deviation in
            pixels.
        amount: how much. The noise follows ``torch.manual_seed``.

    Returns:
        Ink of the same shape, as ``augmentation.affine`` gives it.

    Raises:
        ValueError: if ``kind`` is none of these, or the images are neither kind.
    """
    images = to_ink(images)
    if kind == "rotation":
        return affine(images, angle=amount)
    if kind == "shift":
        return affine(images, shift=(amount, 0))
    if kind == "scale":
        return affine(images, scale=amount)
    if kind == "noise":
        return (images + amount * torch.randn_like(images)).clamp(0, 1)
    if kind == "blur":
        return _blur(images, amount)
    raise ValueError(
        f'kind is "rotation", "shift", "scale", "noise" or "blur", not {kind!r}.'
    )


def _check(logits: Tensor, targets: Tensor) -> None:
    if targets.shape != logits.shape[:1]:
        raise ValueError(
            f"For logits of shape {tuple(logits.shape)} the targets' shape is "
            f"{(len(logits),)}, not {tuple(targets.shape)}."
        )


def _right(logits: Tensor, targets: Tensor) -> Tensor:
    """Which images are read correctly, bool ``(N,)``."""
    _check(logits, targets)
    return logits.argmax(1) == targets


def _blur(images: Tensor, deviation: float) -> Tensor:
    """Take weighted means along the columns and then the rows of images."""
    position = torch.arange(images.shape[-1]).to(images)
    # The weights fall off as exp(-d²/2), d the distance in standard deviations; that
    # of no blur at all is a thousandth of a pixel, which leaves only d = 0.
    distance = (position[:, None] - position) / max(deviation, 1e-3)
    weights = (-distance.square() / 2).softmax(1)  # (28, 28), each row adds up to 1
    return weights @ images @ weights.T
