"""Run a network once, then measure what it said.

``predict`` gives ``(logits, targets)``; every metric is a pure function of those.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.inference_mode()
def predict(
    model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Run the model over a loader, in evaluation mode and on the model's device.

    Returns:
        logits ``(N, 10)`` float32 and targets ``(N,)`` int64, both on the CPU. The
        model is left in the mode in which it was.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        batches = [(model(images.to(device)).cpu(), y) for images, y in loader]
    finally:
        model.train(was_training)
    logits, targets = zip(*batches, strict=True)
    return torch.cat(logits), torch.cat(targets)


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """The fraction of images whose largest logit is that of the target, in [0, 1]."""
    return (logits.argmax(1) == targets).float().mean().item()


def confusion_matrix(logits: Tensor, targets: Tensor) -> Tensor:
    """How often each digit (row) was taken for each digit (column).

    Returns:
        int64 ``(10, 10)``; the diagonal counts the correct predictions.
    """
    pairs = targets * 10 + logits.argmax(1)
    return torch.bincount(pairs, minlength=100).view(10, 10)
