"""When a result is right: the numbers count, not what holds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def same(result: Any, expected: Any) -> bool:
    """Equal up to rounding; nan equals nan.

    A list, an array or a tensor of the right numbers is as good as a tuple of them,
    and a tensor of one number as good as a float. Shapes count, dtypes do not; only
    where one number is expected, True is no 1.
    """
    if isinstance(expected, dict):
        return (
            isinstance(result, dict)
            and result.keys() == expected.keys()
            and all(same(result[key], expected[key]) for key in expected)
        )
    if isinstance(expected, (tuple, list)):
        parts = split(result)
        return (
            parts is not None
            and len(parts) == len(expected)
            and all(map(same, parts, expected))
        )
    mine, theirs = to_numbers(result), to_numbers(expected)
    if theirs is None:
        return type(result) is type(expected) and bool(result == expected)
    if mine is None or not are_alike(result, expected) or mine.shape != theirs.shape:
        return False
    return torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6, equal_nan=True)


def are_alike(result: Any, expected: Any) -> bool:
    """Whether both are numbers; where one is expected, True or False are none."""
    if to_numbers(result) is None or to_numbers(expected) is None:
        return False
    return isinstance(expected, Tensor) or is_truth(result) == is_truth(expected)


def to_numbers(value: Any, depth: int = 8) -> Tensor | None:
    """All numbers of a value in one tensor of doubles; None if it is something else.

    Lists may lie in lists, as many as ``depth``: one may even lie in itself.
    """
    if isinstance(value, Tensor):
        return None if unusual(value) else value.detach().cpu().double()
    is_list = isinstance(value, (tuple, list)) and not is_pair(value) and depth > 0
    if is_list and not all(isinstance(part, (bool, int, float)) for part in value):
        parts = [p for v in value if (p := to_numbers(v, depth - 1)) is not None]
        if len(parts) < len(value) or any(p.shape != parts[0].shape for p in parts):
            return None
        return torch.stack(parts)
    if is_list or isinstance(value, (bool, int, float, np.ndarray, np.generic)):
        array = np.asarray(value)
        is_real = array.dtype.kind in "biuf"
        return torch.from_numpy(array.astype(float, "C")) if is_real else None
    return None


def split(value: Any) -> Sequence[Any] | None:
    """The results, if there are several."""
    if is_pair(value) or (isinstance(value, Tensor) and unusual(value)):
        return None
    if isinstance(value, (tuple, list)):
        return value
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        return list(value)
    return None


def is_pair(value: Any) -> bool:
    """Whether it is what max, topk or sort return: values and indices in one."""
    return type(value).__module__ == "torch.return_types"


def is_truth(value: Any) -> bool:
    """Whether it is True or False."""
    if isinstance(value, Tensor):
        return value.dtype == torch.bool
    return isinstance(value, (bool, np.bool_))


def unusual(value: Tensor) -> str | None:
    """What keeps a tensor from being compared with others; None for most tensors."""
    is_so = {
        "nested": value.is_nested,
        "sparse": value.layout != torch.strided,
        "meta": value.is_meta,
        "quantized": value.is_quantized,
        "complex": value.is_complex(),
    }
    return next((name for name, so in is_so.items() if so), None)
