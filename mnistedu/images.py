"""The three kinds of image in this course, and what each of them must be.

- **Raw digits**, as MNIST's files hold them: uint8 ``(N, 28, 28)``, from 0 for paper
  to 255 for full ink.
- **Ink**, of any size: float ``(N, 1, H, W)`` in [0, 1], from 0 for paper to 1 for full
  ink. Drawings are ink, scans are, and so are raw digits divided by 255.
- **Normalised images**, what the networks take: float ``(N, 1, 28, 28)``, ink less
  MNIST's mean and divided by its standard deviation. Their paper is -0.42.

Whatever takes one of them asks here. What is none gets a ValueError of one sentence.
"""

from typing import Any

import torch
from torch import Tensor

IMAGE_SIZE = 28  #: pixels, in width and height
MNIST_MEAN = 0.1307  #: over all pixels of the 60,000 training images, as ink
MNIST_STD = 0.3081
PAPER = -MNIST_MEAN / MNIST_STD  #: a pixel without ink, once it is normalised
ROUNDING = 1e-3  # by which interpolation may leave [0, 1]


def to_ink(images: Tensor) -> Tensor:
    """Raw digits or ink, with or without the dimension of one channel, as ink.

    Args:
        images: uint8 ``(N, 28, 28)`` or ``(N, 1, 28, 28)``, or float ``(N, H, W)`` or
            ``(N, 1, H, W)`` in [0, 1].

    Returns:
        float ``(N, 1, H, W)`` in [0, 1]: float32, or float64 if that came.

    Raises:
        ValueError: if they are neither.
    """
    wanted = (
        "raw digits, uint8 (N, 28, 28) in 0..255, or ink, float (N, 1, H, W) in [0, 1]"
    )
    _check(isinstance(images, Tensor), wanted, images)
    raw = images.dtype == torch.uint8
    ink = images.unsqueeze(1) if images.ndim == 3 else images
    _check(ink.ndim == 4 and ink.shape[1] == 1, wanted, images)
    if raw:
        _check(ink.shape[2:] == (IMAGE_SIZE, IMAGE_SIZE), wanted, images)
        return ink / 255
    _check(ink.is_floating_point() and _in_range(ink), wanted, images)
    return ink if ink.dtype == torch.float64 else ink.float()


def check_normalized(images: Tensor) -> Tensor:
    """The same images, if a network can take them.

    Args:
        images: float ``(N, 1, 28, 28)``. Ink is told from them by its paper, which is
            0 where theirs is -0.42.

    Raises:
        ValueError: if they are raw digits, ink, or of another shape.
    """
    wanted = "normalised images, float (N, 1, 28, 28), as preprocess.normalize makes"
    _check(isinstance(images, Tensor), wanted, images)
    shape = images.shape[1:] == (1, IMAGE_SIZE, IMAGE_SIZE)
    _check(shape and images.is_floating_point(), wanted, images)
    ink = images.any() and _in_range(images)
    _check(not ink, wanted, images)
    return images


def _in_range(images: Tensor) -> bool:
    """Whether all is in [0, 1], as ink is."""
    if images.numel() == 0 or torch.compiler.is_compiling():  # no values to look at
        return True
    least, most = images.aminmax()
    return bool(least >= -ROUNDING and most <= 1 + ROUNDING)  # False of nan


def _check(good: bool, wanted: str, images: Any) -> None:
    if not good:
        raise ValueError(f"This takes {wanted}; it was given {describe(images)}.")


def describe(images: Any) -> str:
    """What somebody gave for images, in words: its type, shape and range."""
    if not isinstance(images, Tensor):
        return f"{type(images).__name__}, which is no tensor"
    text = f"{str(images.dtype).removeprefix('torch.')} {(*images.shape,)}"
    if images.numel() and not images.is_complex():
        least, most = images.aminmax()
        text += f" in [{least.item():.4g}, {most.item():.4g}]"
    return text
