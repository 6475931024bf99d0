"""The files of Kaggle's Digit Recognizer: a row an image, a column a pixel."""

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
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
    # pandas reads fast, but does not say where a value is wrong: then it is looked for.
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        rows = ([value.strip(' "\n') for value in line.split(",")] for line in file)
        names = zip_longest(next(rows, []), columns, fillvalue="nothing")
        for i, (name, expected) in enumerate(names, start=1):
            if name != expected:
                raise ValueError(
                    f"{path}: column {i} should be {expected}, and is {name[:20]!r}."
                )
        limits = np.array([9 if name == "label" else 255 for name in columns], np.uint8)
        try:
            # In uint8 pandas, before 3.1, takes 256 for 0.
            frame = pd.read_csv(path, header=None, skiprows=1, dtype=np.int64)
        except pd.errors.EmptyDataError as error:
            raise ValueError(f"{path} has no rows under its column names.") from error
        except (ValueError, OverflowError):
            frame = pd.DataFrame()
        table = frame.to_numpy()
        if table.shape[1] != len(columns) or not (table == table.clip(0, limits)).all():
            raise ValueError(f"{path}: {_first_fault(rows, columns, limits)}")
    return torch.tensor(table, dtype=torch.uint8)


def _first_fault(
    rows: Iterable[list[str]], columns: list[str], limits: NDArray[np.uint8]
) -> str:
    """What a row below the names should have, and has not."""
    lines = ((line, row) for line, row in enumerate(rows, start=2) if row != [""])
    for line, row in lines:
        if len(row) != len(columns):
            return f"line {line} should have {len(columns)} values, and has {len(row)}."
        for name, limit, value in zip(columns, limits, row, strict=True):
            if not (value.isascii() and value.isdecimal() and float(value) <= limit):
                return (
                    f"line {line} should have a whole number from 0 to {limit} as "
                    f"{name}, and has {value[:20]!r}."
                )
    return "this is no table of numbers."


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
    """Write the table to hand in: answers int64 ``(N,)``, in ``test.csv``'s order."""
    rows = (f"{i},{digit}\n" for i, digit in enumerate(answers.tolist(), start=1))
    with written_whole(path) as beside:
        beside.write_text("ImageId,Label\n" + "".join(rows), "utf-8")
