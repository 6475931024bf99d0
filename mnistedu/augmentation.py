"""Augmentation: what a digit would look like from another hand.

A network that sees every image a little changed each time learns what does not matter
(Simard, Steinkraus and Platt, 2003). What is random follows ``torch.manual_seed``.
Images that are neither raw digits nor ink are a ValueError.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistedu.images import to_ink


def affine(
    images: Tensor,
    angle: Tensor | float = 0,
    scale: Tensor | float = 1,
    shear: Tensor | float = 0,
    shift: Tensor | Sequence[float] = (0, 0),
) -> Tensor:
    """Scale, shear, rotate and shift images, in that order, about their centre.

    Args:
        images: raw digits or ink ``(N, 1, H, W)`` (see ``images``). What comes in at
            the edges is paper.
        angle: rotation in degrees, counter-clockwise; one number or ``(N,)``.
        scale: the factor for width and height; one number or ``(N, 2)``.
        shear: slant to the right, as in italics (tangent of the angle); one number
            or ``(N,)``.
        shift: pixels to the right and down; two numbers or ``(N, 2)``.

    Returns:
        Ink ``(N, 1, H, W)`` in [0, 1], interpolated linearly: float32, or float64 if
        that came.
    """
    images = to_ink(images)
    n, _, height, width = images.shape

    def for_each(value: Tensor | Sequence[float] | float, *shape: int) -> Tensor:
        return torch.as_tensor(value).to(images).expand(n, *shape)

    radians, slant = for_each(angle).deg2rad(), for_each(shear)
    cos, sin = radians.cos(), radians.sin()
    # Where each new pixel comes from, in coordinates that go from -1 to 1.
    source = torch.stack([cos + slant * sin, slant * cos - sin, sin, cos], dim=1)
    source = source.view(n, 2, 2) / for_each(scale, 2)[:, :, None]
    size = torch.tensor([width, height]).to(images)
    source = source * (size / size[:, None])  # in pixels both ways, if not square
    offset = source @ (for_each(shift, 2) * 2 / size)[:, :, None]  # (N, 2, 1)
    theta = torch.cat([source, -offset], dim=2)  # (N, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def random_affine(
    images: Tensor,
    degrees: float = 10,
    scale: float = 0.1,
    shear: float = 0.1,
    shift: float = 2,
) -> Tensor:
    """Change each image by its own random amounts, as ``affine`` does.

    Args:
        images: raw digits or ink ``(N, 1, H, W)``, as ``affine`` takes them.
        degrees: rotation, between -degrees and degrees.
        scale: width and height, each between 1 - scale and 1 + scale times theirs.
        shear: slant, between -shear and shear.
        shift: in each direction, between -shift and shift pixels.

    Returns:
        Ink of the same shape, as ``affine`` gives it.
    """

    def uniform(limit: float, *shape: int) -> Tensor:
        random = torch.rand(len(images), *shape, device=images.device)
        return (random * 2 - 1) * limit

    scales = 1 + uniform(scale, 2)
    return affine(images, uniform(degrees), scales, uniform(shear), uniform(shift, 2))
