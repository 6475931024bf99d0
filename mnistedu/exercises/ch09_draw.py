"""Exercises on how a drawing becomes an image like MNIST's."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise


def _mean_position(mass: Tensor, first: float = 0.5) -> float:
    position = torch.arange(len(mass)) + first
    return ((mass * position).sum() / mass.sum()).item()


def _ends(inked: Tensor) -> tuple[int, int]:
    at = inked.nonzero()
    return int(at.min()), int(at.max()) + 1


def _bounding_box(ink: Tensor, faintest: float = 0.1) -> tuple[int, int, int, int]:
    inked = ink > faintest
    return *_ends(inked.any(1)), *_ends(inked.any(0))


def _count_inked(ink: Tensor) -> tuple[int, int, int, int]:
    """As if no row between the first and the last were blank."""
    inked = ink > 0.1
    top, _, left, _ = _bounding_box(ink)
    return top, top + int(inked.any(1).sum()), left, left + int(inked.any(0).sum())


def _scaled(height: int, width: int, factor: float) -> tuple[int, int]:
    return max(round(height * factor), 1), max(round(width * factor), 1)


CENTER_OF_MASS = Exercise(
    solution=lambda ink: (_mean_position(ink.sum(1)), _mean_position(ink.sum(0))),
    cases=[
        {"ink": torch.tensor([[0.0, 1.0]])},
        {"ink": torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.5, 0.5]])},
        {"ink": torch.tensor([[0.1, 0.0, 0.0, 0.9], [0.0, 0.0, 0.2, 0.0]])},
    ],
    mistakes={
        "count from the middle of each pixel: the first lies at 0.5, not at 0.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=0),
                _mean_position(ink.sum(0), first=0),
            )
        ),
        "row and column are exchanged: the row comes first, and ink.sum(1) is the ink "
        "of each row.": (
            lambda ink: (_mean_position(ink.sum(0)), _mean_position(ink.sum(1)))
        ),
        "divide by the sum of the ink, not by the number of pixels.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink.mean().item(),
                _mean_position(ink.sum(0)) * ink.mean().item(),
            )
        ),
        "you forgot to divide by the sum of the ink.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink.sum().item(),
                _mean_position(ink.sum(0)) * ink.sum().item(),
            )
        ),
        "dark pixels weigh more than faint ones: multiply each position by the ink "
        "there.": (
            lambda ink: (
                ink.nonzero()[:, 0].float().mean().item() + 0.5,
                ink.nonzero()[:, 1].float().mean().item() + 0.5,
            )
        ),
        "that is the middle of the bounding box: where there is more ink counts too.": (
            lambda ink: (
                sum(_bounding_box(ink, 0)[:2]) / 2,
                sum(_bounding_box(ink, 0)[2:]) / 2,
            )
        ),
    },
)

BOUNDING_BOX = Exercise(
    solution=_bounding_box,
    cases=[
        {"ink": torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])},
        {"ink": torch.tensor([[0.0, 0.5, 0.0], [0.05, 0.0, 0.0]])},
        {"ink": torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])},
        {"ink": torch.tensor([[0.1, 0.0, 1.0]])},
    ],
    mistakes={
        "a slice ends before its second number: bottom and right are one more than the "
        "last row and column with ink.": lambda ink: tuple(
            end - i % 2 for i, end in enumerate(_bounding_box(ink))
        ),
        "rows and columns are exchanged: ink is indexed as ink[row, column].": (
            lambda ink: _bounding_box(ink.T)
        ),
        "the order is top, bottom, left, right.": (
            lambda ink: tuple(_bounding_box(ink)[i] for i in (0, 2, 1, 3))
        ),
        "bottom and right are where the box ends, not how tall and wide it is.": (
            lambda ink: tuple(
                _bounding_box(ink)[i] - (_bounding_box(ink)[i - 1] if i % 2 else 0)
                for i in range(4)
            )
        ),
        "ink of 0.1 or less counts as paper: compare with 0.1, not with 0.": (
            lambda ink: _bounding_box(ink, faintest=0)
        ),
        "ink of exactly 0.1 is paper too: compare with > and not with >=.": (
            lambda ink: _bounding_box(ink, faintest=0.0999)
        ),
        "a blank row may lie between two parts of a digit: look for the first and the "
        "last row with ink instead of counting them, and so for the columns.": (
            _count_inked
        ),
    },
)

FIT_BOX = Exercise(
    solution=lambda height, width: _scaled(height, width, 20 / max(height, width)),
    cases=[
        {"height": 40, "width": 30},
        {"height": 50, "width": 100},
        {"height": 5, "width": 10},
        {"height": 30, "width": 28},
        {"height": 100, "width": 82},
        {"height": 200, "width": 3},
    ],
    mistakes={
        "that stretches every digit to a square: multiply both sides by the same "
        "factor.": lambda height, width: (20, 20),
        "now the shorter side has 20 pixels and the longer one does not fit: divide 20 "
        "by the longer side.": (
            lambda height, width: _scaled(height, width, 20 / min(height, width))
        ),
        "height and width are exchanged.": (
            lambda height, width: _scaled(width, height, 20 / max(height, width))
        ),
        "this digit is wider than tall: it is the longer side that is to have 20 "
        "pixels.": lambda height, width: _scaled(height, width, 20 / height),
        "a small digit is to be enlarged: let the factor be larger than 1.": (
            lambda height, width: _scaled(
                height, width, min(20 / max(height, width), 1)
            )
        ),
        "take the nearest whole number: int and // cut the rest off.": (
            lambda height, width: (
                max(height * 20 // max(height, width), 1),
                max(width * 20 // max(height, width), 1),
            )
        ),
        "take the nearest whole number: ceil rounds up what is nearer below.": (
            lambda height, width: (
                -(-height * 20 // max(height, width)),
                -(-width * 20 // max(height, width)),
            )
        ),
        "a thin stroke must not vanish: each side has at least one pixel.": (
            lambda height, width: (
                round(height * 20 / max(height, width)),
                round(width * 20 / max(height, width)),
            )
        ),
        "these are not whole pixels: round them.": (
            lambda height, width: (
                height * 20 / max(height, width),
                width * 20 / max(height, width),
            )
        ),
    },
)

EXERCISES = {
    "center_of_mass": CENTER_OF_MASS,
    "bounding_box": BOUNDING_BOX,
    "fit_box": FIT_BOX,
}
