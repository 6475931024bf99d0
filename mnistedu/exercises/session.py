"""What an attempt may have changed in the reader's session, put back."""

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import torch

# How each of them is read, and how it is set.
SETTINGS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, torch.set_default_device),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
    (os.getcwd, os.chdir),
    (sys.getrecursionlimit, sys.setrecursionlimit),
]
SEEDS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (torch.get_rng_state, torch.set_rng_state),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
]


@contextmanager
def kept_session() -> Iterator[None]:
    """Put back what the block changes: settings, folder, seeds, warnings, rcParams."""
    settings = [(read(), read, put) for read, put in SETTINGS]
    seeds = [(read(), put) for read, put in SEEDS]
    environment = dict(os.environ)
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        if matplotlib := sys.modules.get("matplotlib"):
            stack.enter_context(matplotlib.rc_context())
        try:
            yield
        finally:
            for value, read, put in settings:
                with suppress(OSError):  # a folder that is no longer there
                    if read() != value:
                        put(value)
            for state, put in seeds:
                put(state)
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
