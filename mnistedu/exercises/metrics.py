"""Exercises on what one number of accuracy hides."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise


def _ece(confidence: Tensor, accuracy: Tensor, counts: Tensor) -> Tensor:
    return ((accuracy - confidence).abs() * counts).nansum() / counts.sum()


PRECISION = Exercise(
    solution=lambda matrix: matrix.diag() / matrix.sum(0),
    cases=[
        {"matrix": torch.tensor([[3, 1], [2, 2]])},
        {"matrix": torch.tensor([[5, 1, 0], [2, 7, 0], [1, 0, 4]])},
    ],
    mistakes={
        "that is recall: divide by what was called a digit, and answers run along the "
        "columns, so sum over the rows, dimension 0.": (
            lambda matrix: matrix.diag() / matrix.sum(1)
        ),
        "that is the accuracy on all digits together: give one number for each.": (
            lambda matrix: matrix.diag().sum() / matrix.sum()
        ),
        "you divide every count: only those on the diagonal are right answers.": (
            lambda matrix: matrix / matrix.sum(0)
        ),
        "you divide by the number of all images: divide by how many were called this "
        "digit.": lambda matrix: matrix.diag() / matrix.sum(),
        "these are the counts of right answers: divide them by how many were called "
        "this digit.": lambda matrix: matrix.diag(),
        "// cuts the result to whole numbers: divide with /.": (
            lambda matrix: matrix.diag() // matrix.sum(0)
        ),
    },
)

ECE = Exercise(
    solution=_ece,
    cases=[
        {
            "confidence": torch.tensor([0.5, 0.9]),
            "accuracy": torch.tensor([0.5, 0.6]),
            "counts": torch.tensor([90, 10]),
        },
        {
            "confidence": torch.tensor([0.4, 0.9]),
            "accuracy": torch.tensor([0.6, 0.8]),
            "counts": torch.tensor([10, 30]),
        },
        {
            "confidence": torch.tensor([torch.nan, 0.9]),
            "accuracy": torch.tensor([torch.nan, 0.6]),
            "counts": torch.tensor([0, 20]),
        },
    ],
    mistakes={
        "here each bin counts the same: weight the gaps with the counts.": (
            lambda confidence, accuracy, counts: (accuracy - confidence).abs().mean()
        ),
        "a gap counts whichever way it goes: take its absolute value.": (
            lambda confidence, accuracy, counts: (
                ((accuracy - confidence) * counts).sum() / counts.sum()
            )
        ),
        "gaps of opposite sign cancel: take the absolute value of each before you add "
        "them up.": lambda confidence, accuracy, counts: (
            ((accuracy - confidence) * counts).sum().abs() / counts.sum()
        ),
        "you forgot to divide by the number of answers, the sum of the counts.": (
            lambda confidence, accuracy, counts: (
                (accuracy - confidence).abs() * counts
            ).sum()
        ),
        "you divide by the number of bins: divide by the number of answers, the sum of "
        "the counts.": lambda confidence, accuracy, counts: (
            (accuracy - confidence).abs() * counts
        ).mean(),
        "you square the gaps: take their absolute values.": (
            lambda confidence, accuracy, counts: (
                ((accuracy - confidence) ** 2 * counts).sum() / counts.sum()
            )
        ),
        "one nan makes the whole sum nan: leave the empty bins out, for example with "
        "nansum.": lambda confidence, accuracy, counts: (
            ((accuracy - confidence).abs() * counts).sum() / counts.sum()
        ),
    },
)

EXERCISES = {
    "precision": PRECISION,
    "ece": ECE,
}
