"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import torch
from torch import Tensor


def center(ink: Tensor, first: float = 0.5) -> tuple[Tensor, Tensor]:
    rows, columns = (torch.arange(float(n)) + first for n in ink.shape)
    return (ink.sum(1) @ rows / ink.sum()), (ink.sum(0) @ columns / ink.sum())


def box(ink: Tensor, faintest: float = 0.1) -> list[Tensor]:
    rows, columns = (ink > faintest).nonzero().T
    return [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]


ATTEMPTS = {
    "center_of_mass": {
        "lies at 0.5": lambda ink: center(ink, first=0),
        "row and column are exchanged": lambda ink: center(ink)[::-1],
        "not by the number of pixels": lambda ink: tuple(
            c * ink.sum() / ink.numel() for c in center(ink)
        ),
        "forgot to divide": lambda ink: tuple(c * ink.sum() for c in center(ink)),
        "dark pixels weigh more": lambda ink: center((ink > 0).float()),
        "middle of the bounding box": lambda ink: tuple(
            at.float().aminmax()[0] / 2 + at.float().aminmax()[1] / 2 + 0.5
            for at in ink.nonzero().T
        ),
        "return 2 results": lambda ink: torch.stack(center(ink)),
        "return a number, not a torch tensor": lambda ink: (ink.sum(1), ink.sum(0)),
    },
    "bounding_box": {
        "with > and not with >=": lambda ink: (
            (ink.amax(1) >= 0.1).nonzero().min().item(),
            (ink.amax(1) >= 0.1).nonzero().max().item() + 1,
            (ink.amax(0) >= 0.1).nonzero().min().item(),
            (ink.amax(0) >= 0.1).nonzero().max().item() + 1,
        ),
        "a slice ends before": lambda ink: tuple(
            int(end) - i % 2 for i, end in enumerate(box(ink))
        ),
        "rows and columns are exchanged": lambda ink: (*box(ink)[2:], *box(ink)[:2]),
        "the order is top, bottom": lambda ink: (*box(ink)[::2], *box(ink)[1::2]),
        "how tall and wide": lambda ink: (
            (b := box(ink))[0],
            b[1] - b[0],
            b[2],
            b[3] - b[2],
        ),
        "compare with 0.1": lambda ink: tuple(box(ink, faintest=0)),
        "a blank row may lie between": lambda ink: (
            (b := box(ink))[0],
            b[0] + (ink > 0.1).any(1).sum(),
            b[2],
            b[2] + (ink > 0.1).any(0).sum(),
        ),
        "return 4 results": lambda ink: torch.tensor(box(ink)),
    },
    "fit_box": {
        "ceil rounds up": lambda height, width: (
            math.ceil(height * 20 / max(height, width)),
            math.ceil(width * 20 / max(height, width)),
        ),
        "to a square": lambda h, w: (20, 20),
        "the shorter side": lambda h, w: (round(20 * h / min(h, w)), 20)[
            :: 1 if h > w else -1
        ],
        "height and width are exchanged": lambda h, w: (
            round(20 * w / max(h, w)),
            round(20 * h / max(h, w)),
        ),
        "wider than tall": lambda h, w: (20, round(20 * w / h)),
        "to be enlarged": lambda h, w: (
            (h, w)
            if max(h, w) < 20
            else (round(20 * h / max(h, w)), round(20 * w / max(h, w)))
        ),
        "int and // cut": lambda h, w: (int(20 / max(h, w) * h), 20 * w // max(h, w)),
        "at least one pixel": lambda h, w: tuple(
            round(20 / max(h, w) * side) for side in (h, w)
        ),
        "round them": lambda h, w: (20 / max(h, w) * h, 20 / max(h, w) * w),
        "return a whole number, not a torch tensor": lambda h, w: (
            torch.tensor([20, 20]),
            torch.tensor([20, 20]),
        ),
    },
}
