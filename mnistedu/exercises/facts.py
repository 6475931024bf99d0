"""What is true of wrong numbers in every case. How that came about is not guessed."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers
from mnistedu.exercises.relate import Case, Pairs, find_moves, find_relation
from mnistedu.exercises.show import show

# What the right numbers would have to become for the sentence to be true.
CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "each number has the wrong sign.": torch.neg,
    "the signs are lost: the absolute values are right.": torch.abs,
    "what should be negative is 0, and the rest is right.": torch.relu,
    "these are per cent, 100 times what is asked for.": lambda x: 100 * x,
    "each number is 1 minus what it should be.": lambda x: 1 - x,
    "each number is 255 minus what it should be.": lambda x: 255 - x,
    "each number is 1 divided by what it should be.": torch.reciprocal,
    "each number is the square of what it should be.": torch.square,
    "each number is the square root of what it should be.": torch.sqrt,
    "each number is the exponential of what it should be.": torch.exp,
    "each number is the logarithm of what it should be.": torch.log,
    "the numbers are divided by the largest of them.": lambda x: x / x.max(),
    "the numbers are divided by their sum.": lambda x: x / x.sum(),
    "that is the softmax of what is asked for.": lambda x: x.softmax(-1),
    "each row is divided by its sum.": lambda x: x / x.sum(-1, keepdim=True),
    "these are the running sums of what is asked for.": lambda x: x.cumsum(0),
    "rows and columns are exchanged.": lambda x: x.transpose(0, 1),
    "the right numbers are there, in reversed order.": lambda x: x.flip(0),
    "the columns come in reversed order.": lambda x: x.flip(1),
    "the right numbers are there, but sorted.": lambda x: x.sort().values,
    "the right numbers are there, but sorted downwards.": (
        lambda x: x.sort(descending=True).values
    ),
    "each is the answer for the one before.": lambda x: x.roll(1, 0),
    "each is the answer for the next one.": lambda x: x.roll(-1, 0),
    "the last one is missing.": lambda x: x[:-1],
    "the first one is missing.": lambda x: x[1:],
    "the last row and the last column are missing.": lambda x: x[:-1, :-1],
    "only the first one is there.": lambda x: x[0],
    "only the last one is there.": lambda x: x[-1],
    "that is the sum of what is asked for.": torch.sum,
    "that is the mean of what is asked for.": torch.mean,
}
ALONG: dict[str, Callable[..., Tensor]] = {
    "these are the sums of what is asked for, over dimension {}.": torch.sum,
    "these are the means of what is asked for, over dimension {}.": torch.mean,
    "these are the largest of what is asked for, over dimension {}.": torch.amax,
}
# The same, if there are more than two different numbers: 0 and 1 are so by chance.
CUTS: dict[str, Callable[..., Tensor]] = {
    "the numbers are cut to whole numbers.": lambda x, dim: x.trunc(),
    "the numbers are rounded to {} decimals.": lambda x, dim: x.round(decimals=dim),
}
# What would have to be done to the wrong numbers to make them right.
REPAIRS: dict[str, Callable[..., Tensor]] = {
    "what is asked for are the sums of yours over dimension {}.": torch.sum,
    "what is asked for are the means of yours over dimension {}.": torch.mean,
    "what is asked for are the largest of yours over dimension {}.": torch.amax,
}


def find_fact(cases: list[Case], results: list[Any], expected: list[Any]) -> str | None:
    """A sentence that explains the results of all cases; None if there is none."""
    pairs = pair_up(results, expected)
    if len(pairs) < 2:
        return None
    if all(map(_is_whole, results)) and all(same(m, t.trunc()) for m, t in pairs):
        return (
            "a tensor of whole numbers has lost what stands behind the decimal point: "
            "// cuts it off, so divide with /, or make the tensor of floats from the "
            "beginning, with .float()."
        )
    different = _count_different(mine for mine, _ in pairs)
    if different < 2:
        alone = all(mine.ndim == theirs.ndim == 0 for mine, theirs in pairs)
        alone = alone and len(pairs) > 2  # two may be alike by chance
        return f"it is {show(results[0])} in every case." if alone else None
    cuts = _spread(CUTS) if different > 2 else ()
    for fact, change in chain(CHANGES.items(), _spread(ALONG), cuts):
        with suppress(RuntimeError, IndexError):
            if all(same(mine, change(theirs)) for mine, theirs in pairs):
                return fact
    for fact, repair in _spread(REPAIRS):
        with suppress(RuntimeError, IndexError):
            if all(same(repair(mine), theirs) for mine, theirs in pairs):
                return fact
    if found := find_factor(pairs) or find_relation(pairs, cases):
        return found
    for name, moves in find_moves(pairs, cases):
        if move := find_factor(moves) or find_relation(moves, cases):
            return f"as a difference from {name}, {move}"
    return None


def pair_up(results: list[Any], expected: list[Any]) -> Pairs:
    """The numbers of all; none if one of them has none."""
    pairs = [
        (mine, theirs)
        for result, right in zip(results, expected, strict=True)
        if (mine := to_numbers(result)) is not None
        and (theirs := to_numbers(right)) is not None
    ]
    return pairs if len(pairs) == len(results) else []


def find_factor(pairs: Pairs) -> str | None:
    """By what all numbers are too large or too small, if that is the same for all."""
    if any(mine.shape != theirs.shape for mine, theirs in pairs):
        return None
    mine, theirs = (torch.cat([pair[i].flatten() for pair in pairs]) for i in (0, 1))
    if min(_count_different([mine]), _count_different([theirs])) < 2:
        return None
    what = "it" if pairs[0][1].ndim == 0 else "each number"
    at = theirs.abs().nan_to_num().argmax()
    factor, offset = (mine[at] / theirs[at]).item(), (mine[at] - theirs[at]).item()
    if math.isfinite(factor) and same(mine, theirs * factor):
        return f"{what} is {factor:.4g} times what it should be."
    if math.isfinite(offset) and same(mine, theirs + offset):
        return f"{what} is {abs(offset):.4g} too {'large' if offset > 0 else 'small'}."
    return None


def _is_whole(result: Any) -> bool:
    """Whether its type has room for whole numbers only."""
    return isinstance(result, Tensor) and not (
        result.is_floating_point() or result.dtype == torch.bool
    )


def _spread(table: dict[str, Callable[..., Tensor]]) -> Iterator[tuple[str, Any]]:
    for fact, change in table.items():
        for dim in range(4):
            yield fact.format(dim), partial(change, dim=dim)


def _count_different(tensors: Iterable[Tensor]) -> int:
    return len(set(torch.cat([tensor.flatten() for tensor in tensors]).tolist()))
