"""How a result changes when an argument does, beside how it should."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import chain, islice
from typing import Any

import torch
from numpy import ndindex
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers
from mnistedu.exercises.relate import Case
from mnistedu.exercises.tame import tame

Functions = tuple[Callable[..., Any], Callable[..., Any]]  # the right one, the reader's
MOST = 24  # numbers of an argument that are changed one by one
NUDGES = (0.5, 100, -100)  # which a hint names
TIMES = {1.0: "stays as it is", 2.0: "doubles", 4.0: "is 4 times as large"}


def is_left_to_chance(function: Callable[..., Any], cases: list[Case]) -> bool:
    """Whether two calls with the same arguments give different results."""
    twice = [_call((function, function), case) for case in cases]
    return not all(same(*results) for results in twice)


def find_behaviour(functions: Functions, cases: list[Case], at: int) -> Iterator[str]:
    """Sentences about a function beside the right one, the most telling first."""
    before = [_call(functions, case) for case in cases]
    unlike = [*chain(*(_find_use(functions, cases, before, name) for name in cases[0]))]
    yield from unlike
    for name in cases[0]:
        yield from _find_scale(functions, cases, before, name)
    for name in cases[0] if not unlike else ():
        with suppress(Exception):
            yield from _find_numbers(functions, cases[at], name)


def _find_use(
    functions: Functions, cases: list[Case], before: list[Any], name: str
) -> Iterator[str]:
    """Whether an argument counts at all."""
    counts = []
    for case, was in zip(cases, before, strict=True):
        for value in _vary(case[name], [other[name] for other in cases]):
            with suppress(Exception):
                counts.append(_differ(was, _call(functions, {**case, name: value})))
    right, mine = (any(count[n] for count in counts) for n in (0, 1))
    if right and not mine:
        yield f"Your result does not change with {name}, and the right one does."
    if mine and not right:
        yield f"Your result changes with {name}, and the right one does not."


def _find_numbers(functions: Functions, case: Case, name: str) -> Iterator[str]:
    """Whether a number of the result counts on one of an argument."""
    before = [_read(result) for result in _call(functions, case)]
    if before[0].shape != before[1].shape:
        return
    for place, values in islice(_nudge(case[name]), MOST):
        counts = [torch.zeros_like(was, dtype=torch.bool) for was in before]
        for value in values:
            after = map(_read, _call(functions, {**case, name: value}))
            for count, was, now in zip(counts, before, after, strict=True):
                count |= ~was.isclose(now, rtol=1e-4, atol=1e-6, equal_nan=True)
        right, mine = counts
        if not right.equal(mine):
            at = tuple((right != mine).nonzero()[0].tolist())
            yours = f"Here your {[*at] if at else 'result'}"
            does, other = "does not change", "does"
            if mine[at]:
                does, other = "changes", "does not"
            is_float = isinstance(case[name], Tensor) and case[name].is_floating_point()
            tried = " (Tried: 0.5 and 100 more, and 100 less.)" if is_float else ""
            said = f"{yours} {does} with {name}{place}, and the right one {other}."
            yield said + tried
            return


def _nudge(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """The place of each number, and what it is in if another stands there."""
    if isinstance(value, Tensor) and value.numel() > 1:
        for at in ndindex(*value.shape):
            yield (
                f"{[*at]}",
                [_replace(value, at, new) for new in _list_others(value, at)],
            )
    elif isinstance(value, (list, tuple)):
        for i, entry in enumerate(value):
            if isinstance(entry, tuple):
                nudged = _nudge(entry)
            else:
                steps = NUDGES if isinstance(entry, float) else (1, 2)
                nudged = iter([("", [entry + step for step in steps])])
            for place, news in nudged:
                ends = value[:i], value[i + 1 :]
                yield (
                    f"[{i}]{place}",
                    [type(value)([*ends[0], new, *ends[1]]) for new in news],
                )


def _list_others(value: Tensor, at: tuple[int, ...]) -> Iterable[Any]:
    if value.dtype == torch.bool:
        return [not value[at]]
    if value.is_floating_point():
        return [value[at] + nudge for nudge in NUDGES]
    return {*value.flatten().tolist()}


def _replace(value: Tensor, at: tuple[int, ...], new: Any) -> Tensor:
    value = value.clone()
    value[at] = new
    return value


def _find_scale(
    functions: Functions, cases: list[Case], before: list[Any], name: str
) -> Iterator[str]:
    """What becomes of the results if an argument is doubled."""
    if not all(
        isinstance(case[name], Tensor) and case[name].is_floating_point()
        for case in cases
    ):
        return
    with suppress(Exception):
        after = [_call(functions, {**case, name: 2 * case[name]}) for case in cases]
        right, mine = (_name_growth(before, after, n) for n in (0, 1))
        if right and right != mine:
            does = mine or "does not"
            yield f"With twice {name}, the right result {right}, and yours {does}."


def _name_growth(before: list[Any], after: list[Any], n: int) -> str | None:
    for factor, text in TIMES.items():
        if all(
            same(_read(now[n]), factor * _read(was[n]))
            for was, now in zip(before, after, strict=True)
        ):
            return text
    return None


def _call(functions: Functions, case: Case) -> list[Any]:
    return [tame(function(*deepcopy([*case.values()]))) for function in functions]


def _read(value: Any) -> Tensor:
    numbers = to_numbers(value)
    if numbers is None:
        raise TypeError(value)
    return numbers


def _differ(before: list[Any], after: list[Any]) -> list[bool]:
    return [not same(a, b) for a, b in zip(before, after, strict=True)]


def _vary(value: Any, others: list[Any]) -> Iterator[Any]:
    """Other values of the same kind."""
    if isinstance(value, Tensor) and value.ndim:
        yield value.flatten().roll(1).view_as(value)
        yield value.flip(0)
        yield from (end.expand_as(value).clone() for end in value.flatten()[[0, -1]])
        if value.is_floating_point():
            yield value.abs() / 2
    elif isinstance(value, list):
        yield value[::-1]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value + 2)
    elif isinstance(value, float):
        yield from (value / 2, value / 4)
    shape = getattr(value, "shape", None)
    yield from (x for x in others if getattr(x, "shape", None) == shape)
