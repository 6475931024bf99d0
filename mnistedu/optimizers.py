"""Torch's optimizers, less an import that takes seconds."""

import inspect
from typing import TypeVar, cast

import torch

Kind = TypeVar("Kind", bound=torch.optim.Optimizer)


def _allow_compiling(kind: type[Kind]) -> type[Kind]:
    """The same optimizer, whose methods do not call torch's compiler.

    Torch bars them from being compiled, and that bar alone imports the compiler, which
    nobody has asked for.
    """
    names = ("add_param_group", "load_state_dict", "state_dict", "step", "zero_grad")
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    methods["step"] = torch.no_grad()(methods["step"])
    return cast(type[Kind], type(kind.__name__, (kind,), methods))


AdamW = _allow_compiling(torch.optim.AdamW)  # Loshchilov and Hutter, 2019
SGD = _allow_compiling(torch.optim.SGD)
