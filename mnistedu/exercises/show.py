"""Values as a hint shows them: short, and the same on every machine."""

import math
from traceback import format_exception_only
from typing import Any

import numpy as np
from torch import Tensor

from mnistedu.exercises.compare import is_truth, unusual
from mnistedu.exercises.tame import Strange

# Numbers: a tensor with more is shown by its shape and a corner. And tensors: a list
# with more of them is cut.
WHOLE = 24


def show(value: Any) -> str:
    """Numbers to four decimals; small tensors whole, so that they can be copied."""
    if isinstance(value, tuple):
        return ", ".join(map(show, value)) + "," * (len(value) == 1)
    if _has_tensors(value) and len(value) <= WHOLE:
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return show_numbers(value)
    if isinstance(value, Tensor):
        name = unusual(value)
        return f"a {name} tensor" if name else show_numbers(value.detach().cpu())
    if isinstance(value, dict):
        return "; ".join(f"{key}: {show(part)}" for key, part in value.items())
    if isinstance(value, list) and value and _has_tensors(value[0]):
        return f"a list of {len(value)}; the first is {show(value[0])}"
    if isinstance(value, float):
        return str(round(value, 4))
    try:
        text = repr(value)
    except Exception:  # a class of the reader's own
        return name_kind(value)
    return type(value).__name__ if "\n" in text else shorten(text, 120)


def _has_tensors(value: Any) -> bool:
    """Whether it is a tuple or a list with tensors in it, as a batch is."""
    return isinstance(value, (tuple, list)) and any(
        isinstance(x, (Tensor, np.ndarray)) for x in value
    )


def show_numbers(value: Any) -> str:
    """A tensor or an array, as a list."""
    shape = (*value.shape,)
    if math.prod(shape) > WHOLE:
        corner = (0,) * (len(shape) - 2) + (slice(3),) * min(len(shape), 2)
        names = ", ".join("0" if at == 0 else ":3" for at in corner)
        return f"a tensor of shape {shape}; [{names}] is {show_numbers(value[corner])}"
    return str(_round(value.tolist()))


def show_error(error: Exception) -> str:
    """The last line of a traceback, cut if it is long."""
    return shorten("".join(format_exception_only(error)), 160)


def _round(value: Any) -> Any:
    if isinstance(value, list):
        return [_round(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value


def name_place(place: int) -> str:
    """As it stands before "nearest" or "strongest", with a space behind it."""
    return ("", "second ", "third ")[place] if place < 3 else f"{place + 1}th "


def shorten(text: str, length: int) -> str:
    """Its first line, or as much of it as there is room for."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= length else f"{line[:length]}..."


def name_kind(value: Any) -> str:
    """What a reader would call it."""
    if isinstance(value, Tensor):
        return f"a {unusual(value) or 'torch'} tensor"
    if is_truth(value):
        return "True or False"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, Strange):
        return repr(value)
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def name_dress(result: Any, expected: Any) -> str:
    """A word on right numbers that come in something else than was asked for."""
    yours = "a float" if isinstance(result, float) else name_kind(result)
    if isinstance(expected, Tensor) and expected.ndim:
        fits, wanted = isinstance(result, Tensor), "a torch tensor"
    elif isinstance(expected, (tuple, list)):
        fits, wanted = isinstance(result, (tuple, list)), name_kind(expected)
        if fits and all(map(is_truth, expected)):
            yours = "one of tensors"
            fits = not any(isinstance(part, Tensor) for part in result)
            wanted = "a list of True and False, which bool() makes of them"
    else:
        is_float = isinstance(result, float) or (
            isinstance(result, Tensor) and result.is_floating_point()
        )
        fits = not isinstance(expected, int) or not is_float
        wanted = "a whole number"
    return "" if fits else f" (Yours is {yours}; asked for is {wanted}.)"
