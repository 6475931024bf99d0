"""Torch's SGD, less an import that takes seconds (see ``training.adamw``)."""

import inspect

import torch


class SGD(torch.optim.SGD):
    """Stochastic gradient descent as torch has it."""

    add_param_group = inspect.unwrap(torch.optim.SGD.add_param_group)
    step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))
    zero_grad = inspect.unwrap(torch.optim.SGD.zero_grad)
