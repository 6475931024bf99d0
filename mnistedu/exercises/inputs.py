"""When a result is no more than a simple function of the arguments."""

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers
from mnistedu.exercises.relate import Case

OF_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "that is the sum of {}": torch.sum,
    "that is the mean of {}": torch.mean,
    "that is the product of {}": torch.prod,
    "that is the largest of {}": torch.max,
    "that is the smallest of {}": torch.min,
    "that is the length of {}": lambda x: torch.tensor(x.shape[0]),
    "that is the place of the largest of {}": torch.argmax,
    "that is the place of the smallest of {}": torch.argmin,
    "that is the first of {}": lambda x: x[0],
    "that is the last of {}": lambda x: x[-1],
    "that is {} with the sign changed": torch.neg,
    "that is {} without what is negative": torch.relu,
    "these are the absolute values of {}": torch.abs,
    "these are the squares of {}": torch.square,
    "these are the exponentials of {}": torch.exp,
    "that is 1 where {} is positive, 0 elsewhere": lambda x: x > 0,
    "that is {}, sorted": lambda x: x.sort().values,
    "that is the order that sorts {}": lambda x: x.argsort(),
    "that is {} in reversed order": lambda x: x.flip(0),
    "that is {} with rows and columns exchanged": lambda x: x.transpose(0, 1),
    "that is the diagonal of {}": torch.diagonal,
    "these are the running sums of {}": lambda x: x.cumsum(0),
}
ALONG: dict[str, Callable[..., Tensor]] = {
    "these are the sums of {} over dimension {}": torch.sum,
    "these are the means of {} over dimension {}": torch.mean,
    "these are the largest of {} over dimension {}": torch.amax,
    "these are the places of the largest of {} over dimension {}": torch.argmax,
    "these are the places of the smallest of {} over dimension {}": torch.argmin,
}
OF_TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "that is {} + {}": operator.add,
    "that is {} - {}": operator.sub,
    "that is {} * {}": operator.mul,
    "that is {} / {}": operator.truediv,
    "that is {} @ {}": operator.matmul,
}


def find_input(cases: list[Case], results: list[Any]) -> str | None:
    """A sentence that names it; None if that is not so in every case."""
    mine = [x for result in results if (x := to_numbers(result)) is not None]
    if len(mine) < len(results) or len({str(x) for x in mine}) < 2:
        return None
    names = [
        name
        for name in cases[0]
        if all(_is_filled(to_numbers(case[name])) for case in cases)
    ]
    arguments = {name: [to_numbers(case[name]) for case in cases] for name in names}
    for text, function, parts in _candidates(names):
        with suppress(RuntimeError, IndexError):
            columns = zip(*(arguments[name] for name in parts), strict=True)
            if all(
                same(m, function(*column))
                for m, column in zip(mine, columns, strict=True)
            ):
                return f"{text}."
    return None


def _is_filled(numbers: Tensor | None) -> bool:
    return numbers is not None and numbers.numel() > 0


def _candidates(
    names: list[str],
) -> Iterator[tuple[str, Callable[..., Tensor], tuple[str, ...]]]:
    for name in names:
        for text, function in OF_ONE.items():
            yield text.format(name), function, (name,)
        for text, reduce in ALONG.items():
            for dim in range(4):
                yield text.format(name, dim), partial(reduce, dim=dim), (name,)
    for pair in permutations(names, 2):
        for text, combine in OF_TWO.items():
            yield text.format(*pair), combine, pair
