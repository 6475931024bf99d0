"""Thirty pupils who do not exist: files like a class's, to try appendix E with.

`python benchmarks/pupils.py class` writes them to the folder `class`. Each pupil gets
two digits of each kind that real people wrote (see `writers.py`; those to choose by,
from which the shipped networks did not learn) and draws them with a slant, a width and
a pen of their own. Who wrote which is not known, so the hands are simulated; the digits
are not.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from mnistedu.preprocess import center_digit
from mnistedu.storage import save_tensors
from mnistedu.strokes import Point, rasterize

Strokes = list[list[Point]]


def write(
    folder: Path, digits: list[Strokes], targets: Tensor, pupils: int = 30
) -> None:
    """Write a file for each pupil, as ``HandwritingPad`` does: 01, 02 and so on.

    ``digits`` lie on the pad's canvas and as wide as tall, 200 pixels. Where there are
    fewer than two of a kind for each pupil, they are dealt out again from the first.
    """
    torch.manual_seed(0)
    kinds = [(targets == digit).nonzero()[:, 0].tolist() for digit in range(10)]
    for n in range(pupils):
        slant, width, pen = (torch.rand(3) * 2 - 1).tolist()
        dealt = [kind[(2 * n + k) % len(kind)] for k in (0, 1) for kind in kinds]
        inks = [
            draw(digits[i], 0.5 * slant, 0.7 + 0.2 * width, 20 + 8 * pen) for i in dealt
        ]
        images = center_digit(torch.cat(inks))
        drawn = {"images": images, "targets": targets[dealt]}
        save_tensors(folder / f"{n + 1:02}.safetensors", drawn)


def draw(digit: Strokes, slant: float, width: float, pen: float) -> Tensor:
    """Ink ``(1, 1, 280, 280)``: leaning to the right, narrower, with this pen."""
    leaning = [
        [(140 + width * (x - 140) + slant * (140 - y) / 2, y) for x, y in stroke]
        for stroke in digit
    ]
    return rasterize(leaning, pen)


def main(folder: Path) -> None:
    from writers import lift, pen_digits

    digits, targets = [], []
    for points, target, joined, _ in zip(*pen_digits("validation"), strict=True):
        if points.diff(dim=0).norm(dim=1).sum() <= 480:  # no scribbles
            strokes = lift(points, int(target)) if joined else [points.tolist()]
            digits.append([[(40 + 2 * x, 40 + 2 * y) for x, y in s] for s in strokes])
            targets.append(int(target))
    write(folder, digits, torch.tensor(targets))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
