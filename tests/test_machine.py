"""The device and the random numbers of a training."""

import random

import numpy as np
import pytest
import torch

from mnistedu.machine import (
    find_device,
    get_random_state,
    seed_everything,
    set_random_state,
)


@pytest.mark.parametrize(
    ("cuda", "mps", "fastest"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_without_a_name_the_fastest_device_is_taken(monkeypatch, cuda, mps, fastest):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert find_device(None) == torch.device(fastest)


def draw() -> tuple[float, ...]:
    return random.random(), np.random.rand(), random.gauss(0, 1), torch.rand(1).item()


def test_seed_everything_seeds_python_numpy_and_torch():
    seed_everything(3)
    first, second = draw(), draw()
    assert all(a != b for a, b in zip(first, second, strict=True))
    seed_everything(3)
    assert draw() == first


def test_random_numbers_go_on_from_a_state_that_was_kept():
    state = get_random_state(torch.device("cpu"))
    drawn = draw(), draw()
    set_random_state(state, torch.device("cpu"))
    assert (draw(), draw()) == drawn


def test_the_state_is_that_of_the_device_in_use(monkeypatch):
    states = {torch.device("cuda", n): torch.tensor([n, 7]).byte() for n in range(2)}
    monkeypatch.setattr(torch.cuda, "get_rng_state", states.__getitem__)
    monkeypatch.setattr(
        torch.cuda,
        "set_rng_state",
        lambda state, device: states.update({device: state}),
    )
    second = torch.device("cuda:1")
    state = get_random_state(second)
    states[second] = torch.zeros(2).byte()
    set_random_state(state, second)
    assert [state.tolist() for state in states.values()] == [[0, 7], [1, 7]]


@pytest.mark.parametrize("name", ["abacus", "meta", "cuda:99"])
def test_a_device_that_is_not_there_gets_a_sentence(name):
    with pytest.raises(ValueError, match=f"{name}.*cannot be used here: name another"):
        find_device(name)
    assert find_device("cpu") == torch.device("cpu")
