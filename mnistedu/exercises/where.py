"""Which of the numbers are wrong, and which of the cases."""

from collections.abc import Callable, Iterator
from itertools import permutations

import torch
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers
from mnistedu.exercises.relate import Case, Pairs, name_quantities
from mnistedu.exercises.show import show

# What the right number is where, and only where, yours is wrong.
VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "Only what should be negative is wrong.": lambda x: x < 0,
    "Only what should be positive is wrong.": lambda x: x > 0,
    "Only what should be 0 is wrong.": lambda x: x == 0,
    "Only what should be 0 is right.": lambda x: x != 0,
}


def find_places(pairs: Pairs) -> Iterator[str]:
    """What the places have in common that are wrong, and what stands there."""
    if not pairs or any(
        mine.shape != theirs.shape or not theirs.ndim for mine, theirs in pairs
    ):
        return
    wrong = [
        ~mine.isclose(theirs, rtol=1e-4, atol=1e-6, equal_nan=True)
        for mine, theirs in pairs
    ]
    if all(w.all() or not w.any() for w in wrong):
        return
    theirs = [pair[1] for pair in pairs]
    for text, test in VALUES.items():
        if all(w.equal(test(t)) for w, t in zip(wrong, theirs, strict=True)):
            yield text
            break
    else:
        yield from _find_lines(wrong)
    there = torch.cat([m[w] for (m, _), w in zip(pairs, wrong, strict=True)])
    right = torch.cat([t[w] for t, w in zip(theirs, wrong, strict=True)])
    if len(there) > 1 and same(there, there[:1].expand_as(there)):
        yield f"Each wrong number is {show(there[0])}."
    elif len(there) > 1 and same(there - right, (there - right)[:1].expand_as(there)):
        yield f"Each wrong number is off by {show((there - right)[0])}."
    elif len(there) > 1 and same(there, right * (there / right)[0]):
        yield f"Each wrong number is {show((there / right)[0])} times the right one."


def find_sources(pairs: Pairs, cases: list[Case], at: int) -> Iterator[str]:
    """Where an argument that holds all the numbers has the first wrong one."""
    mine, theirs = pairs[at]
    if mine.shape != theirs.shape or not theirs.ndim:
        return
    first = tuple((~mine.isclose(theirs, equal_nan=True)).nonzero()[0].tolist())
    for name in cases[at]:
        found = [to_numbers(case[name]) for case in cases]
        sources = [x for x in found if x is not None and x.ndim]
        if len(sources) < len(cases):
            continue
        places = [(sources[at] == x[first]).nonzero().tolist() for x in (mine, theirs)]
        holds_all = all(
            torch.isin(torch.cat([m.flatten(), t.flatten()]), source).all()
            for (m, t), source in zip(pairs, sources, strict=True)
        )
        if holds_all and len(places[0]) == len(places[1]) == 1:
            yours, right = (place[0] for place in places)
            yield f"In {name}, yours stands at {yours}, the right one at {right}."


def _find_lines(wrong: list[Tensor]) -> Iterator[str]:
    """Whether it is the first or the last of some dimension."""
    shapes = {w.ndim for w in wrong}
    if len(shapes) > 1:
        return
    (ndim,) = shapes
    kinds = ["number"] if ndim == 1 else ["row", "column"][:ndim] if ndim == 2 else []
    kinds = kinds or [f"of dimension {dim}" for dim in range(ndim)]
    for dim, kind in enumerate(kinds):
        for which, part in (("first", slice(1)), ("last", slice(-1, None))):
            lines = [_mark(w, dim, part) for w in wrong]
            if all(w.equal(line) for w, line in zip(wrong, lines, strict=True)):
                yield f"Only the {which} {kind} is wrong."
                return
            if all(w.equal(~line) for w, line in zip(wrong, lines, strict=True)):
                yield f"Only the {which} {kind} is right."
                return


def _mark(like: Tensor, dim: int, part: slice) -> Tensor:
    mark = torch.zeros_like(like)
    mark.movedim(dim, 0)[part] = True
    return mark


def find_sides(pairs: Pairs) -> Iterator[str]:
    """Whether single numbers are always wrong to the same side."""
    if len(pairs) < 2 or any(mine.ndim + theirs.ndim for mine, theirs in pairs):
        return
    off = [(m - t).item() for m, t in pairs if not same(m, t)]
    if len(off) > 1 and (min(off) > 0 or max(off) < 0):
        way = "large" if min(off) > 0 else "small"
        where = f"in {len(off)} of {len(pairs)} cases and right in the others"
        yield f"It is too {way} {where if len(off) < len(pairs) else 'in every case'}."


def find_condition(cases: list[Case], right: list[bool]) -> str | None:
    """What the arguments of the right cases have in common, and no wrong case has."""
    for name, values in name_quantities(cases).items():
        if "." in name:
            continue  # what a tensor's sum or shape is, is mostly chance
        groups: dict[bool, set[float]] = {True: set(), False: set()}
        for value, is_right in zip(values.tolist(), right, strict=True):
            groups[is_right].add(value)
        for is_right, mine in groups.items():
            if len(mine) == 1 and not mine & groups[not is_right]:
                (value,) = mine
                if value in (0, 1, 2):
                    what = "right" if is_right else "wrong"
                    name_it = f"{name} is {_name(value, cases[0].get(name))}"
                    return f"The cases in which {name_it} are {what}, and no other."
    return _find_smaller(cases, right)


def _find_smaller(cases: list[Case], right: list[bool]) -> str | None:
    """Whether the right cases are those in which one argument is below another."""
    numbers = {
        name: values
        for name, values in name_quantities(cases).items()
        if "." not in name and "(" not in name
    }
    for (name, mine), (other, theirs) in permutations(numbers.items(), 2):
        smaller = (mine < theirs).tolist()
        for what, those in (("right", right), ("wrong", [not r for r in right])):
            if smaller == those:
                where = f"{name} is smaller than {other}"
                return f"The cases in which {where} are {what}, and no other."
    for (name, mine), (other, theirs) in permutations(numbers.items(), 2):
        smaller = (mine < theirs).tolist()
        wrong = [s for s, r in zip(smaller, right, strict=True) if not r]
        if len(wrong) > 1 and all(wrong) and smaller.count(False) > 1:
            return f"In all wrong cases {name} is smaller than {other}."
    return None


def _name(value: float, like: object) -> str:
    return str(bool(value)) if isinstance(like, bool) else f"{value:g}"
