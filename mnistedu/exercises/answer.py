"""What an exercise is, and how an attempt at it is judged.

An exercise is its solution, a few small cases, and the mistakes that readers are
likely to make. A mistake is written as a function that makes it: whoever gets the same
wrong numbers as that function gets its hint.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Answer:
    """What ``check`` found: solved or not, and why not. A notebook shows its repr."""

    solved: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Solved' if self.solved else 'Not yet'}: {self.message}"


class Exercise(NamedTuple):
    """``cases`` are arguments by name, smallest first; ``mistakes`` are by hint."""

    solution: Callable[..., Any]
    cases: list[dict[str, Any]]
    mistakes: dict[str, Callable[..., Any]]


def judge(exercise: Exercise, function: Callable[..., Any]) -> str | None:
    """The first thing that is wrong with an attempt; None if nothing is."""
    for number in range(len(exercise.cases)):
        problem = _find_problem(exercise, function, number)
        if problem:
            return problem
    return None


def _find_problem(
    exercise: Exercise, function: Callable[..., Any], number: int
) -> str | None:
    case = exercise.cases[number]
    arguments = {name: _copy(value) for name, value in case.items()}
    given = "".join(f"\n    {name} = {show(value)}" for name, value in case.items())
    try:
        result = function(*arguments.values())
    except Exception as error:
        return f"your function raised {type(error).__name__}: {error}{given}"
    for name, value in arguments.items():
        if not _same(value, case[name]):
            return (
                f"your function changes its input {name}, which others still need: "
                f"compute a new tensor, without += and methods that end in _.{given}"
            )
    if result is ...:
        return "put your own lines in the place of the three dots."
    if result is None:
        return "your function returns nothing: let it end in return and the result."
    expected = exercise.solution(*case.values())
    if _same(result, expected):
        return None
    hint = _find_mistake(exercise, result, number) or _compare_kind(result, expected)
    given += f"\n    expected {show(expected)}\n    returned {show(result)}"
    return hint + given


def _find_mistake(exercise: Exercise, result: Any, number: int) -> str | None:
    """The hint of the mistake that gives this result, and is right until then."""
    *before, case = exercise.cases[: number + 1]
    for hint, mistake in exercise.mistakes.items():
        if _same(result, mistake(*case.values())) and all(
            _same(mistake(*c.values()), exercise.solution(*c.values())) for c in before
        ):
            return hint
    return None


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _same(result: Any, expected: Any) -> bool:
    """Equal up to rounding; dtypes may differ, shapes may not, and nan equals nan."""
    if isinstance(expected, tuple):
        return (
            isinstance(result, tuple)
            and len(result) == len(expected)
            and all(map(_same, result, expected))
        )
    if not isinstance(expected, Tensor):
        return bool(result == expected)
    return (
        isinstance(result, Tensor)
        and result.shape == expected.shape
        and torch.allclose(
            result.detach().double(), expected.double(), 1e-4, 1e-6, equal_nan=True
        )
    )


def _compare_kind(result: Any, expected: Any) -> str:
    """The hint when no known mistake explains the result."""
    if isinstance(expected, tuple):
        if not isinstance(result, tuple) or len(result) != len(expected):
            return f"return {len(expected)} tensors, as in `return first, second`."
        pairs = list(zip(result, expected, strict=True))
    else:
        pairs = [(result, expected)]
    for mine, theirs in pairs:
        if not isinstance(mine, Tensor):
            return f"return a torch tensor, not a {type(mine).__name__}."
        if mine.shape != theirs.shape:
            return f"the shape should be {(*theirs.shape,)}, not {(*mine.shape,)}."
    return "the numbers differ in this case."


def show(value: Any) -> str:
    """Short, and the same on every machine: numbers to four decimals."""
    if isinstance(value, tuple):
        return ", ".join(map(show, value))
    if isinstance(value, Tensor) and value.numel() <= 12:
        return str(value.detach().double().round(decimals=4).tolist())
    if isinstance(value, Tensor):
        return f"a tensor of shape {(*value.shape,)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
