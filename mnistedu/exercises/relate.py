"""Which size or sum of the arguments the results are too large or small by."""

import math
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from mnistedu.exercises.compare import same, to_numbers

Case = dict[str, Any]  # the arguments of one call, by name
Pairs = list[tuple[Tensor, Tensor]]  # what was returned and expected, in each case


def find_moves(pairs: Pairs, cases: list[Case]) -> Iterator[tuple[str, Pairs]]:
    """The differences from an argument of the same shape, as a step is one."""
    for name in cases[0]:
        starts = [to_numbers(case[name]) for case in cases]
        moves = [
            (mine - start, theirs - start)
            for (mine, theirs), start in zip(pairs, starts, strict=True)
            if start is not None and start.shape == mine.shape == theirs.shape
        ]
        if moves and len(moves) == len(pairs) and moves[0][0].ndim:
            yield name, moves


def find_relation(pairs: Pairs, cases: list[Case]) -> str | None:
    """A factor, a quotient or an offset that is read off each case's arguments."""
    if len(cases) < 3 or any(mine.shape != theirs.shape for mine, theirs in pairs):
        return None
    quantities = name_quantities(cases)
    factors = torch.tensor([_find_factor(*pair) for pair in pairs], dtype=torch.double)
    offsets = _find_common(mine - theirs for mine, theirs in pairs)
    for name, values in quantities.items():
        if _agree(factors, values):
            return f"the result is {name} times what it should be."
        if _agree(factors, 1 / values):
            return f"the result is what it should be, divided by {name}."
        if _agree(offsets.abs(), values) and not name.endswith((".sum()", ".max()")):
            way = "large" if offsets[0] > 0 else "small"
            return f"the result is too {way} by {name}."
    for (name, above), (other, below) in permutations(quantities.items(), 2):
        if _agree(factors, above / below):
            return f"the result is what it should be, times {name} / {other}."
    for name, values in quantities.items():
        if quotient := _find_quotient(name, values, factors):
            return f"the result is what it should be, times {quotient}."
    if part := _find_part(pairs, cases, quantities):
        return f"the result is too {part}."
    return None


def _find_part(
    pairs: Pairs, cases: list[Case], quantities: dict[str, Tensor]
) -> str | None:
    """An argument, or a multiple of it, that is added or left out."""
    for name in cases[0]:
        values = [to_numbers(case[name]) for case in cases]
        factors = [
            _find_factor(mine - theirs, value)
            for (mine, theirs), value in zip(pairs, values, strict=True)
            if value is not None and value.ndim and value.shape == mine.shape
        ]
        if len(factors) < len(cases) or 0 in factors:
            continue
        way = "large" if factors[0] > 0 else "small"
        for other, multiple in {"": torch.ones(len(cases)), **quantities}.items():
            signed = multiple if factors[0] > 0 else -multiple
            if _agree(torch.tensor(factors, dtype=torch.double), signed):
                return f"{way} by {f'{other} * ' if other else ''}{name}"
    return None


def _find_quotient(name: str, values: Tensor, factors: Tensor) -> str | None:
    """A quantity beside a whole number, or beside the one before or after it."""
    for quotient, wholes in (
        (f"{name} / {{:.0f}}", values / factors),
        (f"{{:.0f}} / {name}", values * factors),
    ):
        whole = wholes[0].round()
        if 1 < whole.abs() < math.inf and _agree(wholes, whole.expand_as(wholes)):
            return quotient.format(whole.item())
    for said, step in (("- 1", -1), ("+ 1", 1)):
        if _agree(factors, values / (values + step)):
            return f"{name} / ({name} {said})"
        if _agree(factors, (values + step) / values):
            return f"({name} {said}) / {name}"
    return None


def _agree(found: Tensor, values: Tensor) -> bool:
    """Whether something was found in each case, and is this."""
    return not found.isnan().any() and same(found, values)


def name_quantities(cases: list[Case]) -> dict[str, Tensor]:
    """What can be read off every case, without what is the same in all of them."""
    found = [dict(_read_quantities(case)) for case in cases]
    names = [name for name in found[0] if all(name in case for case in found)]
    quantities = {
        name: torch.tensor([case[name] for case in found], dtype=torch.double)
        for name in names
    }
    return {name: values for name, values in quantities.items() if values.std() > 0}


def _read_quantities(case: Case) -> Iterator[tuple[str, float]]:
    for name, value in case.items():
        numbers = to_numbers(value)
        if numbers is None or not numbers.numel():
            continue
        if numbers.ndim == 0:
            yield name, numbers.item()
            continue
        yield f"len({name})", len(numbers)
        for dim in range(1, numbers.ndim):
            yield f"{name}.shape[{dim}]", numbers.shape[dim]
        if numbers.ndim > 2:
            first = ", ".join(["0"] * (numbers.ndim - 2))
            yield f"{name}[{first}].numel()", numbers.shape[-2:].numel()
        yield f"{name}.numel()", numbers.numel()
        yield f"{name}.sum()", numbers.sum().item()
        yield f"{name}.max()", numbers.max().item()


def _find_factor(mine: Tensor, theirs: Tensor) -> float:
    """What the right numbers are to be multiplied by; nan if that differs."""
    if not theirs.numel():
        return math.nan
    at = theirs.abs().nan_to_num().flatten().argmax()
    factor = mine.flatten()[at] / theirs.flatten()[at]
    return factor.item() if same(mine, theirs * factor) else math.nan


def _find_common(differences: Iterable[Tensor]) -> Tensor:
    """In each case what all its numbers have in common; nan if nothing."""
    common = []
    for numbers in differences:
        known = numbers[~numbers.isnan()]
        alike = len(known) and same(known, known[:1].expand_as(known))
        common.append(known[0].item() if alike else math.nan)
    return torch.tensor(common, dtype=torch.double)
