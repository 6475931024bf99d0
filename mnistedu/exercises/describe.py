"""A wrong result in words, where no known mistake explains it."""

import math
from collections.abc import Callable, Iterator
from itertools import islice, permutations
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.altered import find_altered
from mnistedu.exercises.compare import (
    are_alike,
    is_pair,
    is_truth,
    same,
    split,
    to_numbers,
)
from mnistedu.exercises.facts import find_fact, find_factor, pair_up
from mnistedu.exercises.limit import call_within
from mnistedu.exercises.probe import Functions, find_behaviour, is_left_to_chance
from mnistedu.exercises.relate import Case, Pairs, find_moves
from mnistedu.exercises.show import name_kind, show
from mnistedu.exercises.slices import find_slices
from mnistedu.exercises.where import (
    find_condition,
    find_places,
    find_sides,
    find_sources,
)

PROBE_LIMIT = 3.0  # seconds for all further trials of a function together
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def describe(
    cases: list[Case],
    results: list[Any],
    expected: list[Any],
    at: int,
    functions: Functions | None = None,
    whole: bool = True,
) -> str:
    """What is true in all cases, or else how the result of case ``at`` differs.

    Args:
        cases: the arguments.
        results: the reader's, in each case.
        expected: the right ones.
        at: the first case in which they differ.
        functions: the solution and the reader's function, to be tried further; None
            if they are not to be called again.
        whole: whether a case is right where these results are.
    """
    if all(map(_is_nan, results)):
        return "these are nan, no numbers: 0 / 0 is nan, and so is the mean of nothing."
    if all(map(_is_wrapped, results, expected)):
        return (
            "your result is a tuple with one tensor in it: is there a comma after the "
            "value that return gives? Else take [0] of it."
        )
    for name in cases[0]:
        if all(same(r, case[name]) for r, case in zip(results, cases, strict=True)):
            return f"that is {name}, as it was given."
    places = range(len(cases))
    wrong = [n for n in places if not same(results[n], expected[n])]
    if all(_differ_in_shape(results[n], expected[n]) for n in wrong):
        return _compare_shapes(results[at], expected[at])
    if fact := find_fact(cases, results, expected):
        return fact
    solution = functions and not isinstance(expected[at], tuple) and functions[0]
    if solution and (fact := find_altered(solution, cases, results)):
        return fact
    if 1 < len(wrong) < len(cases):
        parts = ([values[n] for n in wrong] for values in (cases, results, expected))
        if fact := find_fact(*parts):
            count = f"{len(cases) - len(wrong)} of {len(cases)} cases are right"
            return f"{count}; in the others {fact}"
    if isinstance(expected[at], dict):
        names = [*expected[at]]
        results, expected = (
            [tuple(x.values()) for x in y] for y in (results, expected)
        )
        return _describe_parts(names, cases, results, expected, at, functions)
    if isinstance(expected[at], tuple):
        names = [f"the {ordinal} result" for ordinal in ORDINALS]
        return _describe_parts(names, cases, results, expected, at, functions)
    pairs = pair_up(results, expected)
    more = [*find_sources(pairs, cases, at)] if pairs else []
    more += _observe_cases(cases, pairs, [whole and n not in wrong for n in places])
    if functions and pairs:
        if _try(lambda: is_left_to_chance(functions[1], cases), False):
            more = ["Called again with the same arguments, it returns something else."]
        elif pairs[at][0].isfinite().all():  # what is nan stays so whatever changes
            more += _try(lambda: [*islice(find_behaviour(functions, cases, at), 2)], [])
    return " ".join([_compare(results[at], expected[at]), *more[:3]])


def _observe_cases(cases: list[Case], pairs: Pairs, right: list[bool]) -> list[str]:
    """Which cases are right, and which places."""
    condition = find_condition(cases, right) if any(right) else None
    found = [condition, *find_places(pairs), *find_sides(pairs), find_slices(pairs)]
    for name, moves in find_moves(pairs, cases) if pairs and not found[-1] else ():
        if fact := find_slices(moves):
            found.append(f"As differences from {name}: {fact[0].lower()}{fact[1:]}")
    return [said for said in found if said]


def _try(find: Callable[[], Any], otherwise: Any) -> Any:
    """What further calls of the reader's function show, unless they fail."""
    try:
        return call_within(PROBE_LIMIT, find)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever the function does with other arguments
        return otherwise


def _is_nan(result: Any) -> bool:
    numbers = to_numbers(result)
    return numbers is not None and numbers.numel() > 0 and bool(numbers.isnan().all())


def _is_wrapped(result: Any, expected: Any) -> bool:
    """Whether a tensor alone in a tuple stands where no tuple is asked for."""
    return (
        isinstance(result, tuple)
        and len(result) == 1
        and isinstance(result[0], Tensor)
        and not isinstance(expected, tuple)
    )


def _differ_in_shape(result: Any, expected: Any) -> bool:
    """Whether the numbers are the same, one after the other, in another shape."""
    mine, theirs = to_numbers(result), to_numbers(expected)
    if mine is None or theirs is None or mine.shape == theirs.shape:
        return False
    return same(mine.flatten(), theirs.flatten())


def _compare_shapes(result: Any, expected: Any) -> str:
    mine, theirs = (
        tuple(numbers.shape)
        for value in (result, expected)
        if (numbers := to_numbers(value)) is not None
    )
    if not theirs:
        return "the number is right, but stands in brackets: take it out with [0]."
    return f"the numbers are right, but the shape should be {theirs}, not {mine}."


def _describe_parts(
    names: list[str],
    cases: list[Case],
    results: list[Any],
    expected: list[Any],
    at: int,
    functions: Functions | None,
) -> str:
    """Of several results, the first that is wrong."""
    count = len(expected[at])
    parts = [split(result) or () for result in results]
    if any(len(part) != count for part in parts):
        tensors = all(isinstance(value, Tensor) for value in expected[at])
        what = "tensors" if tensors else "results"
        return f"return {count} {what}, as in `return first, second`."
    if order := _find_order(parts, expected):
        return f"the results are right, but their order should be {order}."
    columns = [
        ([part[n] for part in parts], [right[n] for right in expected])
        for n in range(count)
    ]
    wrong = [n for n, column in enumerate(columns) if not all(map(same, *column))]
    solution = functions[0] if functions and len(wrong) > 1 else None
    if solution and (fact := find_altered(solution, cases, results)):
        return fact
    n = next(n for n in wrong if not same(parts[at][n], expected[at][n]))
    others = [names[other] for other in wrong if other != n]
    more = f", and also {', '.join(others)}" if len(wrong) < count else ""
    more = more if others else ", and every other is right"
    picked = functions and (_pick(functions[0], n), _pick(functions[1], n))
    said = describe(cases, *columns[n], at, picked, whole=not others)
    for other, (_, right) in enumerate(columns):
        if functions and all(map(same, columns[n][0], right)):
            said = f"that is what {names[other]} should be."
    return f"{names[n]} is wrong{more}: {said}"


def _find_order(parts: list[Any], expected: list[Any]) -> str | None:
    """How the results would have to be ordered to be right."""
    count = len(expected[0])
    for order in islice(permutations(range(count)), 1, None) if count < 5 else ():
        ordered = [[part[n] for n in order] for part in parts]
        if all(same(*pair) for pair in zip(ordered, map(list, expected), strict=True)):
            return ", ".join(str(n + 1) for n in order)
    return None


def _pick(function: Callable[..., Any], n: int) -> Callable[..., Any]:
    """One of its results."""
    return lambda *arguments: function(*arguments)[n]


def _compare(result: Any, expected: Any) -> str:
    """The kind, then the shape, then the numbers."""
    if is_pair(result) or (isinstance(expected, Tensor) and _was_pair(result)):
        return "these are values and where they were, in one: take .values or .indices."
    mine, theirs = to_numbers(result), to_numbers(expected)
    if mine is None or theirs is None or not are_alike(result, expected):
        is_list = isinstance(expected, list) and isinstance(result, list)
        words = is_list and any(isinstance(part, str) for part in result)
        if words and all(map(is_truth, expected)):
            return "True or False are asked for, not words."
        if type(result) is type(expected) and not isinstance(expected, Tensor):
            return "this case has another answer."
        return f"return {name_kind(expected)}, not {name_kind(result)}."
    if isinstance(expected, bool):
        return "this case has another answer."
    holds_places = _holds_places(expected)
    places = _compare_places(mine, theirs) if holds_places else []
    if mine.shape == theirs.shape:
        said = _compare_numbers(mine, theirs, has_factor=not holds_places)
        return " ".join([f"here {said}", *places])
    if isinstance(expected, list):
        return f"the list should have {len(theirs)} entries, not {mine.numel()}."
    if theirs.ndim == 0:
        return f"one number is asked for, not {name_kind(result)} of {mine.numel()}."
    shapes = f"the shape should be {(*theirs.shape,)}, not {(*mine.shape,)}."
    return " ".join([shapes, *places])


def _was_pair(result: Any) -> bool:
    """Whether it is a slice of what max, topk or sort return, and so a plain tuple."""
    return (
        isinstance(result, tuple)
        and len(result) == 2
        and all(isinstance(part, Tensor) for part in result)
        and result[0].is_floating_point()
        and result[1].dtype == torch.int64
    )


def _holds_places(expected: Any) -> bool:
    """Whether it is a row of whole numbers, each once, as indices are."""
    return (
        isinstance(expected, Tensor)
        and expected.ndim == 1
        and expected.dtype == torch.int64
        and len({*expected.tolist()}) == len(expected)
    )


def _compare_places(mine: Tensor, theirs: Tensor) -> list[str]:
    """Which are missing, and which are too many, whatever their order."""
    yours, right = ({*x.flatten().tolist()} for x in (mine, theirs))
    said = [(right - yours, "missing"), (yours - right, "too many")]
    return [
        f"{', '.join(f'{x:g}' for x in sorted(found)[:4])} "
        f"{'is' if len(found) == 1 else 'are'} {what}."
        for found, what in said
        if found
    ]


def _compare_numbers(mine: Tensor, theirs: Tensor, has_factor: bool = True) -> str:
    if theirs.ndim == 0:
        return _compare_two(mine.item(), theirs.item())
    factor = find_factor([(mine, theirs)])
    if factor and (has_factor or "times" not in factor):  # no place is twice another
        return " ".join([factor, *_observe_shares(mine, theirs)])
    right = mine.isclose(theirs, rtol=1e-4, atol=1e-6, equal_nan=True)
    at = tuple((~right).nonzero()[0].tolist())
    wanted, given = show(theirs[at]), show(mine[at])
    if wanted == given:  # to four decimals
        wanted, given = f"{theirs[at]:.4g}", f"{mine[at]:.4g}"
    first = f"{list(at)} should be {wanted}, not {given}"
    count = f"{int(right.sum())} of {right.numel()} numbers are right; {first}."
    return " ".join([count, *islice(_observe(mine, theirs), 2)])


def _compare_two(mine: float, theirs: float) -> str:
    if not math.isfinite(mine - theirs):
        return f"{show(theirs)} is expected, and not {show(mine)}."
    if mine == -theirs:
        return "the sign is wrong."
    way = "large" if mine > theirs else "small"
    factor = mine / theirs if theirs else 0.0
    times = f", {factor:.4g} times what it should be" if factor > 0 else ""
    return f"it is {abs(mine - theirs):.4g} too {way}{times}."


def _observe(mine: Tensor, theirs: Tensor) -> Iterator[str]:
    """What else is true of the numbers, the most telling first."""
    if (mine.isnan() & ~theirs.isnan()).any():
        yield "Some of them are nan, which is no number."
    if same(mine.flatten().sort().values, theirs.flatten().sort().values):
        yield "The right numbers are there, in another order."
    elif same(mine.sum(), theirs.sum()):
        yield "Their sum is right."
    yield from _observe_shares(mine, theirs)
    if (theirs >= 0).all() and (mine < 0).any():
        yield "None of them should be negative."
    if same(mine.sign(), theirs.sign()) and (theirs < 0).any():
        yield "The signs are right."
    if mine.ndim == 1 and len(mine) > 2 and same(mine.argsort(), theirs.argsort()):
        yield "Their order by size is right."


def _observe_shares(mine: Tensor, theirs: Tensor) -> Iterator[str]:
    if same(theirs, theirs.round()):
        return  # whole numbers that add up to 1 do so by chance
    names = {"rows": -1, "columns": 0} if mine.ndim == 2 else {"numbers": -1}
    for name, dim in names.items():
        sums, right = mine.sum(dim).flatten(), theirs.sum(dim).flatten()
        wrong = sums[~sums.isclose(right, rtol=1e-4)]
        if same(right, torch.ones_like(right)) and len(wrong):
            yours = "yours" if len(wrong) == len(sums) else "one of yours"
            yield f"The {name} should add up to 1, and {yours} to {show(wrong[0])}."
