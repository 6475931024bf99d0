"""The chapters' exercises and an answer, with a hint, to each attempt."""

from collections.abc import Callable
from typing import Any

from mnistedu.exercises import features, heatmaps, layers, metrics
from mnistedu.exercises.answer import Answer, judge, show

EXERCISES = (
    layers.EXERCISES | metrics.EXERCISES | heatmaps.EXERCISES | features.EXERCISES
)


def check(name: str, function: Callable[..., Any]) -> Answer:
    """Try a reader's function on the cases of an exercise.

    Args:
        name: the exercise, for example ``"softmax"``.
        function: the attempt. Whatever it does wrong is said in the answer; nothing is
            raised.

    Returns:
        The answer: solved, or the first case that fails, with a hint.

    Raises:
        ValueError: if there is no such exercise.
    """
    if name not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise ValueError(f"There is no exercise {name!r}; the exercises are {known}.")
    if not callable(function):
        return Answer(False, f"pass the function itself, not {show(function)}.")
    problem = judge(EXERCISES[name], function)
    if problem:
        return Answer(False, problem)
    return Answer(True, f"{name} gives the right result in every case.")
