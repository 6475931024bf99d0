"""Numbers for the cases of exercises."""

import math

import torch
from torch import Tensor


def varied(*shape: int, start: int = 0) -> Tensor:
    """Numbers from -5 to 5 with one decimal, without a pattern and on every machine.

    The first 101 are all different: i ↦ i³ is one to one modulo 101. What is right for
    such numbers is hardly right by chance.
    """
    i = torch.arange(start, start + math.prod(shape))
    return ((i**3 % 101 - 50) / 10).view(shape)
