"""When a result would be right for other arguments."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from functools import partial
from itertools import combinations, permutations
from operator import add, mul, sub, truediv
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import same
from mnistedu.exercises.relate import Case

OF_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "{} + 1": lambda x: x + 1,
    "{} - 1": lambda x: x - 1,
    "2 * {}": lambda x: 2 * x,
    "{} / 2": lambda x: x / 2,
    "1 / {}": lambda x: 1 / x,
}
OF_PLACES: dict[str, Callable[[Tensor], Tensor]] = {
    "{} + 1": lambda x: x + 1,
    "{} - 1": lambda x: x - 1,
}
TOGETHER = {"+": add, "-": sub, "*": mul, "/": truediv}
OF_ENTRIES: dict[str, Callable[[Any], Any]] = {
    "{}[1:]": lambda x: x[1:],
    "{}[:-1]": lambda x: x[:-1],
}
OF_TENSORS: dict[str, Callable[[Tensor], Tensor]] = {
    "{} in reversed order": lambda x: x.flip(0),
    "{} with rows and columns exchanged": lambda x: x.transpose(-1, -2),
    "{} moved by one": lambda x: x.roll(1, 0),
    "{} with its columns in reversed order": lambda x: x.flip(1),
    "{} without what is negative": torch.relu,
    "{} sorted": lambda x: x.sort().values,
}
OF_FLOATS: dict[str, Callable[[Any], Any]] = {
    "0": lambda x: 0 * x,
    "1": lambda x: 0 * x + 1,
    "-{}": lambda x: -x,
    "1 - {}": lambda x: 1 - x,
    "{} squared": lambda x: x**2,
    "|{}|": abs,
}
OF_TRUTH: dict[str, Callable[[Any], Any]] = {
    "the opposite of {}": lambda x: ~x if isinstance(x, Tensor) else not x
}


def find_altered(
    solution: Callable[..., Any], cases: list[Case], results: list[Any]
) -> str | None:
    """For which other arguments these are the right results, in every case."""
    if len({repr(result) for result in results}) < 2:
        return None
    for said, alter in _name_alterations(cases[0]):
        with suppress(Exception):  # whatever the solution says to such arguments
            if all(
                same(result, solution(*alter(deepcopy(case)).values()))
                for result, case in zip(results, cases, strict=True)
            ):
                return f"that would be right {said}."
    return None


def _name_alterations(case: Case) -> Iterator[tuple[str, Callable[[Case], Case]]]:
    for one, other in combinations(case, 2):
        if type(case[one]) is type(case[other]):
            yield f"with {one} and {other} exchanged", partial(_exchange, one, other)
    tensors = [name for name, value in case.items() if isinstance(value, Tensor)]
    for names in [[name] for name in case] + ([tensors] if len(tensors) > 1 else []):
        for text, change in _list_changes(case[names[0]]):
            altered = " and ".join(text.format(name) for name in names)
            instead = f"with {altered} in place of {' and '.join(names)}"
            yield instead, partial(_change, names, change)
    numbers = [name for name, value in case.items() if type(value) in (int, float)]
    for one, other in permutations(numbers, 2):
        for sign, combine in TOGETHER.items():
            instead = f"with {one} {sign} {other} in place of {one}"
            yield instead, partial(_combine, one, other, combine)


def _combine(
    one: str, other: str, combine: Callable[[Any, Any], Any], case: Case
) -> Case:
    return {**case, one: combine(case[one], case[other])}


def _exchange(one: str, other: str, case: Case) -> Case:
    return {**case, one: case[other], other: case[one]}


def _change(names: list[str], change: Callable[[Any], Any], case: Case) -> Case:
    return {**case, **{name: change(case[name]) for name in names}}


def _list_changes(value: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What may become of an argument of this kind."""
    is_tensor = isinstance(value, Tensor)
    if isinstance(value, bool) or (is_tensor and value.dtype == torch.bool):
        yield from OF_TRUTH.items()
    elif is_tensor and not value.is_floating_point():
        for text, change in OF_FLOATS.items():
            if "-" not in text:  # a target below 0 is none
                yield text, change
    elif is_tensor or isinstance(value, (int, float)):
        yield from OF_FLOATS.items()
    elif isinstance(value, list) and all(isinstance(x, (int, float)) for x in value):
        for text, change in OF_FLOATS.items():
            yield text, partial(_change_each, change)
    if isinstance(value, (int, float)):
        yield from OF_NUMBERS.items()
    if is_tensor or isinstance(value, list):
        yield from OF_ENTRIES.items()
    if is_tensor and value.dtype == torch.int64:
        yield from OF_PLACES.items()
    if is_tensor:
        yield from OF_TENSORS.items()


def _change_each(change: Callable[[Any], Any], value: list[Any]) -> list[Any]:
    return [*map(change, value)]
