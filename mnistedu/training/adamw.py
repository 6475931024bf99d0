"""Torch's AdamW, less an import that takes seconds."""

import inspect

import torch


class AdamW(torch.optim.AdamW):
    """AdamW as torch has it (Loshchilov and Hutter, 2019).

    Torch bars these methods from being compiled, and that bar alone imports its
    compiler, which nobody has asked for. They are the same without it.
    """

    add_param_group = inspect.unwrap(torch.optim.AdamW.add_param_group)
    load_state_dict = inspect.unwrap(torch.optim.AdamW.load_state_dict)
    state_dict = inspect.unwrap(torch.optim.AdamW.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))
    zero_grad = inspect.unwrap(torch.optim.AdamW.zero_grad)
