"""Strokes: where a pen has been, the ink that it left, and digits of real people.

A stroke is a sequence of points (x, y), x to the right and y down, in pixels of a
canvas of 280x280.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

Point = Sequence[float]  # x and y

SIZE = 280  #: width and height of the canvas
WIDTH = 20  #: a digit that fills the canvas gets strokes as thick as MNIST's


def rasterize(strokes: Iterable[Sequence[Point]], width: float = WIDTH) -> Tensor:
    """Draw strokes with a round pen.

    Args:
        strokes: each a sequence of points (x, y) in [0, 280], joined by straight
            lines; what lies outside is cut off, and a single point is a dot.
        width: that of the pen, in pixels.

    Returns:
        float32 ``(1, 1, 280, 280)`` in [0, 1], antialiased: 0 is paper, 1 full ink.
    """
    ink = torch.zeros(1, 1, SIZE, SIZE)
    for stroke in strokes:
        ink = add_stroke(ink, stroke, width)
    return ink


def add_stroke(ink: Tensor, stroke: Sequence[Point], width: float = WIDTH) -> Tensor:
    """The ink ``(1, 1, 280, 280)`` with one more stroke in it, as a new tensor."""
    ink = ink.clone()
    for (x0, y0), (x1, y1) in zip(stroke, stroke[1:] or stroke, strict=False):
        reach = width / 2 + 1  # pixels further away stay as they are
        left, right = _clip(min(x0, x1) - reach), _clip(max(x0, x1) + reach)
        top, bottom = _clip(min(y0, y1) - reach), _clip(max(y0, y1) + reach)
        x = torch.arange(left, right) + 0.5 - x0  # pixel j covers [j, j + 1]
        y = torch.arange(top, bottom)[:, None] + 0.5 - y0
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-9)
        nearest = ((x * dx + y * dy) / length).clamp(0, 1)  # from start to end
        distance = torch.hypot(x - nearest * dx, y - nearest * dy)
        cover = (width / 2 + 0.5 - distance).clamp(0, 1)
        window = ink[0, 0, top:bottom, left:right]
        torch.maximum(window, cover, out=window)
    return ink


def _clip(position: float) -> int:
    return min(max(math.floor(position), 0), SIZE)


_SAMPLES = Path(__file__).with_name("samples.json").read_text("utf-8")
#: Ten digits as one might write them, small and large and not always in the middle.
SAMPLES: dict[int, list[list[Point]]] = dict(enumerate(json.loads(_SAMPLES)))


def written_digits(
    width: float = 0.7, others: bool = False
) -> tuple[list[list[list[Point]]], Tensor]:
    """Two hundred digits that thirty people wrote on a tablet, twenty of each.

    They are of UCI's pendigits (Alpaydin and Alimoglu, 1996; CC BY 4.0), which keeps
    eight points of each pen's path, joins the strokes of a digit, and has stretched all
    to squares; it does not say who wrote which. ``written.json`` beside this file names
    the source and what was changed: of fours, fives and sevens the line that joined
    the strokes is cut out again. The shipped networks learned from others of the file,
    by the same writers.

    Args:
        width: of each digit, as a share of its height, which is 200 pixels here.
        others: give one hundred digits of the file's other fourteen people instead, ten
            of each.

    Returns:
        The strokes of each digit, for ``rasterize``, and the targets, int64 ``(N,)``.
    """
    path = Path(__file__).with_name("written.json")
    rows = json.loads(path.read_text("utf-8"))["others" if others else "digits"]
    strokes: list[list[list[Point]]] = [
        [[(140 + 2 * width * (x - 50), 40 + 2 * y) for x, y in s] for s in digit]
        for _, digit in rows
    ]
    return strokes, torch.tensor([target for target, _ in rows])
