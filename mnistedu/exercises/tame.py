"""A reader's result, without what a class of their own does when it is looked at."""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from torch import Tensor

from mnistedu.exercises.compare import is_pair, unusual

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), np.ndarray)


@dataclass(frozen=True, repr=False)
class Strange:
    """In the place of something that is none of what an exercise asks for."""

    name: str

    def __repr__(self) -> str:
        return f"{'an' if self.name[0] in 'aeioAEIO' else 'a'} {self.name}"


def tame(value: Any, depth: int = 8) -> Any:
    """The same, where it is numbers, text, or lists, tuples and tables of them.

    Nothing of it is called: a ``__repr__``, ``__eq__`` or ``__len__`` of the reader's
    own may raise, or never end.
    """
    kind = type(value)
    if kind in PLAIN or is_pair(value) or isinstance(value, np.generic):
        return value
    if kind in (Decimal, Fraction):
        with suppress(OverflowError, ValueError):  # too large, or a nan that signals
            return float(value)
    if isinstance(value, Tensor):
        is_own = kind is not Tensor and not unusual(value)
        return value.as_subclass(Tensor) if is_own else value
    if isinstance(value, tuple) and depth:
        return tuple(tame(part, depth - 1) for part in tuple.__iter__(value))
    if isinstance(value, list) and depth:
        return [tame(part, depth - 1) for part in list.__iter__(value)]
    if isinstance(value, dict) and depth:
        return {str(k): tame(part, depth - 1) for k, part in dict.items(value)}
    return Strange(kind.__name__)


def tame_error(error: BaseException) -> Exception:
    """The same, where it can be shown."""
    try:
        text = f"{error!r} {error}"
    except Exception:
        text = ""
    if isinstance(error, Exception) and text:
        return error
    return RuntimeError(type(error).__name__)
