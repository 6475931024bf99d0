"""Numbers that are wrong by something that differs from part to part."""

from collections.abc import Iterator

from torch import Tensor

from mnistedu.exercises.compare import same
from mnistedu.exercises.relate import Pairs


def find_slices(pairs: Pairs) -> str | None:
    """A factor or an offset that differs from case to case, or from slice to slice."""
    if not pairs or any(m.shape != t.shape or not t.ndim for m, t in pairs):
        return None
    ndim = min(t.ndim for _, t in pairs)
    for dim in (None, *range(ndim if ndim > 1 else 0)):
        rows = [*_cut_up(pairs, dim)]
        if max(len(set(theirs.tolist())) for _, theirs in rows) < 3:
            continue
        what = "case" if dim is None else f"place in dimension {dim}"
        if all(_is_constant(a - b) for a, b in rows):
            offsets = [(a - b)[0] for a, b in rows]
            return f"For each {what} they are off by one number: {_list(offsets)}."
        if all((b != 0).any() and _has_factor(a, b) for a, b in rows):
            factors = [(a / b)[b != 0][0] for a, b in rows]
            return f"For each {what} they are off by one factor: {_list(factors)}."
    return None


def _list(numbers: list[Tensor]) -> str:
    first = [f"{number.item():.4g}" for number in numbers[:4]]
    return ", ".join(first + ["…"] * (len(numbers) > 4))


def _cut_up(pairs: Pairs, dim: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    for mine, theirs in pairs:
        if dim is None:
            yield mine.flatten(), theirs.flatten()
        else:
            both = (x.movedim(dim, 0).flatten(1) for x in (mine, theirs))
            yield from zip(*both, strict=True)


def _has_factor(a: Tensor, b: Tensor) -> bool:
    return _is_constant((a / b)[b != 0]) and same(a[b == 0], b[b == 0])


def _is_constant(x: Tensor) -> bool:
    return bool(x.isfinite().all()) and same(x, x[:1].expand_as(x))
