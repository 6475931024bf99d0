"""Exercises on training: its schedule, its loss, its end, and what can go wrong."""

import math
import operator
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistedu.exercises.answer import Exercise
from mnistedu.exercises.patients import ILLNESSES
from mnistedu.exercises.show import show


def _smooth(targets: Tensor, classes: int, epsilon: float) -> Tensor:
    return F.one_hot(targets, classes) * (1 - epsilon) + epsilon / classes


def _early_stop(
    val_losses: list[float],
    patience: int,
    is_better: Callable[[float, float], bool] = operator.lt,
) -> tuple[int, int]:
    best = epoch = 1
    for epoch, loss in enumerate(val_losses, 1):
        if is_better(loss, val_losses[best - 1]):
            best = epoch
        if epoch - best == patience:
            break
    return epoch, best


def _compare_with_the_epoch_before(
    val_losses: list[float], patience: int
) -> tuple[int, int]:
    epoch, bad = 1, 0
    while epoch < len(val_losses) and bad < patience:
        bad = 0 if val_losses[epoch] < val_losses[epoch - 1] else bad + 1
        epoch += 1
    return epoch, _epoch_of_smallest(val_losses[:epoch])


def _keep_the_last_that_fell(val_losses: list[float], patience: int) -> tuple[int, int]:
    epoch = best = 1
    while epoch < len(val_losses) and epoch - best < patience:
        epoch += 1
        if val_losses[epoch - 1] < val_losses[epoch - 2]:
            best = epoch
    return epoch, best


def _count_all_bad_epochs(val_losses: list[float], patience: int) -> tuple[int, int]:
    epoch = best = 1
    while epoch < len(val_losses) and epoch - best < patience:
        epoch += 1
        best += val_losses[epoch - 1] < min(val_losses[: epoch - 1])
    return epoch, _epoch_of_smallest(val_losses[:epoch])


def _epoch_of_smallest(val_losses: list[float]) -> int:
    return 1 + val_losses.index(min(val_losses))


def _fill(targets: Tensor, classes: int, target: float, others: float) -> Tensor:
    return torch.where(F.one_hot(targets, classes).bool(), target, others)


def _fill_all_rows(targets: Tensor, classes: int, epsilon: float) -> Tensor:
    rows = torch.full((len(targets), classes), epsilon / classes)
    rows[:, targets] = 1 - epsilon + epsilon / classes
    return rows


def _add_to_all_rows(targets: Tensor, classes: int, epsilon: float) -> Tensor:
    row = torch.full((classes,), epsilon / classes)
    row += (1 - epsilon) * targets.bincount(minlength=classes)
    return row.expand(len(targets), classes)


def _schedule(step: int, steps: int, warmup: int, peak: float) -> float:
    if step < warmup:
        return peak * step / warmup
    return _half_cosine((step - warmup) / (steps - warmup), peak)


def _half_cosine(part: float, peak: float) -> float:
    return peak / 2 * (1 + math.cos(math.pi * part))


def _after_warmup(
    fall: Callable[[int, int, int, float], float],
) -> Callable[..., float]:
    """A mistake in what follows the warm-up."""
    return lambda step, steps, warmup, peak: (
        peak * step / warmup if step < warmup else fall(step, steps, warmup, peak)
    )


SCHEDULE = Exercise(
    solution=_schedule,
    cases=[
        {"step": step, "steps": steps, "warmup": warmup, "peak": peak}
        for step, steps, warmup, peak in (
            (1, 10, 2, 0.1),
            (0, 10, 2, 0.1),
            (2, 10, 2, 0.1),
            (6, 10, 2, 0.1),
            (10, 10, 2, 0.1),
            (5, 40, 7, 0.03),
            (17, 40, 7, 3.0),
            (39, 40, 7, 0.5),
            (0, 10, 1, 0.1),
            (6, 8, 7, 0.1),  # a warm-up that is longer than the way down
        )
    ],
    mistakes={
        "the warm-up is missing: before step warmup the rate rises from 0.": (
            lambda step, steps, warmup, peak: _half_cosine(step / steps, peak),
            lambda step, steps, warmup, peak: _half_cosine(
                (step - warmup) / (steps - warmup), peak
            ),
        ),
        "the cosine begins when the warm-up ends: count its steps from there.": (
            _after_warmup(lambda n, steps, w, peak: _half_cosine(n / steps, peak))
        ),
        "the cosine has steps - warmup steps for its way down.": (
            _after_warmup(lambda n, steps, w, peak: _half_cosine((n - w) / steps, peak))
        ),
        "that is a whole wave, down and up again: half of one is math.pi long.": (
            _after_warmup(
                lambda n, steps, w, peak: _half_cosine(2 * (n - w) / (steps - w), peak)
            )
        ),
        "a cosine lies between -1 and 1, a rate from 0 to peak: add 1, and halve.": (
            _after_warmup(
                lambda n, steps, w, peak: (
                    peak * math.cos(math.pi * (n - w) / (steps - w))
                )
            )
        ),
        "after the warm-up the rate is twice too large: 1 + cos goes up to 2.": (
            _after_warmup(
                lambda n, steps, w, peak: _half_cosine((n - w) / (steps - w), 2 * peak)
            )
        ),
        "the way down is a straight line: let it be half a cosine.": _after_warmup(
            lambda n, steps, w, peak: peak * (steps - n) / (steps - w)
        ),
        "a quarter of a wave falls ever more steeply: half of one ends flat.": (
            _after_warmup(
                lambda n, steps, w, peak: (
                    peak * math.cos(math.pi / 2 * (n - w) / (steps - w))
                )
            )
        ),
        "after the warm-up the rate stays where it is: let it fall.": _after_warmup(
            lambda n, steps, w, peak: peak
        ),
        "the rate is 0 at step 0 and reaches peak at step warmup: you are one step "
        "ahead.": lambda step, steps, warmup, peak: (
            peak * (step + 1) / warmup
            if step < warmup
            else _schedule(step, steps, warmup, peak)
        ),
        "the way after the warm-up leads up, not down: add the cosine to 1.": (
            _after_warmup(
                lambda n, steps, w, peak: (
                    peak - _half_cosine((n - w) / (steps - w), peak)
                )
            )
        ),
        "the warm-up is a part of the peak: multiply it by peak.": (
            lambda step, steps, warmup, peak: (
                step / warmup if step < warmup else _schedule(step, steps, warmup, peak)
            )
        ),
        "math.cos takes radians, of which half a wave has math.pi, and not degrees.": (
            _after_warmup(
                lambda n, steps, w, peak: (
                    peak / 2 * (1 + math.cos(180 * (n - w) / (steps - w)))
                )
            )
        ),
        "the warm-up rises along a straight line, and not along a wave.": (
            lambda step, steps, warmup, peak: (
                peak - _half_cosine(step / warmup, peak)
                if step < warmup
                else _schedule(step, steps, warmup, peak)
            )
        ),
        "// leaves whole numbers, and a part of the way is less than 1: divide with "
        "/.": (
            lambda step, steps, warmup, peak: (
                peak * (step // warmup)
                if step < warmup
                else _half_cosine((step - warmup) // (steps - warmup), peak)
            ),
            lambda step, steps, warmup, peak: (
                peak * (step // warmup)
                if step < warmup
                else _schedule(step, steps, warmup, peak)
            ),
        ),
        "this is a part of the peak: multiply it by peak.": (
            lambda step, steps, warmup, peak: _schedule(step, steps, warmup, 1.0)
        ),
    },
)


def _count_diagnoses(found: object) -> tuple[bool, str]:
    """How many are right; which, a doctor must find out alone."""
    if not isinstance(found, dict) or found.keys() != ILLNESSES.keys():
        if isinstance(found, dict) and {*found} == {*ILLNESSES.values()}:
            return False, "the other way round: the letters are the keys."
        return False, f"return a dictionary with the keys {', '.join(ILLNESSES)}."
    for patient, illness in found.items():
        if illness not in ILLNESSES.values():
            known = ", ".join(map(repr, sorted(ILLNESSES.values())))
            said = f"{show(illness)} (for {patient}) is none of the words"
            return False, f"{said}, which are {known}."
    right = sum(found[patient] == illness for patient, illness in ILLNESSES.items())
    count = f"{right} of {len(ILLNESSES)} diagnoses are right"
    if right == len(ILLNESSES):
        return True, f"{count}."
    if len(set(found.values())) < len(found):
        return False, f"{count}, and no two patients have the same illness."
    return False, f"{count}."


def _exchange(*illnesses: str) -> Callable[[], dict[str, str]]:
    others = dict(zip(illnesses, illnesses[::-1], strict=True))
    return lambda: {at: others.get(found, found) for at, found in ILLNESSES.items()}


DIAGNOSES = Exercise(
    solution=lambda: dict(ILLNESSES),
    cases=[{}],
    mistakes={
        "3 of 5 diagnoses are right. Two are exchanged, and both hardly learn: which "
        "of them has a gradient as long as the sound one's?": _exchange("dead", "rate"),
        "3 of 5 diagnoses are right. Two are exchanged, and both do badly on new "
        "images: compare their training losses.": (
            _exchange("labels", "rate"),
            _exchange("labels", "dead"),
        ),
        "3 of 5 diagnoses are right. Two are exchanged, and both end badly: compare "
        "the lengths of their gradients with that of the sound one.": (
            _exchange("labels", "zero_grad"),
            _exchange("rate", "zero_grad"),
            _exchange("dead", "zero_grad"),
        ),
        "3 of 5 diagnoses are right. Two are exchanged, and one of them has a "
        "smaller validation loss than the sound one: how can that be?": tuple(
            _exchange("leak", illness)
            for illness in ILLNESSES.values()
            if illness != "leak"
        ),
    },
    score=_count_diagnoses,
)

SMOOTH_TARGETS = Exercise(
    solution=_smooth,
    cases=[
        {"targets": torch.tensor([1, 1]), "classes": 2, "epsilon": 0.2},
        {"targets": torch.tensor([2, 0]), "classes": 3, "epsilon": 0.3},
        {"targets": torch.tensor([3, 1]), "classes": 4, "epsilon": 0.2},
        {"targets": torch.tensor([4, 0, 4, 1, 2, 4]), "classes": 7, "epsilon": 0.4},
    ],
    mistakes={
        "you share epsilon among the other classes: it is spread over all of them, the "
        "target included.": lambda targets, classes, epsilon: _smooth(
            targets, classes, epsilon * classes / (classes - 1)
        ),
        "these add up to more than 1 in each row: take epsilon away from the target "
        "before you spread it.": lambda targets, classes, epsilon: (
            F.one_hot(targets, classes) + epsilon / classes
        ),
        "these add up to less than 1 in each row: what you take from the target goes "
        "to all classes alike.": lambda targets, classes, epsilon: (
            F.one_hot(targets, classes) * (1 - epsilon)
        ),
        "every class gets the whole of epsilon: divide it by the number of classes.": (
            lambda targets, classes, epsilon: (
                F.one_hot(targets, classes) * (1 - epsilon) + epsilon
            )
        ),
        "the other way round: epsilon is the part that is spread, 1 - epsilon what "
        "stays on the target.": lambda targets, classes, epsilon: _smooth(
            targets, classes, 1 - epsilon
        ),
        "a class that is no target has a column too: one_hot stops at the largest "
        "target unless you pass it the number of classes.": (
            lambda targets, classes, epsilon: (
                F.one_hot(targets) * (1 - epsilon) + epsilon / classes
            )
        ),
        "that is certainty, nothing is smoothed yet: spread epsilon.": (
            lambda targets, classes, epsilon: F.one_hot(targets, classes)
        ),
        "the target loses epsilon and gets its own share of it back: in the end it has "
        "1 - epsilon + epsilon / classes.": lambda targets, classes, epsilon: _fill(
            targets, classes, 1 - epsilon, epsilon / classes
        ),
        "the others get epsilon each: it is divided among all classes.": (
            lambda targets, classes, epsilon: _fill(
                targets, classes, 1 - epsilon, epsilon
            )
        ),
        "you divide by the number of images: epsilon is spread over the classes.": (
            lambda targets, classes, epsilon: (
                F.one_hot(targets, classes) * (1 - epsilon) + epsilon / len(targets)
            )
        ),
        "you have a row for each class: a row is an image, and its target tells which "
        "entry is large, torch.eye(classes)[targets].": (
            lambda targets, classes, epsilon: (
                torch.eye(classes) * (1 - epsilon) + epsilon / classes
            )
        ),
        "the classes are not ten in every case: use the argument.": (
            lambda targets, classes, epsilon: _smooth(targets, 10, epsilon),
            lambda targets, classes, epsilon: (
                F.one_hot(targets, classes) * (1 - epsilon) + epsilon / 10
            ),
            lambda targets, classes, epsilon: (
                F.one_hot(targets, 10) * (1 - epsilon) + epsilon / classes
            ),
        ),
        "the targets are places, not values: make a row with a 1 at each first, with "
        "one_hot.": lambda targets, classes, epsilon: (
            targets * (1 - epsilon) + epsilon / classes
        ),
        "each row has the targets of all images, and each image has a row of its own: "
        "y[range(len(targets)), targets], or a new row in each round of a loop.": (
            _fill_all_rows,
            _add_to_all_rows,
        ),
        "the target keeps its whole 1: take epsilon away from it.": (
            lambda targets, classes, epsilon: _fill(
                targets, classes, 1.0, epsilon / classes
            )
        ),
        "the rows are those of the first classes, whatever the targets: take those of "
        "the targets, torch.eye(classes)[targets].": (
            lambda targets, classes, epsilon: _smooth(
                torch.arange(len(targets)), classes, epsilon
            )
        ),
        "all classes are alike, the target too: only epsilon is spread.": (
            lambda targets, classes, epsilon: torch.full(
                (len(targets), classes), 1 / classes
            )
        ),
    },
)


def _keep_the_last(val_losses: list[float], patience: int) -> tuple[int, int]:
    last, best = _early_stop(val_losses, patience)
    return last, best if last - best == patience else last


def _start_from(
    val_losses: list[float], patience: int, best: float, at: int
) -> tuple[int, int]:
    for epoch, loss in enumerate(val_losses, 1):
        if loss < best:
            best, at = loss, epoch
        elif epoch - at >= patience:
            return epoch, at
    return len(val_losses), at


def _first_counts_as_bad(val_losses: list[float], patience: int) -> tuple[int, int]:
    best, wait = 1, 0
    for epoch, loss in enumerate(val_losses, 1):
        better = loss < val_losses[best - 1]
        best, wait = (epoch, 0) if better else (best, wait + 1)
        if wait == patience:
            return epoch, best
    return len(val_losses), best


EARLY_STOP = Exercise(
    solution=_early_stop,
    cases=[
        {"val_losses": [3.0, 2.0, 4.0, 5.0, 6.0, 1.0], "patience": 2},
        {"val_losses": [2.0, 2.0, 2.0, 1.0], "patience": 2},
        {"val_losses": [1.0, 3.0, 2.0, 0.5], "patience": 2},
        {"val_losses": [4.0, 5.0, 3.0, 4.0, 2.0], "patience": 2},
        {"val_losses": [1.0, 2.0], "patience": 3},
        {
            "val_losses": [5.0, 4.0, 4.5, 3.0, 3.5, 2.9, 2.9, 3.0, 3.1, 2.95, 2.0],
            "patience": 4,
        },
        {"val_losses": [3.0, 1.0, 1.5, 1.6, 1.7], "patience": 2},
        {"val_losses": [2.0, 1.5, 1.7, 1.6, 1.55], "patience": 5},
        {"val_losses": [1.0, 1.2, 1.1, 0.5], "patience": 1},
        {"val_losses": [1.0, 0.999999, 0.999998, 0.999997], "patience": 2},
        {"val_losses": [3e9, 2e9, 2.5e9], "patience": 4},
        {"val_losses": [2.0], "patience": 1},
    ],
    mistakes={
        "count the epochs from 1: Python counts the entries of a list from 0.": (
            lambda val_losses, patience: tuple(
                epoch - 1 for epoch in _early_stop(val_losses, patience)
            )
        ),
        "you go on to the end: stop as soon as patience epochs in a row have brought "
        "nothing better.": lambda val_losses, patience: (
            len(val_losses),
            _epoch_of_smallest(val_losses),
        ),
        "you look into the future: the best epoch is one of those before the stop.": (
            lambda val_losses, patience: (
                _early_stop(val_losses, patience)[0],
                _epoch_of_smallest(val_losses),
            )
        ),
        "you wait one epoch too long: stop after patience epochs without a better "
        "one.": lambda val_losses, patience: _early_stop(val_losses, patience + 1),
        "you stop one epoch too early: the best epoch itself does not count.": (
            lambda val_losses, patience: _early_stop(val_losses, patience - 1),
            lambda val_losses, patience: _early_stop(val_losses, max(patience - 1, 1)),
            lambda val_losses, patience: _early_stop(val_losses, patience - 1 or 99),
        ),
        "the epochs are right, but the order is the last one, then the best.": (
            lambda val_losses, patience: _early_stop(val_losses, patience)[::-1]
        ),
        "you keep the weights of the last epoch: go back to those of the best.": (
            lambda val_losses, patience: _early_stop(val_losses, patience)[:1] * 2
        ),
        "where patience does not run out, you keep the last epoch: keep the best.": (
            _keep_the_last
        ),
        "that is the best loss: return the epoch that had it.": (
            lambda val_losses, patience: (
                (stop := _early_stop(val_losses, patience)[0]),
                min(val_losses[:stop]),
            )
        ),
        "an equal loss is no better: only a smaller one counts.": (
            lambda val_losses, patience: _early_stop(val_losses, patience, operator.le)
        ),
        "you compare with the epoch before: compare with the best so far.": (
            _compare_with_the_epoch_before,
            _keep_the_last_that_fell,
        ),
        "you count all epochs that were no better: only those in a row count, so "
        "begin again after each new best.": _count_all_bad_epochs,
        "the training cannot end after its last epoch: if patience does not run out, "
        "it ends with the last.": (
            lambda val_losses, patience: (
                (best := _early_stop(val_losses, patience)[1]) + patience,
                best,
            ),
            lambda val_losses, patience: (
                (best := _epoch_of_smallest(val_losses)) + patience,
                best,
            ),
        ),
        "the best epoch is looked for among all, also those that are never trained, "
        "and patience is counted from there.": lambda val_losses, patience: (
            min(_epoch_of_smallest(val_losses) + patience, len(val_losses)),
            _epoch_of_smallest(val_losses),
        ),
        "these are the epochs, but the best one alone is missing: return both.": (
            lambda val_losses, patience: _early_stop(val_losses, patience)[0]
        ),
        "no epoch is ever better: does your best loss start from 0? Start from "
        "infinity, or the first loss.": lambda val_losses, patience: (
            min(patience, len(val_losses)),
            1,
        ),
        "the first epoch is compared with itself, and so counts as no better: begin "
        "with the second.": _first_counts_as_bad,
        "no loss is better than where your search starts, and a loss may be larger "
        "than that: start from infinity.": tuple(
            partial(_start_from, best=best, at=at)
            for best in (1.0, 10.0)
            for at in (0, 1)
        ),
        "the training ends later than with its best epoch: patience epochs must show "
        "first that nothing better comes.": lambda val_losses, patience: (
            (_epoch_of_smallest(val_losses),) * 2
        ),
    },
)

EXERCISES = {
    "schedule": SCHEDULE,
    "smooth_targets": SMOOTH_TARGETS,
    "early_stop": EARLY_STOP,
    "diagnoses": DIAGNOSES,
}
