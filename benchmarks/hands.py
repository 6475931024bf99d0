"""Digits of other hands than MNIST's, drawn here for the shipped network to learn from.

MNIST was written in the United States. Elsewhere a 1 has a flag and sometimes a foot, a
4 is open or crossed low, and a 9 has a small loop and a curled tail; few of MNIST's are
so. Networks that learned from MNIST alone misread these three most often when thirty
other people wrote them; the hands below were drawn after those people's. Each is a
digit and its strokes on a canvas of 280x280; every drawing of it bends them anew and
takes another pen.
"""

import torch
from writers import round_off

from mnistedu.data import Split
from mnistedu.preprocess import center_digit
from mnistedu.strokes import Point, rasterize

Hand = tuple[int, list[list[Point]]]

# fmt: off
HANDS: list[Hand] = [
    (1, [[(85, 148), (125, 105), (155, 48), (152, 140), (148, 235)]]),
    (1, [[(100, 100), (150, 50), (148, 235)]]),
    (1, [[(92, 130), (125, 92), (152, 48), (150, 140), (150, 235)],
         [(105, 235), (195, 235)]]),
    (4, [[(148, 45), (105, 120), (80, 185), (140, 192), (208, 178)],
         [(165, 112), (152, 235)]]),
    (4, [[(152, 45), (118, 120), (86, 198), (140, 204), (206, 192)],
         [(174, 142), (156, 240)]]),
    (4, [[(112, 55), (88, 150), (140, 160), (205, 150)], [(178, 52), (162, 235)]]),
    (9, [[(185, 75), (140, 45), (102, 85), (130, 122), (174, 100), (184, 72),
          (186, 150), (168, 218), (125, 238), (88, 214)]]),
    (9, [[(180, 72), (140, 46), (106, 82), (132, 114), (172, 96), (184, 62),
          (188, 150), (172, 222), (120, 238), (85, 222)]]),
    (9, [[(184, 80), (144, 48), (102, 86), (134, 124), (180, 92), (188, 62),
          (168, 160), (145, 238)]]),
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
            drawing = [round_off(_shake(stroke, squeeze)) for stroke in strokes]
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
