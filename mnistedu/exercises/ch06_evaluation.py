"""Exercises on what one number of accuracy hides."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise


def _ece(confidence: Tensor, accuracy: Tensor, counts: Tensor) -> Tensor:
    return ((accuracy - confidence).abs() * counts).nansum() / counts.sum()


def _confusion(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    pairs = targets * classes + answers
    return pairs.bincount(minlength=classes**2).view(classes, classes)


def _count_pairs_once(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    matrix = torch.zeros(classes, classes)
    matrix[targets, answers] += 1
    return matrix


def _hand_over(probabilities: Tensor, k: int) -> Tensor:
    return probabilities.amax(1).argsort()[:k]


CONFUSION = Exercise(
    solution=_confusion,
    cases=[
        {
            "targets": torch.tensor([0, 1, 1]),
            "answers": torch.tensor([0, 0, 1]),
            "classes": 2,
        },
        {
            "targets": torch.tensor([0, 0, 1]),
            "answers": torch.tensor([1, 1, 1]),
            "classes": 2,
        },
        {
            "targets": torch.tensor([0, 1, 1, 2]),
            "answers": torch.tensor([0, 1, 0, 2]),
            "classes": 4,
        },
    ],
    mistakes={
        "the other way round: the target is the row, the answer the column.": (
            lambda targets, answers, classes: _confusion(answers, targets, classes)
        ),
        "a pair that occurs twice counts once: `matrix[targets, answers] += 1` adds 1 "
        "to each place, however often it is named. Go through the pairs in a loop, or "
        "use bincount.": _count_pairs_once,
        "only right answers are counted: a mistake belongs there too, beside the "
        "diagonal.": lambda targets, answers, classes: (
            _confusion(targets, answers, classes).diag().diag()
        ),
        "only mistakes are counted: right answers belong there too, on the diagonal.": (
            lambda targets, answers, classes: _confusion(
                targets, answers, classes
            ).fill_diagonal_(0)
        ),
        "these are shares of each row: leave the counts as they are.": (
            lambda targets, answers, classes: (
                _confusion(targets, answers, classes)
                / targets.bincount(minlength=classes)[:, None]
            )
        ),
        "these are shares of all images: leave the counts as they are.": (
            lambda targets, answers, classes: (
                _confusion(targets, answers, classes) / len(targets)
            )
        ),
        "a digit that does not occur has a row and a column too: the table is classes "
        "× classes.": lambda targets, answers, classes: _confusion(
            targets, answers, int(targets.max()) + 1
        ),
    },
)

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

# So clear that every sensible rule agrees: smallest confidence, smallest lead, entropy.
HAND_OVER = Exercise(
    solution=_hand_over,
    cases=[
        {
            "probabilities": torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]),
            "k": 1,
        },
        {
            "probabilities": torch.tensor(
                [
                    [0.5, 0.3, 0.2],
                    [0.98, 0.01, 0.01],
                    [0.4, 0.35, 0.25],
                    [0.1, 0.8, 0.1],
                ]
            ),
            "k": 2,
        },
    ],
    mistakes={
        "these are the surest answers: a person should get the most doubtful ones.": (
            lambda probabilities, k: probabilities.amax(1).topk(k).indices
        ),
        "the right images in the wrong order: the most doubtful comes first.": (
            lambda probabilities, k: _hand_over(probabilities, k).flip(0)
        ),
        "you look at one digit only: whichever has the largest probability counts.": (
            lambda probabilities, k: probabilities[:, 0].argsort()[:k]
        ),
        "each row is an image: look along dimension 1, not along the images.": (
            lambda probabilities, k: probabilities.amax(0).argsort()[:k]
        ),
        "these are probabilities: return the indices of their images.": (
            lambda probabilities, k: probabilities.amax(1).sort().values[:k]
        ),
        "these are all images: return only the first k.": (
            lambda probabilities, k: probabilities.amax(1).argsort()
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
    "confusion": CONFUSION,
    "precision": PRECISION,
    "hand_over": HAND_OVER,
    "ece": ECE,
}
