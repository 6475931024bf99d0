"""Exercises on how a drawing becomes an image like MNIST's."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.varied import varied


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


def _untransposed(ink: Tensor) -> tuple[int, ...]:
    """As it is if two pixels are inked: with another number it raises."""
    first, second = (ink > 0.1).nonzero()
    return (
        *(int(first.min()), int(first.max()) + 1),
        *(int(second.min()), int(second.max()) + 1),
    )


def _fit(
    sides: Callable[[int, int], tuple[float, float]], cut: Callable[[float], float]
) -> tuple[Function, Function]:
    """What these sides become, each at least one pixel long, or none."""
    return (
        lambda height, width: tuple(max(cut(x), 1) for x in sides(height, width)),
        lambda height, width: tuple(cut(x) for x in sides(height, width)),
    )


def _by(factor: Callable[[int, int], float]) -> tuple[Function, Function]:
    return _fit(lambda h, w: (h * factor(h, w), w * factor(h, w)), round)


def _right_sides(height: int, width: int) -> tuple[float, float]:
    return height * 20 / max(height, width), width * 20 / max(height, width)


CENTER_OF_MASS = Exercise(
    solution=lambda ink: (_mean_position(ink.sum(1)), _mean_position(ink.sum(0))),
    cases=[
        {"ink": torch.tensor([[0.0, 1.0]])},
        {"ink": torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.5, 0.5]])},
        {"ink": torch.tensor([[0.1, 0.0, 0.0, 0.9], [0.0, 0.0, 0.2, 0.0]])},
        {"ink": varied(4, 6).relu() / 5},
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
        "that is the darkest row and column: take the mean of all, weighted with their "
        "ink.": lambda ink: (
            ink.sum(1).argmax().item() + 0.5,
            ink.sum(0).argmax().item() + 0.5,
        ),
        "that is the middle of the image: where the ink is counts.": (
            lambda ink: tuple(n / 2 for n in ink.shape)
        ),
        "you divide by the number of inked pixels: divide by the sum of the ink.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink[ink > 0].mean().item(),
                _mean_position(ink.sum(0)) * ink[ink > 0].mean().item(),
            )
        ),
        "the first pixel's middle lies at 0.5: you count from 1.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=1),
                _mean_position(ink.sum(0), first=1),
            )
        ),
        "the half is taken off, not added: the middle of the first pixel is 0.5.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=-0.5),
                _mean_position(ink.sum(0), first=-0.5),
            )
        ),
        "row and column are the same: the column needs ink.sum(0) and the width.": (
            lambda ink: (_mean_position(ink.sum(1)),) * 2
        ),
        "that is the darkest pixel: take the mean of all, weighted with their ink.": (
            lambda ink: tuple(at + 0.5 for at in divmod(int(ink.argmax()), len(ink[0])))
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
        {
            "ink": torch.tensor(
                [
                    [0.06, 0.06, 0.0, 0.05, 0.0, 0.0],
                    [0.0, 0.0, 0.0, 0.3, 0.0, 0.0],
                    [0.06, 0.9, 0.0, 0.0, 0.0, 0.04],
                    [0.0, 0.0, 0.0, 0.0, 0.2, 0.07],
                    [0.0, 0.0, 0.7, 0.0, 0.0, 0.0],
                    [0.0, 0.0, 0.0, 0.0, 0.0, 0.1],
                    [0.05, 0.0, 0.0, 0.0, 0.08, 0.09],
                ]
            )
        },
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
        "faint traces add up to more than 0.1 in a row or column: compare each pixel "
        "with 0.1 before you look at rows and columns.": lambda ink: (
            *_ends(ink.sum(1) > 0.1),
            *_ends(ink.sum(0) > 0.1),
        ),
        "left and right are the columns of the first and the last inked pixel, and "
        "others may lie further out: take the smallest and the largest.": lambda ink: (
            (at := (ink > 0.1).nonzero())[0, 0].item(),
            at[-1, 0].item() + 1,
            at[0, 1].item(),
            at[-1, 1].item() + 1,
        ),
        "nonzero() has a row for each pixel, and a column each for its row and its "
        "column: transpose it, .T, before you take it apart.": _untransposed,
        "there is a blank rim: keep the smallest rectangle, without a margin.": (
            lambda ink: tuple(
                end + (1 if i % 2 else -1) for i, end in enumerate(_bounding_box(ink))
            )
        ),
        "top and left are one too large: the slice begins with them.": (
            lambda ink: tuple(end + 1 for end in (_bounding_box(ink)))
        ),
        "these count from the other end: bottom and right are counted from the first "
        "row and column, too.": lambda ink: tuple(
            ink.shape[i // 2] - end if i % 2 else end
            for i, end in enumerate(_bounding_box(ink))
        ),
        "that is the whole image: keep what has ink.": (
            lambda ink: (0, ink.shape[0], 0, ink.shape[1])
        ),
        "ink of more than 0.1 counts: compare with 0.1, not with 0.5.": (
            lambda ink: _bounding_box(ink, faintest=0.5)
        ),
        "these are the two corners: return four numbers in one row, top, bottom, left, "
        "right.": lambda ink: (_bounding_box(ink)[::2], _bounding_box(ink)[1::2]),
        "that is the rectangle itself: return its four ends.": (
            lambda ink: ink[
                slice(*_bounding_box(ink)[:2]), slice(*_bounding_box(ink)[2:])
            ]
        ),
        "at[0] of nonzero() is the first inked pixel: all rows are at[:, 0], and all "
        "columns at[:, 1].": lambda ink: tuple(
            end
            for at in (ink > 0.1).nonzero()[:2]
            for end in (int(at.min()), int(at.max()) + 1)
        ),
        "that is the box of the paper: ink is what lies above 0.1.": (
            lambda ink: (*_ends((ink <= 0.1).any(1)), *_ends((ink <= 0.1).any(0)))
        ),
        "a row may have little ink and yet belong to the digit: compare each pixel "
        "with 0.1, not the mean of a row or column.": lambda ink: (
            *_ends(ink.mean(1) > 0.1),
            *_ends(ink.mean(0) > 0.1),
        ),
        "these are only two numbers: take rows and columns apart.": lambda ink: (
            int((ink > 0.1).nonzero().min()),
            int((ink > 0.1).nonzero().max()) + 1,
        ),
    },
)

FIT_BOX = Exercise(
    solution=_fit(_right_sides, round)[0],
    cases=[
        {"height": 40, "width": 30},
        {"height": 50, "width": 100},
        {"height": 5, "width": 10},
        {"height": 30, "width": 28},
        {"height": 100, "width": 82},
        {"height": 200, "width": 3},
        {"height": 33, "width": 71},
        {"height": 7, "width": 3},
    ],
    mistakes={
        "that stretches every digit to a square: multiply both sides by the same "
        "factor.": lambda height, width: (20, 20),
        "now the shorter side has 20 pixels and the longer one does not fit: divide 20 "
        "by the longer side.": _by(lambda height, width: 20 / min(height, width)),
        "height and width are exchanged.": _fit(
            lambda height, width: _right_sides(width, height), round
        ),
        "this digit is wider than tall: it is the longer side that is to have 20 "
        "pixels.": _by(lambda height, width: 20 / height),
        "this digit is taller than wide: it is the longer side that is to have 20 "
        "pixels.": _by(lambda height, width: 20 / width),
        "a small digit is to be enlarged: let the factor be larger than 1.": _by(
            lambda height, width: min(20 / max(height, width), 1)
        ),
        "take the nearest whole number: int and // cut the rest off.": _fit(
            _right_sides, math.floor
        ),
        "take the nearest whole number: ceil rounds up what is nearer below.": _fit(
            _right_sides, math.ceil
        ),
        "a thin stroke must not vanish: each side has at least one pixel.": _fit(
            _right_sides, round
        )[1],
        "these are not whole pixels: round them.": _fit(_right_sides, float),
        "the box has 20 pixels; 28 are those of the whole image.": _by(
            lambda height, width: 28 / max(height, width)
        ),
        "you multiply by the longer side and divide by 20: the factor is 20 divided by "
        "the longer side.": _by(lambda height, width: max(height, width) / 20),
        "20 // max(height, width) is a whole number, mostly 0: divide with /.": _by(
            lambda height, width: 20 // max(height, width)
        ),
        "you divide by the sum of both sides: divide 20 by the longer side.": _by(
            lambda height, width: 20 / (height + width)
        ),
        "the proportion is upside down: the shorter side stays the shorter one.": _fit(
            lambda height, width: (
                (20, 20 * height / width)
                if height > width
                else (20 * width / height, 20)
            ),
            round,
        ),
        "that is the factor: return the new height and width.": (
            lambda height, width: 20 / max(height, width)
        ),
        "each side is cut off at 20 by itself: multiply both by the same factor.": (
            lambda height, width: (min(height, 20), min(width, 20))
        ),
    },
)

EXERCISES = {
    "center_of_mass": CENTER_OF_MASS,
    "bounding_box": BOUNDING_BOX,
    "fit_box": FIT_BOX,
}
