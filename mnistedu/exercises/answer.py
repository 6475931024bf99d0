"""What an exercise is, and how an attempt at it is judged.

An exercise is its solution, a few small cases, and the mistakes that readers are
likely to make. A mistake is written as a function that makes it: whoever gets the same
as that function, in every case, gets its hint.
"""

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mnistedu.exercises.compare import same, split, to_numbers
from mnistedu.exercises.describe import describe
from mnistedu.exercises.explain import explain
from mnistedu.exercises.limit import TimeLimitError, call_within
from mnistedu.exercises.relate import Case
from mnistedu.exercises.session import kept_session
from mnistedu.exercises.show import name_dress, show, show_error
from mnistedu.exercises.tame import tame, tame_error

TIME_LIMIT = 5.0  # seconds for each case: far more than most solutions need

Function = Callable[..., Any]


@dataclass(frozen=True, repr=False)
class Answer:
    """What ``check`` found: solved or not, and why not. A notebook shows its repr."""

    solved: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Solved' if self.solved else 'Not yet'}: {self.message}"


@dataclass(frozen=True)
class Exercise:
    """What readers are asked to write, and what they may do wrong.

    Attributes:
        solution: a function that does it right.
        cases: arguments by name, the smallest case first, and one at least with numbers
            so general that no two mistakes give the same in all cases.
        mistakes: by the hint that it deserves, a function that does it wrong, or
            several of them in a tuple.
        observe: what is compared, if that is not what the function returns: it is
            called with the function and the arguments, which may be changed then, and
            returns what the function has done, by name.
        remark: what is true of a wrong result in one case, where its numbers alone say
            little, as those of places do: it is called with the numbers and with the
            arguments, and returns a sentence or None.
        score: whether a result is good enough, and a sentence that says how good, where
            there is more than one right result, or none is to be shown: it is called
            with what is compared and with the arguments.
        to_mend: whether a program with faults stands in the stub's place.
        time_limit: seconds for each case, where ``TIME_LIMIT`` is too short.
    """

    solution: Function
    cases: list[Case]
    mistakes: dict[str, Function | tuple[Function, ...]] = field(default_factory=dict)
    observe: Function | None = None
    remark: Callable[..., str | None] | None = None
    score: Callable[..., tuple[bool, str]] | None = None
    to_mend: bool = False
    time_limit: float | None = None

    def run(self, function: Function, arguments: list[Any]) -> Any:
        """What is compared of one call."""
        if self.observe is None:
            return function(*arguments)
        return self.observe(function, *arguments)


class _HaltError(Exception):
    """What ends a trial at once; its text is for the reader."""


def judge(exercise: Exercise, function: Function) -> Answer:
    """Try a function in all cases; a hint is about the first that fails."""
    try:
        outcomes = [_try(exercise, function, case) for case in exercise.cases]
    except _HaltError as halt:
        return Answer(False, str(halt))
    if exercise.score and all(map(_can_be_scored, outcomes)):
        return _score(exercise, outcomes)
    expected = [exercise.run(exercise.solution, _copy(case)) for case in exercise.cases]
    right = [same(*pair) for pair in zip(outcomes, expected, strict=True)]
    if exercise.score:  # a result that is not the solution's may be right too
        right = [*map(_can_be_scored, outcomes)]
    if all(right):
        message = "it gives the right result in every case."
        return Answer(True, message + name_dress(outcomes[0], expected[0]))
    at = right.index(False)
    broken = [isinstance(outcome, (Exception, type(None))) for outcome in outcomes]
    if any(broken) and _fits(outcomes[at], expected[at]):
        at = broken.index(True)  # which says more than wrong numbers do
    hint = (
        _name_empty(outcomes, at)
        or find_hint(exercise, outcomes)
        or _remark(exercise, outcomes[at], expected[at], at)
        or _describe(exercise, function, outcomes, expected, at)
    )
    if outcomes[at] is ... and not any(right):
        return Answer(False, hint)  # nothing has been tried yet
    given = _show_case(exercise.cases[at])
    if not exercise.score:  # else it is the reader's to find
        given += f"\n    expected {show(expected[at])}"
    if isinstance(outcomes[at], Exception):
        given += f"\n    raised {show_error(outcomes[at])}"
    else:
        given += f"\n    returned {show(outcomes[at])}"
    return Answer(False, hint + given)


def _can_be_scored(outcome: Any) -> bool:
    return not isinstance(outcome, (Exception, type(None), type(...)))


def _score(exercise: Exercise, outcomes: list[Any]) -> Answer:
    """The hint of a mistake, or what the first case that is not good enough says."""
    assert exercise.score
    if hint := find_hint(exercise, outcomes):
        return Answer(False, hint + _show_case(exercise.cases[0]))
    for outcome, case in zip(outcomes, exercise.cases, strict=True):
        enough, said = exercise.score(outcome, *_copy(case))
        if not enough:
            returned = "" if exercise.observe else f"\n    returned {show(outcome)}"
            return Answer(False, said + _show_case(case) + returned)
    return Answer(True, said)


def find_outcomes(exercise: Exercise, function: Function) -> list[Any]:
    """What a function returns in each case, or the exception that it raises."""
    outcomes = []
    with warnings.catch_warnings(action="ignore"):  # of what no reader has written
        for case in exercise.cases:
            try:
                outcomes.append(exercise.run(function, _copy(case)))
            except Exception as error:  # a mistake may be one because it raises
                outcomes.append(error)
    return outcomes


def find_hint(exercise: Exercise, outcomes: list[Any]) -> str | None:
    """The hint of the mistake that explains every outcome, be it an exception."""
    if all(isinstance(outcome, Exception) for outcome in outcomes):
        return None  # which says too little
    for hint, mistakes in exercise.mistakes.items():
        for mistake in mistakes if isinstance(mistakes, tuple) else (mistakes,):
            if agree(outcomes, find_outcomes(exercise, mistake)):
                return hint
    return None


def agree(outcomes: list[Any], others: list[Any]) -> bool:
    """Whether they are the same in each case, be they results or exceptions."""
    return all(
        isinstance(mine, Exception) and repr(mine) == repr(theirs)
        if isinstance(theirs, Exception)
        else same(mine, theirs)
        for mine, theirs in zip(outcomes, others, strict=True)
    )


def _name_empty(outcomes: list[Any], at: int) -> str | None:
    """The hint for what is no result at all."""
    parts = outcomes[at] if isinstance(outcomes[at], (list, tuple)) else [outcomes[at]]
    if any(part is ... for part in parts):
        return "put your own lines in the place of the three dots."
    if outcomes[at] is not None:
        return None
    if all(outcome is None for outcome in outcomes):
        return (
            "your function returns nothing, or None: let it end in return and the "
            "result."
        )
    return (
        "in this case your function comes to its end without a return, and so returns "
        "nothing: let every way through it end in return and the result."
    )


def _fits(outcome: Any, expected: Any) -> bool:
    """Whether it is as many numbers as it should be, in the same shape."""
    if isinstance(expected, tuple):
        parts = split(outcome) or ()
        return len(parts) == len(expected) and all(map(_fits, parts, expected))
    mine, theirs = to_numbers(outcome), to_numbers(expected)
    return mine is not None and theirs is not None and mine.shape == theirs.shape


def _remark(exercise: Exercise, outcome: Any, expected: Any, at: int) -> str | None:
    if not exercise.remark or not _fits(outcome, expected):
        return None
    return exercise.remark(to_numbers(outcome), *_copy(exercise.cases[at]))


def _describe(
    exercise: Exercise,
    function: Function,
    outcomes: list[Any],
    expected: list[Any],
    at: int,
) -> str:
    if isinstance(outcomes[at], Exception):
        return explain(outcomes[at], list(exercise.cases[at]))
    if any(isinstance(outcome, Exception) for outcome in outcomes):
        n = slice(at, at + 1)
        return describe(exercise.cases[n], outcomes[n], expected[n], 0)
    functions = None if exercise.observe else (exercise.solution, function)
    with warnings.catch_warnings(action="ignore"):  # of arguments that are no case
        return describe(exercise.cases, outcomes, expected, at, functions)


def _try(exercise: Exercise, function: Function, case: Case) -> Any:
    """What a reader's function returns, or the exception that it raises.

    Raises:
        _HaltError: if it does something that no exercise asks for.
    """
    arguments = _copy(case)

    def run() -> Any:
        try:
            return tame(exercise.run(function, arguments))
        except RecursionError:
            raise
        except Exception as error:
            return tame_error(error)

    try:
        with kept_session():
            result = call_within(exercise.time_limit or TIME_LIMIT, run)
    except TimeLimitError as error:
        said = f"your function was {error}: does a loop never end, or a line wait?"
        raise _HaltError(said + _show_case(case)) from None
    except RecursionError:
        raise _HaltError(
            "your function calls itself again and again (RecursionError): has what you "
            f"mean to call the same name?{_show_case(case)}"
        ) from None
    except SystemExit:
        raise _HaltError(
            f"your function ends the program: leave with return, not exit()."
            f"{_show_case(case)}"
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # one of the reader's own, or of asyncio
        return tame_error(error)
    if isinstance(result, Exception):
        return result
    for (name, before), after in zip(case.items(), arguments, strict=True):
        changed = not same(tame(after), tame(before)) or (
            isinstance(after, Tensor) and after.is_leaf and after.grad is not None
        )  # a gradient left there is added to by the next call
        if exercise.observe is None and changed:
            raise _HaltError(
                f"your function changes its input {name}, which others still need: "
                "compute a new one, without assigning to its parts, += or methods that "
                f"end in _.{_show_case(case)}"
            )
    return result


def _copy(case: Case) -> list[Any]:
    return deepcopy([*case.values()])  # at once, so that what belongs together stays so


def _show_case(case: Case) -> str:
    return "".join(f"\n    {name} = {show(value)}" for name, value in case.items())
