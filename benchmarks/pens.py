"""Digits with other pens than MNIST's, on paper that is not clean.

A network that learns from them reads more hands (see the book's page on the weights).
What is random follows `torch.manual_seed`. Ink is float `(N, 1, H, W)` in [0, 1].
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Pen = Callable[[Tensor], Tensor]  # from ink to ink of the same shape


def thicker(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, its strokes wider by up to a pixel on either side."""
    return _toward(images, _dilate(images))


def thickest(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, its strokes wider by one to two pixels on either side."""
    wide = _dilate(images)
    return _toward(wide, _dilate(wide))


def thinner(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, its strokes narrower by up to a pixel on either side."""
    return _toward(images, -_dilate(-images))


def blurred(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, each pixel nearer to the mean of its 3x3 neighbours."""
    return _toward(images, F.avg_pool2d(images, 3, stride=1, padding=1))


def coarse(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, as from a scanner that gives a digit 7 to 12 pixels."""
    pixels = int(torch.randint(10, 18, ()))  # on all 28
    few = F.interpolate(images, (pixels, pixels), mode="area")
    return F.interpolate(few, images.shape[2:], mode="bilinear")


def coarse_and_thick(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, its strokes wider by a pixel on either side, `coarse`."""
    return coarse(_dilate(images))


PENS = (thicker, thickest, thinner, blurred, coarse, coarse_and_thick)


def crossed(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, a line across it that does not belong to the digit."""
    y, x = _places(images)
    start, way = _random(images, 2), _random(images, 2) - 0.5
    along = ((x - start[:, :1]) * way[:, :1] + (y - start[:, 1:]) * way[:, 1:]) / (
        way.square().sum(1, keepdim=True).clamp(min=1e-6)
    )
    nearest = start + along.clamp(-1, 1) * way
    away = torch.hypot(x - nearest[:, :1], y - nearest[:, 1:]) * images.shape[-1]
    line = (0.5 + 1.5 * _random(images) - away).clamp(0, 1)
    return images.maximum(line * (0.3 + 0.7 * _random(images)))


def veiled(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)` under a grey that gets darker to one side."""
    y, x = _places(images)
    slope = _random(images, 2) * 2 - 1
    grey = 0.5 + (x - 0.5) * slope[:, :1] + (y - 0.5) * slope[:, 1:]
    return images.lerp(grey.clamp(0, 1), 0.6 * _random(images))


def speckled(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, of which up to a fifth has turned to paper or full ink."""
    specks = torch.rand_like(images) < 0.2 * _random(images)
    return torch.where(specks, torch.rand_like(images).round(), images)


def patched(images: Tensor) -> Tensor:
    """Ink `(N, 1, H, W)`, a square of four to eight pixels blank or full of ink."""
    y, x = _places(images)
    centre, reach = _random(images, 2), (2 + 2 * _random(images)) / images.shape[-1]
    inside = ((x - centre[:, :1]).abs() < reach) & ((y - centre[:, 1:]).abs() < reach)
    return torch.where(inside, _random(images).round(), images)


BLEMISHES = (crossed, veiled, speckled, patched)


def random_stroke(images: Tensor, pens: Sequence[Pen] = PENS) -> Tensor:
    """Draw one image in four with another pen than MNIST's writers had.

    With `BLEMISHES` for pens, paper and scanner are at fault.

    Each pen is taken as often as the others.
    """
    changed = images.clone()
    chosen = torch.randint(4 * len(pens), (len(images),), device=images.device)
    for number, pen in enumerate(pens):
        mine = chosen == number
        if mine.any():
            changed[mine] = pen(images[mine])
    return changed


def _dilate(images: Tensor) -> Tensor:
    """Each pixel takes the most ink of its 3x3 neighbours."""
    return F.max_pool2d(images, 3, stride=1, padding=1)


def _toward(images: Tensor, variants: Tensor) -> Tensor:
    return images + _random(images) * (variants - images)


def _random(images: Tensor, numbers: int = 1) -> Tensor:
    """Numbers in [0, 1] for each image, `(N, numbers, 1, 1)`."""
    return torch.rand(len(images), numbers, 1, 1, device=images.device)


def _places(images: Tensor) -> tuple[Tensor, Tensor]:
    """The rows `(H, 1)` and columns `(W,)` of the pixels' middles, in [0, 1]."""
    height, width = images.shape[2:]
    rows = (torch.arange(height, device=images.device) + 0.5) / height
    return rows[:, None], (torch.arange(width, device=images.device) + 0.5) / width
