"""Each exercise: the solution passes, the stub waits, mistakes get their hint."""

import pytest
import torch
from attempts import features, heatmaps, layers, metrics

from mnistedu.exercises import EXERCISES, check

ATTEMPTS = layers.ATTEMPTS | metrics.ATTEMPTS | heatmaps.ATTEMPTS | features.ATTEMPTS


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_passes(name):
    answer = check(name, EXERCISES[name].solution)
    assert answer.solved
    assert repr(answer).startswith(f"Solved: {name}")


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    ("nothing", "hint"),
    [(..., "the three dots"), (None, "your function returns nothing")],
)
def test_untouched_stub_is_not_yet(name, nothing, hint):
    answer = check(name, lambda *arguments: nothing)
    assert not answer.solved
    assert repr(answer).startswith("Not yet: ")
    assert hint in answer.message


@pytest.mark.parametrize(
    ("name", "hint"), [(name, hint) for name in ATTEMPTS for hint in ATTEMPTS[name]]
)
def test_mistake_gets_its_hint(name, hint):
    answer = check(name, ATTEMPTS[name][hint])
    assert not answer.solved
    assert hint in answer.message
    assert "\n    expected " in answer.message  # and the case that shows it


@pytest.mark.parametrize("name", EXERCISES)
def test_every_known_mistake_is_found_by_its_own_hint(name):
    for hint, mistake in EXERCISES[name].mistakes.items():
        assert check(name, mistake).message.startswith(hint)


@pytest.mark.parametrize("name", EXERCISES)
def test_exceptions_are_caught(name):
    def divide(*arguments):
        return 1 / 0

    assert "ZeroDivisionError: division by zero" in check(name, divide).message
    assert "TypeError" in check(name, lambda: None).message  # too few arguments


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "result", [1, "a", [], torch.ones(0), torch.ones(50), (), (None, None), object]
)
def test_wrong_types_and_shapes_are_caught(name, result):
    answer = check(name, lambda *arguments: result)
    assert not answer.solved
    assert "return" in answer.message


def test_damage_to_inputs_is_said_and_does_not_last():
    def careless(grad, x):
        grad[x <= 0] = 0
        return grad

    for _ in range(2):  # the cases themselves stay whole
        assert "changes its input grad" in check("relu_backward", careless).message


def test_result_may_have_another_dtype_or_carry_autograd():
    def double(logits):
        return torch.softmax(logits.double(), 1)

    def tracked(logits):
        return torch.softmax(logits.requires_grad_(), 1)

    assert check("softmax", double).solved
    assert check("softmax", tracked).solved


def test_result_instead_of_function():
    answer = check("softmax", torch.ones(1, 2))
    assert "pass the function itself" in answer.message


def test_unknown_exercise():
    with pytest.raises(
        ValueError, match="no exercise 'sofmax'; the exercises are relu"
    ):
        check("sofmax", torch.exp)
