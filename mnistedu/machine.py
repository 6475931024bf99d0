"""What a training takes from the machine: its device and its random numbers."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import torch
from torch import distributed


def find_device(name: torch.device | str | None) -> torch.device:
    """The device of that name; of None the fastest: CUDA, Apple's MPS, or the CPU.

    Raises:
        ValueError: if there is none here, or none that holds numbers.
    """
    if name is None:
        cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The device '{name}' cannot be used here: name another, or none to take "
            "the fastest there is."
        ) from error
    return device


@contextmanager
def join_processes(device: str | None) -> Iterator[tuple[torch.device, int, int]]:
    """Join the other processes, if torchrun has started this one with others.

    Only the first one prints.

    Yields:
        The device of this process, its rank, counted from 0, and how many there are.
    """
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield find_device(device), 0, 1
        return
    where, backend = torch.device("cpu"), "gloo"
    if find_device(device).type == "cuda":
        where, backend = find_device(f"cuda:{os.environ['LOCAL_RANK']}"), "nccl"
        torch.cuda.set_device(where)
    distributed.init_process_group(backend)
    rank = distributed.get_rank()
    with redirect_stdout(StringIO()) if rank else nullcontext():
        yield where, rank, distributed.get_world_size()
    distributed.destroy_process_group()


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, NumPy and torch, on every device.

    The same seed gives the same weights on the same processor. A graphics card adds up
    in whatever order is fastest, so that there the last digits differ.

    Args:
        seed: from 0 to 2**32 - 1.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def get_random_state(device: torch.device) -> dict[str, Any]:
    """The state of all random numbers that a device's training draws, for JSON."""
    name, words, *others = np.random.get_state(legacy=True)
    state = {
        "python": random.getstate(),
        "numpy": [name, np.asarray(words).tolist(), *others],
        "cpu": torch.get_rng_state().tolist(),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device).tolist()
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state().tolist()
    return state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Go back to a state that ``get_random_state`` gave on a device of this kind."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(torch.tensor(state["cpu"], dtype=torch.uint8))
    if device.type == "cuda" and "cuda" in state:
        cuda = torch.tensor(state["cuda"], dtype=torch.uint8)
        torch.cuda.set_rng_state(cuda, device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(torch.tensor(state["mps"], dtype=torch.uint8))
