"""How a result changes when an argument does, beside how it should."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import is_truth, same, to_numbers
from mnistedu.exercises.relate import Case
from mnistedu.exercises.show import show
from mnistedu.exercises.tame import tame

Functions = tuple[Callable[..., Any], Callable[..., Any]]  # the right one, the reader's
TIMES = {1.0: "stays as it is", 2.0: "doubles", 4.0: "is 4 times as large"}


def find_behaviour(functions: Functions, cases: list[Case], at: int) -> Iterator[str]:
    """Sentences about a function beside the right one, the most telling first."""
    before = [_call(functions, case) for case in cases]
    for name in cases[0]:
        yield from _find_use(functions, cases, before, name)
    for name in cases[0]:
        yield from _find_neighbours(functions, cases, before, name)
    for name in cases[0]:
        yield from _find_scale(functions, cases, before, name)
    yield from _find_slopes(functions, cases[at], before[at])


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


def _find_slopes(functions: Functions, case: Case, before: Any) -> Iterator[str]:
    """What becomes of the first wrong number if a number of an argument changes."""
    should, was = map(_read, before)
    if is_truth(before[0]) or was.shape != should.shape:
        return
    if isinstance(before[0], Tensor) and not before[0].is_floating_point():
        return
    wrong = ~was.isclose(should, rtol=1e-4, atol=1e-6, equal_nan=True)
    place = tuple(wrong.nonzero()[0].tolist())
    your = f"your {list(place)}" if place else "yours"
    for name, value in case.items():
        for text, changed in _nudge(name, value):
            with suppress(Exception):
                now = _call(functions, {**case, name: changed})
                right, mine = (
                    (_read(a)[place] - _read(b)[place]).item()
                    for a, b in zip(now, before, strict=True)
                )
                if not same(right, mine):
                    yield (
                        f"With {text}, {your} changes by {show(mine)}, "
                        f"and the right one by {show(right)}."
                    )


def _nudge(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An argument with 1 added to one of its numbers, and how that is called."""
    if isinstance(value, (bool, str)):
        return
    if isinstance(value, (int, float)):
        yield f"{name} = {show(value + 1)}", value + 1
    if isinstance(value, list) and all(isinstance(x, (int, float)) for x in value):
        yield f"1 added to {name}[0]", [value[0] + 1, *value[1:]]
        yield f"1 added to {name}[-1]", [*value[:-1], value[-1] + 1]
    if isinstance(value, list):
        yield f"one more in {name}, like the last", [*value, value[-1]]
    if isinstance(value, Tensor) and value.numel() and value.dtype != torch.bool:
        for place in (0, -1):
            changed = value.clone()
            changed.view(-1)[place] += 1
            at = [place] * value.ndim
            yield f"1 added to {name}{at if at else ''}", changed


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
    yield from (x for x in others if type(x) is type(value))
