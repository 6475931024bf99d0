"""The fifteen corruptions of MNIST-C, coded again from their description.

Mu and Gilmer (2019) chose them so that people read the digits as before, while networks
do not. Their data is a download of its own; here each is computed from any images, with
their numbers. All that is random follows ``torch.manual_seed``.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from mnistedu.augmentation import affine

Corruption = Callable[[Tensor], Tensor]  # ink (N, 1, 28, 28) in [0, 1] -> the same


def blur(ink: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(ink, 2 * math.ceil(4 * sigma) + 1, sigma)


def signs(*shape: int) -> Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def shot_noise(ink: Tensor) -> Tensor:
    return torch.poisson(ink * 3) / 3


def impulse_noise(ink: Tensor) -> Tensor:
    """A pixel in six becomes paper or full ink."""
    hit = torch.rand_like(ink) < 0.17
    return torch.where(hit, torch.randint_like(ink, 2), ink)


def glass_blur(ink: Tensor) -> Tensor:
    """Pixels change places with neighbours, between two light blurs."""
    ink = blur(ink, 0.7)
    for _ in range(2):
        for y in range(27, 1, -1):
            for x in range(27, 1, -1):
                moved = torch.randint(2, (len(ink),)).bool()
                y2, x2 = torch.tensor([[y], [x]]) - torch.randint(2, (2, len(ink)))
                n = torch.arange(len(ink))
                here, there = ink[:, 0, y, x].clone(), ink[n, 0, y2, x2]
                ink[:, 0, y, x] = torch.where(moved, there, here)
                ink[n, 0, y2, x2] = torch.where(moved, here, there)
    return blur(ink, 0.7)


def motion_blur(ink: Tensor) -> Tensor:
    """Ink trails off to one side, by a Gaussian of 3 pixels."""
    angle = (torch.rand(len(ink)) - 0.5) * math.pi / 2
    way = torch.stack([angle.cos(), angle.sin()], 1)
    weights = torch.exp(-(torch.arange(21.0) ** 2) / 18)
    trail = [w * affine(ink, shift=i * way) for i, w in enumerate(weights)]
    return torch.stack(trail).sum(0) / weights.sum()


def shear(ink: Tensor) -> Tensor:
    return affine(ink, shear=math.tan(0.4) * signs(len(ink)))


def scale(ink: Tensor) -> Tensor:
    return affine(ink, scale=0.7)


def rotate(ink: Tensor) -> Tensor:
    return affine(ink, angle=math.degrees(0.4) * signs(len(ink)))


def brightness(ink: Tensor) -> Tensor:
    return ink + 0.5


def translate(ink: Tensor) -> Tensor:
    return affine(ink, shift=3 * signs(len(ink), 2))


def stripe(ink: Tensor) -> Tensor:
    """A quarter of the image on either side is inverted."""
    middle = (torch.arange(28) >= 7) & (torch.arange(28) < 21)
    return torch.where(middle, ink, 1 - ink)


def fog(ink: Tensor) -> Tensor:
    clouds = torch.stack([plasma() for _ in ink])[:, None, :28, :28]
    most = ink.amax((1, 2, 3), keepdim=True)
    return (ink + 3 * clouds) * most / (most + 3)


def plasma(size: int = 256, decay: float = 1.4) -> Tensor:
    """A cloud ``(size, size)`` in [0, 1] by the diamond-square algorithm."""
    cloud, step, wobble = np.zeros((size, size)), size, 100.0

    def near(total: np.ndarray) -> np.ndarray:
        noise = torch.rand(total.shape).double().numpy() * 2 - 1
        return total / 4 + wobble**2 * noise

    while step >= 2:
        half = step // 2
        corners = cloud[::step, ::step]
        rows = corners + np.roll(corners, -1, 0)
        cloud[half::step, half::step] = near(rows + np.roll(rows, -1, 1))
        centres = cloud[half::step, half::step]
        across = centres + np.roll(centres, 1, 0) + corners + np.roll(corners, -1, 1)
        down = centres + np.roll(centres, 1, 1) + corners + np.roll(corners, -1, 0)
        cloud[::step, half::step], cloud[half::step, ::step] = near(across), near(down)
        step, wobble = half, wobble / decay
    cloud -= cloud.min()
    return torch.from_numpy(cloud / cloud.max()).float()


def spatter(ink: Tensor) -> Tensor:
    """Drops of grey on the digit."""
    liquid = blur(0.65 + 0.3 * torch.randn_like(ink), 1)
    drops = blur((liquid > 0.65).float(), 1.5)
    drops = torch.where(drops < 0.8, 0, drops)
    return ink * (1 - drops) + 63 / 255 * drops


def line(start: np.ndarray, end: np.ndarray) -> Tensor:
    """A line ``(28, 28)`` from left to right, fading within 2.3 pixels."""
    (x0, y0), (x1, y1) = start, end
    y, x = np.mgrid[:28, :28]
    away = np.abs(y - y0 - (y1 - y0) / (x1 - x0) * (x - x0)).clip(0, 2.299)
    ink = (np.log(1 - away / 2.3) + 1).clip(0)
    return torch.from_numpy(ink * (x >= math.floor(x0)) * (x < math.ceil(x1))).float()


def dotted_line(ink: Tensor) -> Tensor:
    dots = (torch.arange(28) % 4 >= 2).float()
    ends = torch.randint(27, (len(ink), 2)).tolist()
    lines = [line((0, first), (27, last)) * dots for first, last in ends]
    return ink + torch.stack(lines)[:, None]


def zigzag(ink: Tensor) -> Tensor:
    return ink + torch.stack([_zigzag() for _ in ink])[:, None]


def _zigzag() -> Tensor:
    height = int(torch.randint(27, ()))
    rise = int(torch.randint(-5, 5, ()))
    angle, length = math.atan2(rise, 23), math.hypot(rise, 23)
    turns = np.arange(int((length - 2) // 4) + 1)
    x = np.array([0, *(4.0 * turns + 2), length])
    y = np.array([0, *(2.0 * (-1) ** turns), 0])
    turned = x * math.cos(angle) - y * math.sin(angle)
    points = np.stack([turned + 2, x * math.sin(angle) + y * math.cos(angle) + height])
    return sum(map(line, points.T[:-1], points.T[1:]), torch.zeros(28, 28))


def canny_edges(ink: Tensor) -> Tensor:
    """Only the edges (Canny, 1986): ridges of the gradient, from 0.1 if 0.2 is near."""
    return torch.stack([_edges(each) for each in ink[:, 0].numpy()])[:, None]


def _edges(ink: np.ndarray) -> Tensor:
    smooth = ndimage.gaussian_filter(ink, 1, mode="constant")
    dy, dx = ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)
    strength = np.hypot(dy, dx)
    y, x = np.mgrid[:28, :28]
    length = np.maximum(strength, 1e-9)
    for sign in (1, -1):  # a ridge is no lower than what lies on either side
        beside = ndimage.map_coordinates(
            strength, [y + sign * dy / length, x + sign * dx / length], order=1
        )
        strength = np.where(strength >= beside, strength, 0)
    regions, _ = ndimage.label(strength > 0.1, np.ones((3, 3)))
    kept = np.unique(regions[strength > 0.2])
    return torch.from_numpy(np.isin(regions, kept[kept > 0])).float()


CORRUPTIONS: dict[str, Corruption] = {
    each.__name__.replace("_", " "): each
    for each in (
        shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate,
        brightness, translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges,
    )
}  # fmt: skip


def corrupt(ink: Tensor, name: str) -> Tensor:
    """Ink ``(N, 1, 28, 28)`` in [0, 1], corrupted and cut to [0, 1]."""
    return CORRUPTIONS[name](ink.clone()).clamp(0, 1)
