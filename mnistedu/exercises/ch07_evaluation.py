"""Exercises on what one number of accuracy hides."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise, Function


def _gaps(confidence: Tensor, accuracy: Tensor) -> Tensor:
    return (accuracy - confidence).abs()


def _ece(confidence: Tensor, accuracy: Tensor, counts: Tensor) -> Tensor:
    return (_gaps(confidence, accuracy) * counts).nansum() / counts.sum()


def _signed_gaps(confidence: Tensor, accuracy: Tensor) -> Tensor:
    return accuracy - confidence


def _add_up(
    part: Callable[[Tensor, Tensor], Tensor],
    gaps: Callable[[Tensor, Tensor], Tensor] = _gaps,
) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """A mistake in the parts of the bins, made with an eye to nan and without."""
    return (
        lambda confidence, accuracy, counts: part(
            gaps(confidence, accuracy), counts
        ).nansum(),
        lambda confidence, accuracy, counts: part(
            gaps(confidence, accuracy), counts
        ).sum(),
    )


def _confusion(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    pairs = targets * classes + answers
    return pairs.bincount(minlength=classes**2).view(classes, classes)


def _count_pairs_once(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    matrix = torch.zeros(classes, classes)
    matrix[targets, answers] += 1
    return matrix


def _count_first(targets: Tensor, answers: Tensor, classes: int) -> Tensor:
    return _confusion(targets[:1], answers[:1], classes)


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
        {
            "targets": torch.tensor([2, 0, 2, 1, 2, 0, 4, 1, 2, 4, 2]),
            "answers": torch.tensor([1, 0, 2, 1, 1, 4, 4, 0, 2, 4, 1]),
            "classes": 5,
        },
        {
            "targets": torch.full((300,), 3),
            "answers": torch.full((300,), 7),
            "classes": 12,
        },
    ],
    mistakes={
        "each pair is counted both ways: the target is the row, the answer the column, "
        "and once is enough.": lambda targets, answers, classes: (
            _confusion(targets, answers, classes)
            + _confusion(answers, targets, classes)
        ),
        "the other way round: the target is the row, the answer the column.": (
            lambda targets, answers, classes: _confusion(answers, targets, classes)
        ),
        "a pair that occurs twice counts once: add 1 for each pair with +=, in a loop, "
        "since `matrix[targets, answers] += 1` adds 1 to a place however often it is "
        "named.": _count_pairs_once,
        "only right answers are counted: a mistake belongs there too, off the "
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
            ),
            lambda targets, answers, classes: (
                _confusion(targets, answers, classes)
                / targets.bincount(minlength=classes)[:, None].clamp(min=1)
            ),
        ),
        "these are shares of all images: leave the counts as they are.": (
            lambda targets, answers, classes: (
                _confusion(targets, answers, classes) / len(targets)
            )
        ),
        "a digit that does not occur has a row and a column too: the table is classes "
        "× classes.": (
            lambda targets, answers, classes: _confusion(
                targets, answers, int(targets.max()) + 1
            ),
            lambda targets, answers, classes: _confusion(targets, answers, classes)[
                targets.unique()
            ][:, targets.unique()],
        ),
        "all rows are the same list: [[0] * n] * n holds one row n times. Make each "
        "row anew, or use torch.zeros.": lambda targets, answers, classes: (
            answers.bincount(minlength=classes).expand(classes, -1)
        ),
        "only the first image is counted: does the return stand within the loop?": (
            _count_first
        ),
        "you go through as many images as there are classes: go through all.": (
            lambda targets, answers, classes: _confusion(
                targets[:classes], answers[:classes], classes
            )
        ),
        "a byte ends at 255, and 300 of a kind become 44 there: leave out uint8.": (
            lambda targets, answers, classes: _confusion(
                targets, answers, classes
            ).byte()
        ),
        "each mistake counts twice, in both directions: the row is the target, the "
        "column the answer.": lambda targets, answers, classes: (
            _confusion(targets, answers, classes)
            + _confusion(answers, targets, classes).fill_diagonal_(0)
        ),
        "you count every target with every answer: take them in pairs, with zip.": (
            lambda targets, answers, classes: torch.outer(
                targets.bincount(minlength=classes), answers.bincount(minlength=classes)
            )
        ),
        "these are shares of each column: leave the counts as they are.": (
            lambda targets, answers, classes: (
                _confusion(targets, answers, classes)
                / answers.bincount(minlength=classes)
            )
        ),
        "that is ten times ten whatever classes is: use the argument.": (
            lambda targets, answers, classes: _confusion(targets, answers, 10)
        ),
        "all stands one row and one column too far up and left: row 0 belongs to digit "
        "0.": lambda targets, answers, classes: _confusion(
            (targets - 1) % classes, (answers - 1) % classes, classes
        ),
        "you add 1 to the whole row of the target: the answer says in which column.": (
            lambda targets, answers, classes: targets.bincount(minlength=classes)[
                :, None
            ].expand(-1, classes)
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
        {
            "confidence": torch.tensor([torch.nan, 0.35, 0.52, torch.nan, 0.78, 0.93]),
            "accuracy": torch.tensor([torch.nan, 0.0, 0.38, torch.nan, 0.71, 0.96]),
            "counts": torch.tensor([0, 1, 31, 0, 45, 230]),
        },
    ],
    mistakes={
        "here each bin counts the same: weight the gaps with the counts.": (
            lambda confidence, accuracy, counts: _gaps(confidence, accuracy).mean(),
            lambda confidence, accuracy, counts: _gaps(confidence, accuracy).nanmean(),
            lambda confidence, accuracy, counts: _gaps(confidence, accuracy).nansum(),
        ),
        "a gap counts whichever way it goes: take its absolute value.": _add_up(
            lambda gaps, counts: gaps * counts / counts.sum(), _signed_gaps
        ),
        "gaps of opposite sign cancel: take the absolute value of each before you add "
        "them up.": tuple(
            lambda *bins, add_up=add_up: add_up(*bins).abs()
            for add_up in _add_up(
                lambda gaps, counts: gaps * counts / counts.sum(), _signed_gaps
            )
        ),
        "you forgot to divide by the number of answers, counts.sum().": _add_up(
            lambda gaps, counts: gaps * counts
        ),
        "you divide by the number of bins: divide by the number of answers, the sum of "
        "the counts.": (
            *_add_up(lambda gaps, counts: gaps * counts / len(counts)),
            *_add_up(lambda gaps, counts: gaps * counts / (counts > 0).sum()),
        ),
        "you divide by the number of bins as well: the parts are to be added up.": (
            *_add_up(lambda gaps, counts: gaps * counts / len(counts) / counts.sum()),
            lambda confidence, accuracy, counts: (
                (_gaps(confidence, accuracy) * counts).nanmean() / counts.sum()
            ),
        ),
        "you square the gaps: take their absolute values.": _add_up(
            lambda gaps, counts: gaps**2 * counts / counts.sum()
        ),
        "you square the gaps and take the root in the end: take absolute values.": (
            lambda confidence, accuracy, counts: (
                (_gaps(confidence, accuracy) ** 2 * counts).nansum() / counts.sum()
            ).sqrt()
        ),
        "a gap to one side only counts, and that to the other as 0: take absolute "
        "values.": (
            *_add_up(
                lambda gaps, counts: gaps.relu() * counts / counts.sum(), _signed_gaps
            ),
            *_add_up(
                lambda gaps, counts: (-gaps).relu() * counts / counts.sum(),
                _signed_gaps,
            ),
        ),
        "that is the largest gap: take the mean, weighted with the counts.": (
            lambda confidence, accuracy, counts: (
                _gaps(confidence, accuracy).nan_to_num().max()
            )
        ),
        "these are the parts of each bin: add them up.": (
            lambda confidence, accuracy, counts: (
                _gaps(confidence, accuracy).nan_to_num() * counts / counts.sum()
            )
        ),
        "one nan makes the whole sum nan: leave the empty bins out, for example with "
        "nansum.": lambda confidence, accuracy, counts: (
            (_gaps(confidence, accuracy) * counts).sum() / counts.sum()
        ),
    },
)


def _accuracies(is_right: Tensor, picks: Tensor) -> Tensor:
    return is_right[picks].double().mean(1)


def _between(low: float, high: float) -> Function:
    return lambda is_right, picks: tuple(
        _accuracies(is_right, picks).quantile(q).item() for q in (low, high)
    )


def _pick(n: int, times: int) -> Tensor:
    """Row after row of places from 0 to n - 1, some of them twice."""
    return (torch.arange(n * times) ** 3 % 101 * 7 % n).view(times, n)


BOOTSTRAP = Exercise(
    solution=_between(0.025, 0.975),
    cases=[
        {
            "is_right": torch.tensor([True, False, True, True]),
            "picks": torch.tensor([[0, 0, 2, 3], [3, 1, 2, 0], [1, 1, 0, 2]]),
        },
        {
            "is_right": torch.tensor([True, True, False, True, False, True, True]),
            "picks": _pick(7, 25),
        },
        {"is_right": torch.arange(11) ** 2 % 11 < 4, "picks": _pick(11, 60)},
        {"is_right": torch.arange(300) % 30 > 0, "picks": _pick(300, 2)},
        {  # many, and most of them more than once
            "is_right": torch.arange(11) < 9,
            "picks": torch.arange(11) * torch.arange(1100)[:, None] // 1100,
        },
    ],
    mistakes={
        "between 5 % and 95 % lie nine tenths: take 2.5 % and 97.5 %.": (
            _between(0.05, 0.95)
        ),
        "between 25 % and 75 % lies half: take 2.5 % and 97.5 %.": _between(0.25, 0.75),
        "these are shares of wrong answers: the accuracy is that of right ones.": (
            lambda is_right, picks: _between(0.025, 0.975)(~is_right, picks)
        ),
        "these are the mean and half the width: return low and high.": (
            lambda is_right, picks: (
                (accuracies := _accuracies(is_right, picks)).mean(),
                (accuracies.quantile(0.975) - accuracies.quantile(0.025)) / 2,
            )
        ),
        "these are differences from the accuracy: return the accuracies.": (
            lambda is_right, picks: tuple(
                end - is_right.double().mean()
                for end in _between(0.025, 0.975)(is_right, picks)
            )
        ),
        "these are the smallest and the largest: leave out 2.5 % at either end.": (
            _between(0, 1)
        ),
        "the larger comes first: return low, then high.": _between(0.975, 0.025),
        "that is the mean, plus and minus two deviations: take quantiles.": (
            lambda is_right, picks: tuple(
                (acc := _accuracies(is_right, picks)).mean() + factor * acc.std()
                for factor in (-2, 2)
            ),
            lambda is_right, picks: tuple(
                (acc := _accuracies(is_right, picks)).mean() + factor * acc.std()
                for factor in (-1.96, 1.96)
            ),
        ),
        "that is the mean, plus and minus one deviation: take quantiles.": (
            lambda is_right, picks: tuple(
                (acc := _accuracies(is_right, picks)).mean() + factor * acc.std()
                for factor in (-1, 1)
            )
        ),
        "the mean runs over the wrong dimension: a row of picks is one test set.": (
            lambda is_right, picks: tuple(
                is_right[picks].double().mean(0).quantile(q) for q in (0.025, 0.975)
            )
        ),
        "these are the quantiles of the single answers: take the accuracy of each row "
        "of picks first.": lambda is_right, picks: tuple(
            is_right[picks].double().quantile(q) for q in (0.025, 0.975)
        ),
        "these are the accuracies of all rows: return their quantiles, low and high.": (
            _accuracies
        ),
        "you count right answers: the accuracy is their mean.": (
            lambda is_right, picks: tuple(
                is_right[picks].double().sum(1).quantile(q) for q in (0.025, 0.975)
            )
        ),
    },
)


def _risk(confidence: Tensor, is_right: Tensor) -> Tensor:
    wrong = ~is_right[confidence.argsort(descending=True)]
    return wrong.cumsum(0) / torch.arange(1, len(wrong) + 1)


RISK_COVERAGE = Exercise(
    solution=_risk,
    cases=[
        {
            "confidence": torch.tensor([0.6, 0.9, 0.8]),
            "is_right": torch.tensor([False, True, False]),
        },
        {
            "confidence": torch.tensor([0.71, 0.99, 0.52, 0.93, 0.84, 0.47, 0.88]),
            "is_right": torch.tensor([False, True, True, True, False, False, True]),
        },
        {
            "confidence": torch.tensor([0.9] + 299 * [0.6]),
            "is_right": torch.arange(300) < 1,
        },
    ],
    mistakes={
        "you begin with the least sure: the surest are answered first.": (
            lambda confidence, is_right: _risk(-confidence, is_right)
        ),
        "you sort is_right by itself: the confidences give the order, "
        "confidence.argsort(descending=True).": (
            lambda confidence, is_right: _risk(is_right.float(), is_right),
            lambda confidence, is_right: _risk(-is_right.float(), is_right),
        ),
        "the answers are taken as they come: sort them, the surest first.": (
            lambda confidence, is_right: _risk(-torch.arange(len(is_right)), is_right)
        ),
        "that is the accuracy: the risk is the share of wrong answers.": (
            lambda confidence, is_right: 1 - _risk(confidence, is_right)
        ),
        "these are the counts of mistakes: divide each by the number of answers so "
        "far.": lambda confidence, is_right: (
            _risk(confidence, is_right) * torch.arange(1, len(is_right) + 1)
        ),
        "you divide by the number of all images: divide by that of the answers so "
        "far.": lambda confidence, is_right: (
            _risk(confidence, is_right)
            * torch.arange(1, len(is_right) + 1)
            / len(is_right)
        ),
        "you divide by one answer too many: the first risk is that of one answer.": (
            lambda confidence, is_right: (
                _risk(confidence, is_right)
                * torch.arange(1, len(is_right) + 1)
                / torch.arange(2, len(is_right) + 2)
            )
        ),
        "you divide by one answer too few, and so first by 0: begin with 1.": (
            lambda confidence, is_right: (
                _risk(confidence, is_right)
                * torch.arange(1, len(is_right) + 1)
                / torch.arange(len(is_right))
            )
        ),
        "you divide single answers: add them up first, with cumsum.": (
            lambda confidence, is_right: (
                ~is_right[confidence.argsort(descending=True)]
                / torch.arange(1, len(is_right) + 1)
            )
        ),
        "these say which answers are wrong, in order: take the mean of the first k.": (
            lambda confidence, is_right: ~is_right[confidence.argsort(descending=True)]
        ),
    },
)


def _tail(n: int, k: int) -> float:
    """The probability that of n fair coins at most k show heads."""
    return float(sum(math.comb(n, i) for i in range(k + 1)) / 2**n)


def _count_single(a: Tensor, b: Tensor) -> tuple[int, int]:
    """How often only the first is right, and how often only the second."""
    return int((a & ~b).sum()), int((b & ~a).sum())


def _mcnemar(a_is_right: Tensor, b_is_right: Tensor) -> float:
    return _two_sided(*_count_single(a_is_right, b_is_right))


def _two_sided(one: int, other: int) -> float:
    return min(1.0, 2 * _tail(one + other, min(one, other)))


def _of_counts(p: Callable[[int, int], float]) -> Callable[[Tensor, Tensor], float]:
    """A mistake made with the right two counts."""
    return lambda a, b: p(*_count_single(a, b))


def _answers(text: str) -> tuple[Tensor, Tensor]:
    """Two models' answers: both right, only a, only b, neither."""
    a = torch.tensor([c in "2a" for c in text])
    return a, torch.tensor([c in "2b" for c in text])


MCNEMAR = Exercise(
    solution=_mcnemar,
    cases=[
        dict(zip(("a_is_right", "b_is_right"), _answers(text), strict=True))
        for text in (
            "2aaab0",
            "2ab02",
            "2202",
            "a2bab2aabaa2ab0a0a2a",
            "bbbb2bb0bbabb20022",
            "2a2aaa2a0aaa22a",
            "aab2aba0" * 15,  # 2**90 is more than a tensor of whole numbers can hold
        )
    ],
    mistakes={
        "that is one side only: the other model might have been ahead, so double it.": (
            _of_counts(lambda one, other: _tail(one + other, min(one, other)))
        ),
        "a probability is at most 1: if both counts are equal, the sides overlap.": (
            _of_counts(lambda one, other: 2 * _tail(one + other, min(one, other)))
        ),
        "these are never below 1, and a probability is never above: take min().": (
            _of_counts(
                lambda one, other: max(1.0, 2 * _tail(one + other, min(one, other)))
            )
        ),
        "the images on which both are right or both wrong say nothing: n is the number "
        "of the others.": lambda a, b: min(
            1.0, 2 * _tail(len(a), min(_count_single(a, b)))
        ),
        "that is 1 in every case, as if no difference were rare: add up to the smaller "
        "of the two counts, and divide by 2**n.": _of_counts(
            lambda one, other: min(1.0, 2 * _tail(one + other, max(one, other)))
        ),
        "you always add up to the same model's count: add up to the smaller one.": (
            _of_counts(lambda one, other: min(1.0, 2 * _tail(one + other, one))),
            _of_counts(lambda one, other: min(1.0, 2 * _tail(one + other, other))),
        ),
        "that is how probable this very count is: add up what is as rare, or rarer.": (
            _of_counts(
                lambda one, other: min(
                    1.0, 2 * math.comb(one + other, one) / 2 ** (one + other)
                )
            ),
            _of_counts(
                lambda one, other: math.comb(one + other, one) / 2 ** (one + other)
            ),
        ),
        "the smaller count itself is missing from your sum: range ends one earlier.": (
            _of_counts(
                lambda one, other: min(1.0, 2 * _tail(one + other, min(one, other) - 1))
            )
        ),
        "your sum begins with k = 1: no head at all is a way to fall too.": _of_counts(
            lambda one, other: min(
                1.0, 2 * (_tail(one + other, min(one, other)) - 2.0 ** -(one + other))
            )
        ),
        "that is the probability of no such difference: take what you subtracted.": (
            _of_counts(lambda one, other: 1 - _two_sided(one, other))
        ),
        "that is the difference of the two accuracies: how probable is one like it?": (
            lambda a, b: (a.float().mean() - b.float().mean()).abs(),
            lambda a, b: a.float().mean() - b.float().mean(),
        ),
        "these are the mistakes of each model: count the images on which one alone "
        "is right.": lambda a, b: _two_sided(int((~a).sum()), int((~b).sum())),
        "these are the right answers of each model: count the images on which one "
        "alone is right.": lambda a, b: _two_sided(int(a.sum()), int(b.sum())),
        "you double twice: the 2 for the two sides comes once, beside 2**n.": (
            _of_counts(
                lambda one, other: min(1.0, 4 * _tail(one + other, min(one, other)))
            )
        ),
        "that is the statistic of chi-square, and no probability: add up the coins.": (
            _of_counts(lambda b, c: _statistic((b - c) ** 2, b + c)),
            _of_counts(lambda b, c: _statistic((abs(b - c) - 1) ** 2, b + c)),
        ),
        "that is the approximation by chi-square, which is poor for small counts: "
        "add up the coins.": (
            _of_counts(lambda b, c: _chi_square((b - c) ** 2, b + c)),
            _of_counts(lambda b, c: _chi_square((abs(b - c) - 1) ** 2, b + c)),
        ),
    },
)


def _statistic(above: int, below: int) -> float:
    return above / below if below else 1.0


def _chi_square(above: int, below: int) -> float:
    return math.erfc(math.sqrt(above / below / 2)) if below else 1.0


EXERCISES = {
    "bootstrap": BOOTSTRAP,
    "confusion": CONFUSION,
    "risk_coverage": RISK_COVERAGE,
    "ece": ECE,
    "mcnemar": MCNEMAR,
}
