"""What an exercise is, and how an attempt at it is judged.

An exercise is its solution, a few small cases, and the mistakes that readers are
likely to make. A mistake is written as a function that makes it: whoever gets the same
wrong numbers as that function gets its hint.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from traceback import format_exception_only
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mnistedu.exercises.limit import TimeLimitError, call_within

TIME_LIMIT = 5.0  # seconds for each case: far more than any solution needs
# What torch says, in part, and what a reader can do about it.
EXPLAINED = {
    "could not infer output dtype": "only floats have a mean: take .float() first.",
    "return_types.m": (
        "along a dimension, max and min return two things, the values and where they "
        "were: take .values of them, or use amax and amin."
    ),
}


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
        result = call_within(TIME_LIMIT, function, *arguments.values())
    except TimeLimitError as error:
        return f"your function was {error}: does a loop in it never end?{given}"
    except RecursionError:
        return (
            "your function calls itself again and again (RecursionError): has what you "
            f"mean to call the same name?{given}"
        )
    except SystemExit:
        return f"your function ends the program: leave with return, not exit().{given}"
    except Exception as error:
        said = "".join(format_exception_only(error)).strip()
        for part, advice in EXPLAINED.items():
            if part in said:
                return f"{advice} (torch says: {said}){given}"
        return f"your function raised {said}{given}"
    for name, value in arguments.items():
        if not _same(value, case[name]):
            return (
                f"your function changes its input {name}, which others still need: "
                "compute a new one, without assigning to its parts, += or methods that "
                f"end in _.{given}"
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
    return deepcopy(value) if isinstance(value, (Tensor, tuple, list)) else value


def _same(result: Any, expected: Any) -> bool:
    """Equal up to rounding; dtypes may differ, shapes may not, and nan equals nan."""
    result = _plain(result, expected)
    if _kind(result) != _kind(expected):
        return False
    if isinstance(expected, (tuple, list)):
        return len(result) == len(expected) and all(map(_same, result, expected))
    if isinstance(expected, Tensor):
        return result.shape == expected.shape and torch.allclose(
            result.detach().cpu().double(),
            expected.double(),
            rtol=1e-4,
            atol=1e-6,
            equal_nan=True,
        )
    if isinstance(expected, float):
        return _same(torch.tensor(result), torch.tensor(expected))
    return bool(result == expected)


def _plain(result: Any, expected: Any) -> Any:
    """The number in a tensor or array of one, where a mere number is expected."""
    if isinstance(result, Tensor) and _unusual(result):
        return result
    if not isinstance(expected, Tensor) and getattr(result, "ndim", None) == 0:
        result = result.item()
    if isinstance(expected, float) and type(result) is int:
        return float(result)
    return result


def _kind(value: Any) -> str:
    """What a reader would call it."""
    if isinstance(value, Tensor):
        return f"a {_unusual(value) or 'torch'} tensor"
    name = type(value).__name__
    names = {"bool": "True or False", "float": "a number", "int": "a whole number"}
    return names.get(name, f"a {name}")


def _unusual(value: Tensor) -> str | None:
    """What keeps a tensor from being compared with others; None for most tensors."""
    is_so = {
        "nested": value.is_nested,
        "sparse": value.layout != torch.strided,
        "meta": value.is_meta,
        "complex": value.is_complex(),
    }
    return next((name for name, so in is_so.items() if so), None)


def _compare_kind(result: Any, expected: Any) -> str:
    """The hint when no known mistake explains the result."""
    pairs = [(result, expected)]
    if isinstance(expected, tuple):
        if not isinstance(result, tuple) or len(result) != len(expected):
            tensors = all(isinstance(value, Tensor) for value in expected)
            what = "tensors" if tensors else "results"
            return f"return {len(expected)} {what}, as in `return first, second`."
        pairs = list(zip(result, expected, strict=True))
    for mine, theirs in pairs:
        mine = _plain(mine, theirs)
        if _kind(mine) != _kind(theirs):
            name = type(mine).__name__
            article = "an" if name[0] in "aeio" else "a"
            what = _kind(mine) if isinstance(mine, Tensor) else f"{article} {name}"
            return f"return {_kind(theirs)}, not {what}."
        if isinstance(theirs, Tensor) and mine.shape != theirs.shape:
            return f"the shape should be {(*theirs.shape,)}, not {(*mine.shape,)}."
        if isinstance(theirs, list) and len(mine) != len(theirs):
            return f"the list should have {len(theirs)} entries, not {len(mine)}."
    if isinstance(expected, (bool, str)):
        return "this case has another answer."
    return "the numbers differ in this case."


def show(value: Any) -> str:
    """Short, and the same on every machine: numbers to four decimals."""
    if isinstance(value, tuple):
        return ", ".join(map(show, value))
    if isinstance(value, Tensor) and _unusual(value):
        return _kind(value)
    if isinstance(value, Tensor) and value.numel() <= 12:
        numbers = value.detach()
        if numbers.is_floating_point():
            numbers = numbers.double().round(decimals=4)
        return str(numbers.tolist())
    if isinstance(value, float):
        return str(round(value, 4))
    if isinstance(value, Tensor):
        return f"a tensor of shape {(*value.shape,)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
