"""How a result changes when an argument does, beside how it should."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers
from mnistedu.exercises.relate import Case
from mnistedu.exercises.tame import tame

Functions = tuple[Callable[..., Any], Callable[..., Any]]  # the right one, the reader's
TIMES = {1.0: "stays as it is", 2.0: "doubles", 4.0: "is 4 times as large"}


def is_left_to_chance(function: Callable[..., Any], cases: list[Case]) -> bool:
    """Whether two calls with the same arguments give different results."""
    twice = [_call((function, function), case) for case in cases]
    return not all(same(*results) for results in twice)


def find_behaviour(functions: Functions, cases: list[Case]) -> Iterator[str]:
    """Sentences about a function beside the right one, the most telling first."""
    before = [_call(functions, case) for case in cases]
    for name in cases[0]:
        yield from _find_use(functions, cases, before, name)
    for name in cases[0]:
        yield from _find_neighbours(functions, cases, before, name)
    for name in cases[0]:
        yield from _find_scale(functions, cases, before, name)


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


def _find_neighbours(
    functions: Functions, cases: list[Case], before: list[Any], name: str
) -> Iterator[str]:
    """Whether the first of several results counts on the last of an argument."""
    counts = []
    for case, was in zip(cases, before, strict=True):
        value = case[name]
        if not isinstance(value, Tensor) or value.ndim < 2 or len(value) < 2:
            continue
        changed = torch.cat([value[:-1], value[-1:].roll(1, -1) + 1])
        with suppress(Exception):
            now = _call(functions, {**case, name: changed})
            if all(len(x) == len(value) for x in now):
                counts.append(_differ([x[0] for x in was], [x[0] for x in now]))
    right, mine = (any(count[n] for count in counts) for n in (0, 1))
    if right != mine:
        does, other = ("changes", "does not") if mine else ("does not change", "does")
        yield f"Your [0] {does} with {name}[-1], and the right one {other}."


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
