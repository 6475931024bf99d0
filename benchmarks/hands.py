"""Digits of other hands than MNIST's, drawn here for the shipped network to learn from.

MNIST was written in the United States. Elsewhere a 1 has a flag and sometimes a foot, a
7 a bar, a 9 a curl, and a 4 is open or crossed low; few or none of MNIST's are so. Each
hand below is a digit and its strokes on a canvas of 280x280; every drawing of it bends
them anew and takes another pen.
"""

from itertools import pairwise

import torch

from mnistedu.data import Split
from mnistedu.preprocess import center_digit
from mnistedu.strokes import Point, rasterize

Hand = tuple[int, list[list[Point]]]

# fmt: off
HANDS: list[Hand] = [
    (1, [[(92, 118), (125, 88), (152, 48), (150, 140), (148, 235)]]),
    (1, [[(92, 118), (125, 88), (152, 48), (150, 140), (148, 235)],
         [(105, 235), (195, 235)]]),
    (1, [[(100, 90), (150, 50), (148, 235)]]),
    (1, [[(140, 50), (140, 230)]]),
    (4, [[(150, 45), (105, 110), (80, 172), (130, 178), (210, 160)],
         [(165, 110), (150, 235)]]),
    (4, [[(110, 50), (85, 150), (140, 155), (205, 150)], [(175, 50), (165, 235)]]),
    (6, [[(165, 45), (110, 90), (90, 170), (115, 235), (175, 215), (165, 150),
          (110, 170)]]),
    (7, [[(85, 55), (140, 55), (195, 50), (165, 120), (140, 235)],
         [(110, 140), (195, 135)]]),
    (7, [[(78, 85), (85, 52), (140, 58), (195, 50), (165, 120), (140, 235)]]),
    (7, [[(80, 60), (195, 50), (165, 120), (140, 235)]]),
    (9, [[(185, 75), (140, 45), (100, 85), (130, 125), (175, 100), (184, 72),
          (180, 150), (165, 215), (125, 238), (85, 212)]]),
    (9, [[(175, 70), (140, 48), (112, 80), (135, 108), (170, 90), (176, 72),
          (182, 150), (170, 220), (120, 235), (85, 225)]]),
]
# fmt: on


def draw_hands(times: int) -> Split:
    """Draw each hand so many times, every time a little differently.

    Returns:
        ``times`` images and targets for each hand, as the splits of ``load`` hold
        them. They follow ``torch.manual_seed``.
    """
    images, targets = [], []
    for digit, strokes in HANDS:
        for _ in range(times):
            squeeze = 0.6 + 0.6 * torch.rand(()).item()
            width = 12 + 45 * torch.rand(()).item() ** 2  # mostly thin, up to 57
            drawing = [_round(_shake(stroke, squeeze)) for stroke in strokes]
            images.append(center_digit(rasterize(drawing, width)))
            targets.append(digit)
    pixels = (torch.cat(images).squeeze(1) * 255).round().byte()
    return Split(pixels, torch.tensor(targets))


def _shake(stroke: list[Point], squeeze: float) -> list[Point]:
    """Squeeze the stroke towards the middle and move each point by some 7 pixels."""
    points = torch.tensor(stroke).float()
    points[:, 0] = 140 + (points[:, 0] - 140) * squeeze
    points += 7 * torch.randn(points.shape)
    return [(x, y) for x, y in points.tolist()]


def _round(stroke: list[Point]) -> list[Point]:
    """Cut off the corners twice, each a quarter of the way (Chaikin, 1974)."""
    for _ in range(2):
        cut = [stroke[0]]
        for (x0, y0), (x1, y1) in pairwise(stroke):
            cut.append((0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1))
            cut.append((0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1))
        stroke = [*cut, stroke[-1]]
    return stroke
