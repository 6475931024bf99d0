"""The files of Kaggle's Digit Recognizer: a row an image, a column a pixel."""

import csv
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnistedu.augmentation import random_affine
from mnistedu.data import Batches, Split, make_loader
from mnistedu.storage import written_whole

PIXELS = [f"pixel{i}" for i in range(28 * 28)]


def read_table(path: Path, columns: list[str]) -> Tensor:
    """Read a table of digits and pixels, and check every value.

    Args:
        path: a CSV file.
        columns: their names, which its first line must have in this order; a
            ``label`` is from 0 to 9, anything else from 0 to 255.

    Returns:
        uint8 ``(N, len(columns))``.

    Raises:
        ValueError: if a name or a value is another, or there are no rows.
    """
    limits = np.array([9 if name == "label" else 255 for name in columns])
    rows = []
    # Excel begins with a byte order mark; what is no text at all fails by its names.
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        names = zip_longest(next(reader, []), columns, fillvalue="nothing")
        for i, (name, expected) in enumerate(names, start=1):
            if name != expected:
                raise ValueError(
                    f"{path}: column {i} should be {expected}, and is {name[:20]!r}."
                )
        for row in filter(None, reader):  # a blank line is an empty list
            try:
                values = np.array(row, np.uint8)
                good = len(row) == len(columns) and (values <= limits).all()
            except (ValueError, OverflowError):
                good = False
            if not good:
                fault = _first_fault(row, columns, limits)
                raise ValueError(f"{path}: line {reader.line_num} should have {fault}.")
            rows.append(values)
    if not rows:
        raise ValueError(f"{path} has no rows under its column names.")
    return torch.from_numpy(np.stack(rows))


def _first_fault(row: list[str], columns: list[str], limits: NDArray[Any]) -> str:
    """What a row should have, and what it has instead."""
    if len(row) != len(columns):
        return f"{len(columns)} values, and has {len(row)}"
    return next(
        f"a whole number from 0 to {limit} as {name}, and has {value[:20]!r}"
        for name, value, limit in zip(columns, row, limits, strict=True)
        if not (value.strip().isdecimal() and int(value) <= limit)
    )


def read_known(path: Path) -> tuple[Batches, Batches]:
    """Batches to train on, augmented, and to validate on: a tenth of the digits.

    Args:
        path: Kaggle's ``train.csv``.

    Raises:
        ValueError: as ``read_table``, or if there is a single digit.
    """
    table = read_table(path, ["label", *PIXELS])
    if len(table) < 2:
        raise ValueError(f"{path} has one row, too few to train and validate on.")
    table = table[torch.randperm(len(table))]  # in any order, before it is split
    known = Split(table[:, 1:].view(-1, 28, 28), table[:, 0].long())
    held_out = max(1, len(table) // 10)
    val = Split(*(part[:held_out] for part in known))
    train = Split(*(part[held_out:] for part in known))
    train_loader = make_loader(train, shuffle=True, augment=random_affine)
    return train_loader, make_loader(val, 1000)


def read_unknown(path: Path) -> Split:
    """The digits of Kaggle's ``test.csv``, whose targets nobody knows: all 0 here."""
    table = read_table(path, PIXELS)
    return Split(table.view(-1, 28, 28), torch.zeros(len(table), dtype=torch.int64))


def write_submission(path: Path, answers: Tensor) -> None:
    """Write the table to hand in.

    Args:
        path: the file; its folder is made if it is not there.
        answers: int64 ``(N,)`` in 0..9, in the order of ``test.csv``.
    """
    rows = (f"{i},{digit}\n" for i, digit in enumerate(answers.tolist(), start=1))
    with written_whole(path) as beside:
        beside.write_text("ImageId,Label\n" + "".join(rows), "utf-8")
