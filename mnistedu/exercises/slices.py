"""Numbers that are right in a part, or wrong by something that differs."""

from collections.abc import Callable, Iterator

from torch import Tensor

from mnistedu.exercises.compare import same
from mnistedu.exercises.relate import Pairs

# Where the right numbers begin, if there are so many more than there should be.
STARTS: dict[str, Callable[[int], int]] = {
    "after": lambda more: 0,
    "before": lambda more: more,
    "around": lambda more: more // 2,
}


def find_part(pairs: Pairs) -> str | None:
    """Whether the right numbers are there, and others after or before them."""
    if not pairs or any(
        m.ndim != t.ndim
        or m.shape == t.shape
        or any(p < q for p, q in zip(m.shape, t.shape, strict=True))
        for m, t in pairs
    ):
        return None
    for place, start in STARTS.items():
        if all(same(_cut(m, t, start), t) for m, t in pairs):
            return f"the right numbers are there, and more {place} them."
    return None


def _cut(mine: Tensor, theirs: Tensor, start: Callable[[int], int]) -> Tensor:
    for dim, length in enumerate(theirs.shape):
        mine = mine.narrow(dim, start(mine.shape[dim] - length), length)
    return mine


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
        said = f"For each {what} the numbers are too large or small by one"
        if all(_is_constant(a - b) for a, b in rows):
            return f"{said} number."
        if all(
            _is_constant((a / b)[b != 0]) and same(a[b == 0], b[b == 0])
            for a, b in rows
        ):
            return f"{said} factor."
    return None


def _cut_up(pairs: Pairs, dim: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    for mine, theirs in pairs:
        if dim is None:
            yield mine.flatten(), theirs.flatten()
        else:
            both = (x.movedim(dim, 0).flatten(1) for x in (mine, theirs))
            yield from zip(*both, strict=True)


def _is_constant(x: Tensor) -> bool:
    return bool(x.isfinite().all()) and same(x, x[:1].expand_as(x))
