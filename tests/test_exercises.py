"""Each exercise: the solution passes, the stub waits, mistakes get their hint."""

import _thread
import itertools
import math
import os
import random
import re
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from itertools import chain, combinations
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import platformdirs
import pytest
import torch
from torch.nn import functional as F

from mnistedu.exercises import CHAPTERS, EXERCISES, check, progress, reset_progress
from mnistedu.exercises.answer import Exercise, agree, find_outcomes, judge
from mnistedu.exercises.describe import describe
from mnistedu.exercises.limit import TimeLimitError, call_within

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
READERS = [import_module(f"attempts.ch{chapter}") for chapter in CHAPTERS]
ATTEMPTS = {
    name: tried for module in READERS for name, tried in module.ATTEMPTS.items()
}
SOLUTIONS = {name: own for module in READERS for name, own in module.SOLUTIONS.items()}
SIMPLE = [
    (name, attempt)
    for module in READERS
    for name, attempts in getattr(module, "SIMPLE", {}).items()
    for attempt in attempts
]


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_passes(name):
    answer = check(name, EXERCISES[name].solution)
    assert answer.solved
    assert repr(answer).startswith("Solved: ")
    if not EXERCISES[name].score:
        assert answer.message == "it gives the right result in every case."


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
    said, *case = answer.message.split("\n")
    assert hint in said
    assert case or not EXERCISES[name].cases[0]  # and the case that shows it
    assert "your function raised" not in said
    assert sum(said.startswith(other) for other in EXERCISES[name].mistakes) <= 1


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, n) for name in SOLUTIONS for n in range(len(SOLUTIONS[name]))],
)
def test_honest_solutions_pass(name, number):
    answer = check(name, SOLUTIONS[name][number])
    assert answer.solved, answer.message


@pytest.mark.parametrize(("name", "attempt"), SIMPLE)
def test_what_is_right_in_simple_cases_only_is_not_solved(name, attempt):
    assert not check(name, attempt).solved


def _variants(mistake):
    return mistake if isinstance(mistake, tuple) else (mistake,)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_known_mistake_is_found_by_its_own_hint(name):
    for hint, mistake in EXERCISES[name].mistakes.items():
        for variant in _variants(mistake):
            assert check(name, variant).message.startswith(hint)


@pytest.mark.parametrize("name", EXERCISES)
def test_no_two_mistakes_agree_in_all_cases(name):
    """Else one of them would get the other's hint; nor may one be the solution."""
    exercise = EXERCISES[name]
    table = {"": [find_outcomes(exercise, exercise.solution)]}
    for hint, mistake in exercise.mistakes.items():
        table[hint] = [find_outcomes(exercise, f) for f in _variants(mistake)]
    for outcomes in chain.from_iterable(table.values()):
        assert not all(isinstance(outcome, Exception) for outcome in outcomes)
    for (hint, mine), (other, theirs) in combinations(table.items(), 2):
        for a in mine:
            for b in theirs:
                assert not agree(a, b), f"told apart by no case: {hint} | {other}"


def _adam_without_brackets(p, grad, m, q, step, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    q = beta2 * q + (1 - beta2) * grad**2
    return p - lr * (m / 1 - beta1**step) / ((q / 1 - beta2**step).sqrt() + eps), m, q


def test_what_stays_nan_whatever_changes_is_not_said_to_stay():
    message = check("adam", _adam_without_brackets).message
    assert "Some of them are nan" in message
    assert "does not change" not in message


def _stop_without_one_per_cent(val_losses, patience):
    best, kept = math.inf, 0
    for epoch, loss in enumerate(val_losses, 1):
        if loss < 0.99 * best:
            best, kept = loss, epoch
        elif epoch - kept >= patience:
            return epoch, kept
    return len(val_losses), kept


def _wait_too_long_and_forget_the_end(val_losses, patience):
    best = math.inf
    for epoch, loss in enumerate(val_losses, 1):
        if loss < best:
            best, at = loss, epoch
        if epoch - at > patience:
            return epoch, at


def _count_from_0_and_forget_the_end(val_losses, patience):
    best = math.inf
    for epoch, loss in enumerate(val_losses):
        if loss < best:
            best, at = loss, epoch
        if epoch - at == patience:
            return epoch, at


def _nudge_up_only(loss, parameters, backward):
    right = [True] * len(parameters)
    for n, grad in enumerate(backward(parameters)):
        for i in range(grad.numel()):
            nudged = [p.clone() for p in parameters]
            nudged[n].view(-1)[i] += 1e-5
            slope = (loss(nudged) - loss(parameters)) / 1e-5
            if abs(slope - grad.reshape(-1)[i]) > 1e-6:
                right[n] = False
    return right


def _differentiate(logits, targets):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(logits, targets), logits)


def _share_one_row(targets, classes, epsilon):
    row, rows = torch.full((classes,), epsilon / classes), []
    for target in targets:
        row[target] += 1 - epsilon
        rows.append(row)
    return torch.stack(rows)


# What three readers found to be called solved, or explained by what they had not done.
@pytest.mark.parametrize(
    ("name", "attempt", "hint"),
    [
        (
            "class_shares",
            lambda t: (t.bincount(minlength=10) / len(t)).round(decimals=2),
            "rounded to 2 decimals",
        ),
        (
            "respond",
            lambda maps, w, i, j: torch.conv2d(maps, w[None])[0, i, j].relu(),
            "no ReLU is asked for",
        ),
        (
            "bounding_box",
            lambda ink: (
                *((at := (ink.sum(1) > 0.1).nonzero()).min(), at.max() + 1),
                *((at := (ink.sum(0) > 0.1).nonzero()).min(), at.max() + 1),
            ),
            "faint traces add up",
        ),
        (
            "sgd_momentum",
            lambda p, g, v, lr, mu: (p - lr * g - lr * v, mu * v + g),
            "in your step the old velocity is whole",
        ),
        (
            "sgd_momentum",
            lambda p, g, v, lr, mu: (p + mu * v - lr * g, mu * v - lr * g),
            "as in some books",
        ),
        (
            "count_parameters",
            lambda sizes: int(torch.tensor(sizes).prod()),
            "you multiply all sizes",
        ),
        (
            "accuracy",
            lambda z, t: (z.argmax() == t).float().mean(),
            "one place in the whole batch",
        ),
        (
            "accuracy",
            lambda z, t: (z.amax(1) == t).float().mean(),
            "compare the targets with the largest logits",
        ),
        (
            "accuracy",
            lambda z, t: (z.gather(1, t[:, None])[:, 0] == t).sum() / z.numel(),
            "too small",
        ),
        (
            "accuracy",
            lambda z, t: (z.softmax(1)[range(len(t)), t] > 0.5).float().mean(),
            "with less than 0.5",
        ),
        ("permute_weights", lambda weight, order: weight[order], "a row is a neuron"),
        (
            "output_size",
            lambda n, k, p, s: (n + 2 * p - 2 * (k // 2)) // s,
            "add 1 for the first place",
        ),
        (
            "receptive_field",
            lambda layers: 1 + sum(k // 2 * 2 for k, _ in layers),
            "times what it should be",
        ),
        (
            "smooth_targets",
            lambda t, k, e: torch.where(torch.eye(k)[t] > 0, 1 - e, e / k),
            "gets its own share of it back",
        ),
        (
            "confusion",
            lambda t, a, n: torch.zeros(n, n).index_put((t, a), torch.ones(len(t))),
            "a pair that occurs twice",
        ),
        (
            "ece",
            lambda c, a, n: 100 * ((a - c).abs() * n).nansum() / n.sum(),
            "these are per cent",
        ),
        (
            "heatmaps",
            lambda a, g: (
                (h := (g.mean((2, 3), True) * a).sum(1).relu())
                / h.amax((1, 2), keepdim=True)
            ),
            "divided by the largest of each map",
        ),
        (
            "heatmaps",
            lambda a, g: (g.mean((2, 3), True).relu() * a).sum(1),
            "you rectify the weights",
        ),
        (
            "accuracy",
            lambda logits, targets: (
                (logits.softmax(0).argmax(1) == targets).float().mean().item()
            ),
            "your softmax goes over the images",
        ),
        (
            "score_gradient",
            lambda logits, targets: (
                (logits.softmax(1) - torch.eye(logits.shape[1])[targets])
                / len(set(targets.tolist()))
            ),
            "each number is 2 times",
        ),
        ("early_stop", _stop_without_one_per_cent, "here it is 1 too small"),
        (
            "on_paper",
            lambda: ([[[-6], [4], [8]]], [[[6], [2], [4]]]),
            "return two lists of three numbers",
        ),
        (
            "risk_coverage",
            lambda c, right: (
                (~right[c.argsort(descending=True)]).cumsum(0)
                // torch.arange(1, len(c) + 1)
            ),
            "so divide with /",
        ),
        (
            "smooth_targets",
            lambda t, k, e: (
                F.one_hot(t, k) * (torch.arange(len(t))[:, None] < 1) * (1 - e) + e / k
            ),
            "and one of yours to 0.2.",
        ),
        (
            "early_stop",
            _wait_too_long_and_forget_the_end,
            "in this case your function comes to its end without a return",
        ),
        (
            "early_stop",
            _count_from_0_and_forget_the_end,
            "in this case your function comes to its end without a return",
        ),
        ("gradient_check", _nudge_up_only, "nudge down as well, and divide by 2e-5"),
        (
            "sgd_step",
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad @ x,
                bias - lr * grad.sum(0),
            ),
            "is a .T missing",
        ),
        (
            "backward",
            lambda x, targets, w1, *others: EXERCISES["backward"].solution(
                x, targets, w1.T, *others
            ),
            "is a .T missing",
        ),
        (
            "linear_backward",
            lambda grad, x, weight: (grad.T @ x, grad.sum(0), weight.T @ grad),
            "is a .T missing",
        ),
        ("softmax", lambda logits: (logits.softmax(1),), "is there a comma after"),
        ("score_gradient", _differentiate, "is there a comma after"),
        (
            "exact_map",
            lambda maps, gradients: ((maps * gradients).sum(1),),
            "is there a comma after",
        ),
        (
            "heatmaps",
            lambda maps, gradients: (gradients.mean() * maps).sum(1).relu(),
            "each image and each map has a mean of its own",
        ),
        (
            "heatmaps",
            lambda maps, gradients: (
                (gradients.mean((2, 3), keepdim=True) * maps).sum(2).relu()
            ),
            "the maps are dimension 1",
        ),
        ("diagnoses", lambda letter: {}, "your function must take no arguments"),
        ("on_paper", lambda maps, gradients: ([], []), "must take no arguments"),
        ("smooth_targets", _share_one_row, "each image has a row of its own"),
        (
            "erase",
            lambda images, heatmaps, k, paper: images.flatten(1).scatter(
                1, heatmaps.flatten(1).topk(k).indices, images.min()
            ),
            "what it is to write: a number",
        ),
    ],
)
def test_what_readers_were_told_wrongly(name, attempt, hint):
    answer = check(name, attempt)
    assert not answer.solved
    assert hint in answer.message.partition("\n")[0]


@pytest.mark.parametrize("name", [name for name in EXERCISES if EXERCISES[name].score])
@pytest.mark.parametrize(
    "attempt",
    [
        lambda *arguments: {"A": labels},  # noqa: F821
        lambda *arguments: None,
        lambda one, two, three: 1,
    ],
)
def test_what_a_reader_is_to_find_alone_is_not_shown(name, attempt):
    answer = check(name, attempt)
    assert not answer.solved
    assert "expected" not in answer.message


def test_of_many_right_results_none_is_called_wrong_where_another_case_raises():
    def only_for_two_maps(maps, weights):
        assert len(maps) == 2
        more = EXERCISES["mislead"].solution(maps, weights)
        return [torch.cat([x, 0 * x[:1]]) for x in more]

    answer = check("mislead", only_for_two_maps)
    assert answer.message.startswith("your function raised AssertionError")


def test_a_list_or_a_tuple_of_tensors_shows_them():
    def step(weight, bias, x, grad, lr):
        return [weight + grad.T @ x, bias]

    said = check("sgd_step", step).message
    assert "\n    returned [[[2.0, 2.0, 2.0], [-1.0, 0.0, -2.0]], [0.5, -0.5]]" in said
    said = check("gradient_check", lambda loss, parameters, backward: 1).message
    assert "\n    parameters = [[[" in said
    said = check("softmax", lambda logits: (logits.softmax(1),)).message
    assert said.endswith("returned [[0.2689, 0.7311]],")


def test_a_numpy_reader_may_pick_rows_of_the_identity():
    def smooth(targets, classes, epsilon):
        return np.eye(classes)[targets] * (1 - epsilon) + epsilon / classes

    assert check("smooth_targets", smooth).solved


@pytest.mark.parametrize("name", EXERCISES)
def test_exceptions_are_caught(name):
    def divide(*arguments):
        return 1 / 0

    assert "ZeroDivisionError: division by zero" in check(name, divide).message
    if EXERCISES[name].cases[0]:
        said = check(name, lambda: None).message
        assert "TypeError" in said  # too few arguments


@pytest.mark.parametrize(
    ("name", "attempt", "advice"),
    [
        (
            "average_digit",
            lambda images, targets, digit: images[targets == digit].mean(0),
            "take .float() first",
        ),
        (
            "accuracy",
            lambda logits, targets: (logits.argmax(1) == targets).mean(),
            "take .float() first",
        ),
        ("softmax", lambda logits: (logits - logits.max(1)).exp(), "use amax and amin"),
        (
            "center_of_mass",
            lambda ink: [
                (ink.sum(dim) @ (torch.arange(len(ink)) + 0.5) / ink.sum()).item()
                for dim in (1, 0)
            ],
            "wants both equally long: these have 2 and 1",
        ),
        (
            "max_pool",
            lambda image, size: torch.stack(
                [
                    image[i : i + size].unfold(1, size, size).amax((0, 2))
                    for i in range(0, len(image) - size, size)
                ]
            ),
            "there is nothing to join",
        ),
        (
            "mcnemar",
            lambda a, b: min(
                1.0,
                2
                * sum(math.comb((a != b).sum(), i) for i in range((a & ~b).sum() + 1))
                / 2 ** (a != b).sum(),
            ),
            "a tensor's whole numbers end at 2**63",
        ),
        (
            "linear_backward",
            lambda g, x, w: (g.T @ x.double(), g.sum(0), g @ w),
            "float32 and float64 meet here",
        ),
    ],
)
def test_what_torch_says_in_its_own_words_is_explained(name, attempt, advice):
    message = check(name, attempt).message
    assert advice in message
    assert "\n    in the line " in message and "\n    raised " in message


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "result", [1, "a", [], torch.ones(0), torch.ones(50), (), (None, None), object]
)
def test_wrong_types_and_shapes_are_caught(name, result):
    answer = check(name, lambda *arguments: result)
    assert not answer.solved
    assert re.search("return|should have|shape should be", answer.message)


class Silent:
    def __eq__(self, other):
        raise RuntimeError

    __repr__ = __hash__ = None


@pytest.mark.parametrize("name", EXERCISES)
def test_whatever_is_returned_gets_an_answer(name):
    nested = []
    nested.append(nested)
    strange = (Silent(), nested, [*range(100)], {1, 2}, 1j, 10**400, range(3))
    strange += (Fraction(10**400), Decimal("sNaN"))
    arrays = (np.array([None, 1]), {"a": 1}, [1, "a"], [[1], [1, 2]])
    for value in strange + arrays:
        assert not check(name, lambda *arguments, value=value: value).solved


def test_damage_to_inputs_is_said_and_does_not_last():
    def careless(grad, x):
        grad[x <= 0] = 0
        return grad

    for _ in range(2):  # the cases themselves stay whole
        assert "changes its input grad" in check("relu_backward", careless).message


def test_gradient_left_on_an_input_is_said():
    def leave(logits):
        probabilities = torch.softmax(logits.requires_grad_(), 1)
        probabilities.sum().backward()
        return probabilities.detach()

    assert "changes its input logits" in check("softmax", leave).message


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


def test_result_instead_of_network():
    answer = check("small_network", [torch.nn.Flatten()])
    assert "pass the network itself" in answer.message
    assert "\n" not in answer.message


def test_network_that_hides_its_parameters():
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [torch.nn.Flatten(), torch.nn.Linear(784, 10)]

        def forward(self, images):
            return torch.nn.Sequential(*self.layers)(images)

    assert "parameters() finds none" in check("small_network", Network()).message


@pytest.mark.parametrize(
    "hide",
    [
        lambda layer: [layer],
        lambda layer: (layer, torch.nn.ReLU()),
        lambda layer: {"first": layer},
        lambda layer: [[layer], "another"],
        lambda layer: {"all": {"of": ([layer],)}},
    ],
)
def test_network_that_hides_some_of_its_parameters(hide):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            first = torch.nn.Linear(784, 16)
            self.hidden = hide(first)
            self.read = first.forward
            self.last = torch.nn.Linear(16, 10)

        def forward(self, images):
            return self.last(self.read(images.flatten(1)).relu())

    message = check("small_network", Network()).message
    assert "parameters() does not find 12,560 of them" in message


def test_a_list_of_layers_that_are_attributes_too_hides_nothing():
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(784, 5)
            self.last = torch.nn.Linear(5, 10)
            self.layers = [torch.nn.Flatten(), self.first, self.last]

        def forward(self, images):
            return torch.nn.Sequential(*self.layers)(images)

    message = check("small_network", Network()).message
    assert message.startswith("3,985 parameters read")


def test_network_without_forward_or_its_return():
    class Network(torch.nn.Module):
        pass

    assert "has no forward" in check("small_network", Network()).message
    Network.forward = lambda self, images: None
    assert "forward returns nothing" in check("small_network", Network()).message


def test_dots_left_inside_a_result():
    answer = check("gradient_check", lambda loss, parameters, backward: [True, ...])
    assert "the three dots" in answer.message


def test_words_where_true_or_false_are_asked_for():
    answer = check("gradient_check", lambda *arguments: ["right", "wrong"] * 2)
    assert "True or False are asked for, not words" in answer.message


def test_small_numbers_that_look_alike_are_told_apart():
    mine, right = torch.tensor([1.0, 2e-5, 7.0]), torch.tensor([1.0, 0.0, 3.0])
    assert "[1] should be 0, not 2e-05" in describe([{}], [mine], [right], 0)


def test_right_numbers_in_tensors_where_plain_ones_are_asked_for():
    def count(sizes):
        s = torch.tensor(sizes).float()
        return (s[:-1] * s[1:] + s[1:]).sum()

    def judge_each(*arguments):
        right = EXERCISES["gradient_check"].solution(*arguments)
        return [torch.tensor(part) for part in right]

    answer = check("count_parameters", count)
    assert answer.solved
    assert "asked for is a whole number" in answer.message
    answer = check("gradient_check", judge_each)
    assert answer.solved
    assert "Yours is one of tensors; asked for is a list of True" in answer.message


def test_unknown_exercise():
    with pytest.raises(ValueError, match="There is no exercise 'sofmax'; the "):
        check("sofmax", torch.exp)


def test_damage_to_a_list_is_said_too():
    def careless(val_losses, patience):
        val_losses.sort()
        return len(val_losses), 1

    for _ in range(2):
        assert "changes its input val_losses" in check("early_stop", careless).message


@pytest.mark.parametrize(
    ("expected", "right", "wrong", "hint"),
    [
        (0.5, [0.5, torch.tensor(0.5), torch.tensor(0.5).numpy()], "0.5", "a number"),
        (float("nan"), [float("nan")], 1.0, "nan is expected, and not 1.0"),
        (3.0, [3, 3.0], True, "return a number, not True or False"),
        (3, [3, torch.tensor(3), 3.0], 4, "it is 1 too large"),
        (True, [True, torch.tensor(True)], 1, "return True or False, not a whole"),
        (True, [True], False, "another answer"),
        ("seven", ["seven"], b"seven", "return a str, not a bytes"),
        ("seven", ["seven"], "eight", "another answer"),
        ([1.0, 2.0], [[1, 2.0], (1.0, 2.0)], [1.0], "should have 2 entries, not 1"),
        ((1.0, True), [(1.0, True)], 1.0, "return 2 results"),
        ((1.0, True), [(1.0, True)], (1.0, None), "return True or False"),
        ((1.0, 2.0), [torch.tensor([1, 2]), [1, 2], np.array([1, 2])], {}, "return 2"),
        (torch.ones(2), [torch.ones(2), [1, 1], np.ones(2), (1, 1.0)], "1", "tensor"),
        (torch.tensor(2.0), [2, np.float32(2), torch.tensor(2)], [2], "in brackets"),
        ((0.5, 2.0), [[Fraction(1, 2), Decimal(2)]], [Fraction(1, 2)], "return 2"),
        (torch.ones(2, 2), [[torch.ones(2), torch.ones(2)]], 5j, "not a complex"),
    ],
)
def test_results_need_not_be_tensors(expected, right, wrong, hint):
    exercise = Exercise(lambda: expected, cases=[{}])
    for result in right:
        assert judge(exercise, lambda result=result: result).solved
    answer = judge(exercise, lambda: wrong)
    assert not answer.solved and hint in answer.message


def test_right_numbers_in_another_dress_are_gently_corrected():
    said = check("softmax", lambda logits: logits.softmax(1).tolist()).message
    assert said.endswith("(Yours is a list; asked for is a torch tensor.)")


@pytest.mark.filterwarnings("ignore:.*(prototype|beta state)")
@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2, 2) + 5j,
        lambda: torch.tensor(5j),
        lambda: torch.ones(2, 2).to_sparse(),
        lambda: torch.ones(2, 2).to_sparse_csr(),
        lambda: torch.tensor(1.0).to_sparse(),
        lambda: torch.ones(2, 2, device="meta"),
        lambda: torch.ones((), device="meta"),
        lambda: torch.nested.nested_tensor([torch.ones(2)]),
        lambda: (torch.ones(2) + 5j, [torch.tensor(5j)]),
    ],
)
def test_unusual_tensors_get_a_sentence(name, make):
    answer = check(name, lambda *arguments: make())
    assert not answer.solved
    assert re.search("return|should have|shape should be", answer.message)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("complex", lambda x: x + 5j),
        ("sparse", torch.Tensor.to_sparse),
        ("meta", lambda x: x.to("meta")),
    ],
)
def test_the_right_numbers_in_an_unusual_tensor_are_not_solved(kind, change):
    message = check("softmax", lambda logits: change(logits.softmax(1))).message
    assert message.startswith(f"return a torch tensor, not a {kind} tensor.")


def test_a_case_can_be_copied_from_the_hint():
    message = check("class_shares", lambda targets: targets * 1.0).message
    assert "targets = [9, 0, 9, 3]" in message
    message = check("accuracy", lambda logits, targets: 0.123456).message
    assert "expected 0.6667\n    returned 0.1235" in message


def test_a_function_may_print(capsys):
    def talkative(logits):
        print("here")
        return logits.softmax(1)

    assert check("softmax", talkative).solved
    assert "here" in capsys.readouterr().out


@pytest.mark.parametrize("leave", [sys.exit, exit, quit])
def test_ending_the_program_is_caught(leave):
    assert "ends the program" in check("softmax", lambda logits: leave()).message


def test_endless_recursion_is_caught():
    def softmax(logits):
        return softmax(logits)

    assert "calls itself again and again" in check("softmax", softmax).message


def test_an_exception_of_the_reader_that_looks_like_ours():
    def late(logits):
        raise TimeoutError

    assert "your function raised TimeoutError" in check("softmax", late).message


class Endless:
    """An attempt that never ends, and catches what most careless code catches."""

    steps = 0

    def __call__(self, *arguments):
        while True:
            with suppress(Exception):
                self.steps += 1


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr("mnistedu.exercises.answer.TIME_LIMIT", 0.2)


def test_an_endless_loop_is_stopped(short_limit):
    endless, threads = Endless(), threading.active_count()
    said = check("softmax", endless).message
    assert re.match(r"your function was stopped after 0\.\d seconds", said)
    assert "logits = [[1.0, 2.0]]" in said
    steps = endless.steps
    assert steps > 0
    time.sleep(0.05)
    assert endless.steps == steps  # nothing runs on behind the reader's back
    assert threading.active_count() == threads


def test_an_endless_loop_is_stopped_in_any_thread(short_limit):
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(check("softmax", Endless())), daemon=True
    )
    thread.start()
    thread.join(timeout=20)
    assert "stopped after" in answers[0].message


def test_an_exercise_may_give_more_time(short_limit):
    exercise = Exercise(lambda: 1, [{}], time_limit=5.0)
    assert check(exercise, lambda: time.sleep(0.4) or 1).solved


def test_time_is_up_just_as_the_function_ends():
    def work(rounds=range(20_000)):
        for _ in rounds:
            pass

    start = time.perf_counter()
    work()
    limit = time.perf_counter() - start
    for _ in range(300):  # one or the other, and nothing of it reaches the next line
        try:
            assert call_within(limit, work) is None
        except TimeLimitError as error:
            assert "stopped after" in str(error)


def test_the_reader_can_interrupt(ctrl_c_is_heard):
    timer = threading.Timer(0.2, _thread.interrupt_main)  # what Ctrl-C does
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        check("softmax", Endless())


@pytest.fixture
def record(tmp_path, monkeypatch):
    """The folder of a record that is empty yet."""
    folder = tmp_path / "data" / "solved"
    monkeypatch.setenv("MNISTEDU_PROGRESS", str(folder))
    return folder


def test_the_exercises_do_not_wait_for_torchs_compiler():
    code = "import sys, mnistedu.exercises; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert "mnistedu.exercises" in loaded
    assert not {"torch._dynamo", "sympy"} & {*loaded}


def test_progress_counts_what_was_solved(record):
    assert repr(progress()).startswith(f"0 of {len(EXERCISES)} solved\n")
    check("softmax", torch.exp)
    assert progress().solved == []
    for _ in range(2):
        check("softmax", lambda logits: logits.softmax(1))
    assert progress().solved == ["softmax"]
    check("softmax", torch.exp)  # solved once is solved
    first, *lines = repr(progress()).splitlines()
    assert first == f"1 of {len(EXERCISES)} solved"
    assert len(lines) == len(CHAPTERS)
    line = next(line for line in lines if "02_one_layer" in line)
    left = [name for name in CHAPTERS["02_one_layer"] if name != "softmax"]
    assert line.endswith(f" 1 of {len(left) + 1}, next: {', '.join(left)}")


def test_the_chapters_own_solutions_are_not_noted(record):
    assert check("softmax", EXERCISES["softmax"].solution, note=False).solved
    assert progress().solved == []
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.source.startswith("# A solution.") and "check(" in cell.source:
                assert cell.source.endswith(", note=False)")


def test_progress_says_when_nothing_is_left(record):
    for name in EXERCISES:
        check(name, EXERCISES[name].solution)
    assert progress().solved == list(EXERCISES)
    assert "next" not in repr(progress())
    reset_progress()
    assert progress().solved == []
    reset_progress()


def test_progress_survives_a_restart_and_two_notebooks_at_once(record):
    code = (
        "from mnistedu.exercises import EXERCISES, check\n"
        "for name in list(EXERCISES)[::2]: check(name, EXERCISES[name].solution)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        for name in list(EXERCISES)[1::2]:
            check(name, EXERCISES[name].solution)
    assert other.returncode == 0
    assert progress().solved == list(EXERCISES)


def test_who_loads_the_digits_has_the_time_for_it(monkeypatch):
    monkeypatch.setattr("mnistedu.exercises.answer.TIME_LIMIT", 1e-3)
    assert check("small_network", EXERCISES["small_network"].solution).solved


def test_a_record_that_cannot_be_written_breaks_nothing(record):
    record.parent.write_text("a file where the folder should be")
    said = check("softmax", lambda logits: logits.softmax(1))
    assert said.solved
    assert said.message.endswith(f"(It is not noted: {record} cannot be written.)")
    assert progress().solved == []
    reset_progress()


def test_the_record_lies_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MNISTEDU_PROGRESS")  # set in conftest.py, and empty
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *args: tmp_path)
    check("softmax", lambda logits: logits.softmax(1))
    assert [path.name for path in tmp_path.rglob("*")] == ["solved", "softmax"]
    assert progress().solved == ["softmax"]


def test_no_record_where_none_is_wanted(monkeypatch, tmp_path):
    monkeypatch.setenv("MNISTEDU_PROGRESS", "")
    monkeypatch.chdir(tmp_path)
    said = check("softmax", lambda logits: logits.softmax(1))
    assert repr(said) == "Solved: it gives the right result in every case."
    assert list(tmp_path.iterdir()) == []
    assert progress().solved == []
    reset_progress()


def test_each_exercise_has_a_name_of_its_own():
    assert len(EXERCISES) == sum(map(len, CHAPTERS.values()))
    assert EXERCISES.keys() == ATTEMPTS.keys() == SOLUTIONS.keys()
    assert all(len(ATTEMPTS[name]) >= 5 for name in EXERCISES)
    assert all(len(SOLUTIONS[name]) >= 3 for name in EXERCISES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_asks_its_own_exercises_in_order(path):
    """Each has a stub, which is not yet solved, and right below it a solution."""
    asked = []
    for cell in nbformat.read(path, as_version=4).cells:
        for name in re.findall(r'^check\("(\w+)"', cell.source, re.MULTILINE):
            said = cell.outputs[-1].data["text/plain"]
            asked.append((name, said.partition(":")[0]))
    assert asked == [
        (name, outcome)
        for name in CHAPTERS.get(path.stem, [])
        for outcome in ("Not yet", "Solved")
    ]


def _one_case(solution, **arguments):
    return Exercise(solution, cases=[arguments])


def _give_no_value(x):
    if len(x) > 2:
        rate = 1
    return rate


@pytest.mark.parametrize(
    ("attempt", "advice"),
    [
        (lambda x: x - x.max(1), "take .values or .indices"),
        (lambda x: (x.max(1) == 1).float(), "take .values or .indices"),
        (lambda x: x / x.sum(1), "keepdim=True"),
        (lambda x: x + torch.ones(28), "Your line has 28 in it"),
        (lambda x: x.view(28, 28), "6 numbers do not fill the shape [28, 28]"),
        (lambda x: x.index_select(0, torch.tensor([2])), "larger than the dimension"),
        (lambda x: x[2], "no place 2 in a dimension of size 2"),
        (lambda x: x[x > 9][0], "did a mask pick nothing?"),
        (lambda x: [1, 2][len(x)], "this list has no such place"),
        (lambda x: 1 if x > 0 else 0, "use them as a mask"),
        (lambda x: torch.zeros(6 / 2), "a whole number"),
        (lambda x: list(range(len(x) / 2)), "divide with //"),
        (lambda x: x.sum(2), "there is no dimension 2 here"),
        (lambda x: x @ x, "Number by number multiplies *"),
        (lambda x: x @ x, "is a .T missing, or is their order another?"),
        (lambda x: torch.ones(56, 28) @ torch.ones(784, 10), "flatten(1) the images"),
        (lambda x: x / np.sum(x, axis=1, keepdims=True), "NumPy's"),
        (lambda x: np.max(x, axis=(0, 1)), "NumPy's functions stumble over torch's"),
        (lambda x: np.mean(x, axis=(0, 1), keepdims=True), "take .numpy() of them"),
        (lambda x: np.eye(2) @ x, "NumPy's functions stumble over torch's"),
        (lambda x: x[0, 0, 0], "more indices than the tensor has dimensions, 2"),
        (lambda x: x.byte().mean(), "take .float() first"),
        (lambda x: torch.zeros(2, dtype=torch.uint8).add_(0.5), "cannot take floats"),
        (lambda x: x.byte() @ x.T, "take .float() of them first"),
        (lambda x: (x > 0) - (x > 1), "a mask knows no minus"),
        (lambda x: -(x > 0), "a mask knows no minus"),
        (lambda x: ~x, "compare first, as in (x > 0) & (y > 0)"),
        (lambda x: x.topk(9), "more than there are"),
        (lambda x: x[x.sum()], "an index is a whole number"),
        (lambda x: float(x), "take one number"),
        (lambda x: x.tolist().argmax(), "this is a list, which knows no .argmax"),
        (lambda x: x.sum + 1, "add the brackets ()"),
        (lambda x: x.shape(0), "brackets () after something that is no"),
        (lambda x: x.sum() / (0 * len(x) or 1 // 0), "divide by something that is 0"),
        (lambda x: ... + x, "the three dots"),
        (lambda x: None + x, "cannot be compared or calculated"),
        (lambda x: None.shape, "something here is None"),
        (lambda x: torch.stack([1.0, 2.0]), "torch.tensor() makes one of numbers"),
        (lambda x: torch.stack([x, x[0]]), "only tensors of the same shape"),
        (lambda x: xs, "there is no xs here"),  # noqa: F821
        (lambda x: x.scatter(1, torch.tensor([0]), 0), "as many dimensions"),
        (lambda x: x[:, 2:2] * x, "a slice is empty here"),
        (lambda x: x[:, 99:] * x, "or begins beyond the edge"),
        (lambda x: 2 ^ 0.5, "^ is no power in Python"),
        (lambda x: x.sum().item().backward(), "does .item() stand where"),
        (lambda x: [1].append_all(2), "list knows no .append_all"),
        (lambda x: torch.no_grad().zerograd(), "no_grad knows no .zerograd"),
        (lambda x: x.quantile(97.5), "shares from 0 to 1, not per cent"),
        (lambda x: x.sum().backward(), "nothing to go back through"),
        (lambda x: torch.cat([x, x[:, :2]]), "cat joins along dimension 0 here"),
        (lambda x: x.long().softmax(1), "or are two arguments exchanged?"),
        (lambda x: torch.cat([x, x[0]]), "and these have 2 and 1"),
        (lambda x: torch.relu([1.0]), "relu() wants Tensor here, and this is list"),
        (lambda x: x.append(1), "Tensor knows no append"),
        (lambda x: x.softmax(), "in the brackets here: dim"),
        (lambda x: x.relu(0), "more in the brackets"),
        (lambda x: sum(x, dim=1), "knows no dim="),
        (lambda x: F.cross_entropy(x, torch.tensor([0, 3])), "a target is no column"),
        (lambda x: F.cross_entropy(x, torch.tensor([0])), "2 rows and 1 targets"),
        (lambda x: F.cross_entropy(x, torch.zeros(2)), "targets are whole numbers"),
        (lambda x: x.sum()[0], "this is one number"),
        (lambda x: len(3), "this is one number"),
        (lambda x: len(x.sum()), "this is one number"),
        (lambda x: math.log(0), "has no logarithm"),
        (lambda x: range(x), "one whole number is wanted"),
        (lambda x: torch.where(x, x, 0), "where takes a mask first"),
        (lambda x: x[x[0] > 2], "a mask of shape [3] does not lie on a tensor"),
        (lambda x: x.numpy() * np.ones(2), "these shapes do not fit: (2,3) (2,)"),
        (lambda x: x.requires_grad_().backward(), "is a mean missing?"),
        (lambda x: F.max_pool2d(x[0], 2), "x[None] adds a dimension in front"),
        (lambda x: F.conv2d(x[None], torch.ones(1, 2, 1, 1)), "for 2 channels"),
        (lambda x: max([]), "nothing here to take the largest"),
        (lambda x: {"a": 1}["b"], "no 'b' in this dictionary"),
        (lambda x: x.long().std(), "take .float() of them"),
        (lambda x: x.T.view(6), "take reshape in place of view"),
        (lambda x: x.requires_grad_().numpy(), ".detach() it first"),
        (lambda x: [1.0] * 2.0, "cannot be compared or calculated"),
        (lambda x: torch.dot(x, x), "takes tensors of other dimensions"),
        (lambda x: x[1.0], "an index is a whole number"),
        (lambda x: x[0][x[0].sort()], "take .indices of it"),
        (lambda x: F.onehot(x), "torch.nn.functional knows no onehot"),
        (lambda x: max(x, 0), "as Python's own max and min do"),
        (lambda x: x.argmax().backward(), "does it go through argmax"),
        (_give_no_value, "no line has given rate a value"),
        (lambda: 1, "must take these arguments and no other: x"),
    ],
)
def test_a_slip_is_explained_in_the_readers_terms(attempt, advice):
    exercise = _one_case(lambda x: x * 2, x=torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    answer = check(exercise, attempt)
    assert not answer.solved
    said, *rest = answer.message.split("\n")
    assert advice in said
    assert all(len(line) <= 200 for line in rest)
    assert rest[-1].startswith("    raised ")


def test_a_long_message_is_cut_to_one_line():
    text = 1000 * "three " + "\ntwo"

    def raise_at_length(x):
        raise ValueError(text)

    message = check(_one_case(lambda x: x, x=1), raise_at_length).message
    assert message.count("\n") == 4 and "two" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("attempt", "fact"),
    [
        (lambda x: x * 200, "100 times"),
        (lambda x: 6 * x, "each number is 3 times what it should be."),
        (lambda x: 2 * x + 0.5, "each number is 0.5 too large."),
        (lambda x: -2 * x, "each number has the wrong sign."),
        (lambda x: 1 - 2 * x, "each number is 1 minus what it should be."),
        (lambda x: (2 * x).roll(1, 0), "each is the answer for the one before."),
        (lambda x: (2 * x).T, "rows and columns are exchanged."),
        (lambda x: (2 * x)[:-1], "the last one is missing."),
        (lambda x: (2 * x).sum(1), "these are the sums of what is asked for, over di"),
        (
            lambda x: x[None] * 2,
            "the numbers are right, but the shape should be (3, 2)",
        ),
        (lambda x: x, "that is x, as it was given."),
        (
            lambda x: 2 * x * torch.tensor([1.0, 2]),
            "4 of 6 numbers are right; [1, 1] should",
        ),
        (lambda x: 2 * x / 0, "Some of them are nan"),
        (lambda x: x[:0].mean(0), "0 / 0 is nan, and so is the mean of nothing."),
        (
            lambda x: (2 * x)[[1, 0, 2]],
            "The right numbers are there, in another order.",
        ),
        (lambda x: x.softmax(0) * 0 + x.sum() / 3, "Their sum is right."),
        (lambda x: torch.zeros(3, 3), "the shape should be (3, 2), not (3, 3)."),
    ],
)
def test_a_hint_says_what_is_true_of_the_numbers(attempt, fact):
    cases = [
        {"x": torch.tensor([[1.0, 0], [2, 5], [3, 7]])},
        {"x": torch.tensor([[0.3, -2], [0.7, 4], [-1.5, 0.1]])},
    ]
    answer = check(Exercise(lambda x: 2 * x, cases), attempt)
    assert fact in answer.message.partition("\n")[0]


def test_what_has_no_factor_is_divided_by_nothing():
    def keep_the_mean(x, mean, var, training):
        mean = x.mean((0, 2, 3)) if training else mean
        var = x.var((0, 2, 3), correction=0)
        return (x - mean[:, None, None]) / (var[:, None, None] + 1e-5).sqrt()

    said = check("batch_norm", keep_the_mean).message
    assert "The cases in which training is True are right, and no other." in said


def test_a_case_may_have_no_numbers_at_all():
    cases = [{"x": torch.arange(n) + 1.5} for n in (2, 0, 3)]
    exercise = Exercise(lambda x: x**2, cases)
    assert "here" in check(exercise, lambda x: x**2 + x.sin()).message


def test_of_a_case_without_numbers_no_first_one_is_looked_for():
    cases = [{"x": torch.arange(n) + 1.5} for n in (2, 0, 3)]
    exercise = Exercise(lambda x: x**2, cases)
    first = check(exercise, lambda x: x**2 + (x < 2) * x.sin())
    assert "Only the first number is wrong." in first.message


def test_of_two_wrong_cases_it_is_not_said_that_they_are_alike():
    def leave_the_last_out(logits, targets):
        return (logits[:-1].argmax(1) == targets[:-1]).sum() / len(targets)

    assert "in every case" not in check("accuracy", leave_the_last_out).message


def test_of_two_numbers_it_is_not_said_that_they_are_rounded():
    said = check(
        "bootstrap",
        lambda right, picks: (
            right[picks[0]].double().quantile(0.025),
            right[picks[0]].double().quantile(0.975),
        ),
    ).message
    assert "rounded" not in said and "cut to" not in said


def test_rows_that_do_not_add_up_to_one():
    exercise = _one_case(lambda x: x.softmax(1), x=torch.tensor([[1.0, 2], [0, 3]]))
    said = check(exercise, lambda x: x.softmax(1) ** 2).message
    assert "The rows should add up to 1, and yours to 0.6068." in said
    said = check(exercise, lambda x: x.softmax(1) / 3).message
    assert "The rows should add up to 1, and yours to 0.3333." in said


@pytest.mark.parametrize(
    ("name", "attempt", "remark"),
    [
        (
            "nearest_target",
            lambda images, targets, image: targets[
                (images.float() - image).square().sum((1, 2)).argsort()[2]
            ],
            "here that is the target of the third nearest of 4 images.",
        ),
        (
            "nearest_target",
            lambda images, targets, image: (
                (images.float() - image).square().sum((1, 2)).argsort()[1]
            ),
            "here that is the index of the second nearest of 4 images.",
        ),
        (
            "most_excited",
            lambda maps, channel, k: torch.arange(k),
            "[1] should be 2: image 1 is the third strongest of 3.",
        ),
        (
            "most_excited",
            lambda maps, channel, k: maps[:, channel].amax((1, 2)).sort()[:k],
            "these are values and where they were, in one",
        ),
        (
            "gradient_check",
            lambda loss, parameters, backward: [True] * 3 + [False],
            "here gradient [3] is right, and you call it wrong.",
        ),
    ],
)
def test_of_a_wrong_place_it_is_said_what_stands_there(name, attempt, remark):
    assert check(name, attempt).message.startswith(remark)


def test_a_hint_says_which_cases_are_right():
    cases = [{"a": a, "b": b} for a, b in ((1, 3), (2, 3), (5, 4), (3, 7), (9, 6))]
    exercise = Exercise(lambda a, b: a * b + 1 / a, cases)
    said = check(exercise, lambda a, b: a * b + 1 / a + a**2 * (a > b)).message
    assert "The cases in which a is smaller than b are right, and no other." in said


def test_a_hint_says_among_which_cases_the_wrong_ones_are():
    cases = [{"a": a, "b": b} for a, b in ((1, 3), (2, 3), (5, 4), (3, 7), (9, 6))]
    exercise = Exercise(lambda a, b: a * b + 1 / a, cases)
    said = check(exercise, lambda a, b: a * b + 1 / a + a * (a - 2) * (a < b)).message
    assert "In all wrong cases a is smaller than b." in said


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (lambda x: x[0].float().mean(), lambda x: x.float().mean() ** 2 + 0.1),
        (lambda x: x.sum(0) / 2.0, lambda x: x.flatten().sort().values[:2] * 1.5),
    ],
)
def test_no_argument_that_counts_is_said_not_to(right, wrong):
    """The order of the numbers may not count, while they do."""
    cases = [
        {"x": torch.tensor([[True, False], [True, True], [False, True]])},
        {"x": torch.tensor([[False, False], [True, False]])},
    ]
    assert "result does not change" not in check(Exercise(right, cases), wrong).message


def test_a_tensor_of_whole_numbers_holds_no_shares():
    cases = [{"x": torch.tensor([[1.0, 2]])}, {"x": torch.tensor([[0.0, 3], [2, 1]])}]
    exercise = Exercise(lambda x: x.softmax(1), cases)
    said = check(exercise, lambda x: x.softmax(1).long()).message
    assert said.startswith("a tensor of whole numbers has lost what stands behind")
    assert "whole" not in check(exercise, lambda x: torch.zeros_like(x)).message


def test_a_target_is_not_to_be_negative():
    exercise = Exercise(
        lambda targets: 2.0 * targets + 1,
        [{"targets": torch.arange(1, n)} for n in (4, 5, 7)],
    )
    assert "-targets" not in check(exercise, lambda targets: 1 - 2.0 * targets).message


def test_a_place_is_no_multiple_of_another():
    cases = [{"x": torch.tensor([n, 2.0, 3.0])} for n in (1, 9)]
    exercise = Exercise(lambda x: x.argsort()[:2], cases)
    said = check(exercise, lambda x: torch.tensor([0, 4])).message
    assert "4 is too many" in said and "times" not in said


def test_a_case_is_not_right_where_only_one_result_is():
    cases = [{"x": x, "k": k} for x, k in ((1.3, 1), (0.4, 2), (2.9, 5))]
    exercise = Exercise(lambda x, k: (x * k, x + k), cases)
    said = check(exercise, lambda x, k: (x * k + x**2 * (k > 1), x + k)).message
    assert "The cases in which k is 1 are right, and no other." in said
    said = check(
        exercise, lambda x, k: (x * k + x**2 * (k > 1), x + k + x**3 * (k < 2))
    ).message
    assert "The cases in which" not in said


def test_a_list_may_be_altered_number_by_number():
    cases = [{"losses": [3.0, -1.0, 2.5, 7.0]}, {"losses": [0.5, 4.0]}]
    exercise = Exercise(lambda losses: losses.index(min(losses)), cases)
    said = check(exercise, lambda losses: losses.index(max(losses))).message
    assert "that would be right with -losses in place of losses." in said


def test_one_of_several_results_is_named():
    exercise = Exercise(
        lambda x: (x.sum(), x.mean(), x.max()),
        [{"x": torch.tensor([1.0, 2, 6])}, {"x": torch.tensor([0.5, 7])}],
    )
    said = check(exercise, lambda x: (x.sum(), -x.mean(), x.max())).message
    assert said.startswith("the second result is wrong, and every other is right: ")
    assert "the wrong sign" in said


def test_a_large_input_is_shown_by_its_shape_and_a_corner():
    exercise = Exercise(
        lambda images, k: images.sum() * k, [{"images": torch.ones(4, 1, 9, 9), "k": 2}]
    )
    message = check(exercise, lambda images, k: images.mean() + k).message
    corner = "[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]"
    shape = "a tensor of shape (4, 1, 9, 9)"
    assert f"\n    images = {shape}; [0, 0, :3, :3] is {corner}\n    k = 2\n" in message


def test_the_case_in_which_nothing_is_returned_is_named():
    def forgetful(val_losses, patience):
        best = 1
        for epoch, loss in enumerate(val_losses, 1):
            best = epoch if loss < val_losses[best - 1] else best
            if epoch - best == patience:
                return epoch, best

    message = check("early_stop", forgetful).message
    assert message.startswith("in this case your function comes to its end")
    assert "\n    val_losses = [" in message and "\n    returned None" in message


def test_no_mistake_that_is_tried_warns_the_reader():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check("average_digit", lambda images, targets, digit: images.float() + 1)
    assert not said


def test_a_mistake_must_explain_every_case():
    exercise = Exercise(
        solution=lambda x: 2 * x,
        cases=[{"x": 2.0}, {"x": 3.0}],
        mistakes={"you square x.": lambda x: x**2 if x > 2 else 5.0},
    )
    assert check(exercise, lambda x: x**2 if x > 2 else 5.0).message.startswith(
        "you square"
    )
    assert "square" not in check(exercise, lambda x: 7.0 if x > 2 else 5.0).message


def test_a_teachers_own_exercise(record):
    page = (Path(__file__).parents[1] / "book" / "teachers.md").read_text("utf-8")
    (section,) = re.findall(r"### An exercise of your own\n(.*?)\n## ", page, re.DOTALL)
    written, said = re.findall(r"```(?:python|text)\n(.*?)```", section, re.DOTALL)
    names = {}
    exec(written, names)
    assert repr(names["answer"]) == said.rstrip("\n")
    exercise = names["exercise"]
    assert check(exercise, exercise.solution).solved
    for hint, mistake in exercise.mistakes.items():
        assert check(exercise, mistake).message.startswith(hint)
    assert progress().solved == []  # what has no name is not noted
    assert "pass the function itself" in check(exercise, 3).message


@pytest.mark.parametrize(
    ("attempt", "fact"),
    [
        (lambda x, k: x * k, "the result is x.shape[1] times what it should be."),
        (lambda x, k: x * k / x.numel(), "is what it should be, divided by len(x)."),
        (lambda x, k: x * len(x) / x.sum(), "times len(x) / x.sum()."),
        (lambda x, k: x * len(x) / 60_000, "should be, times len(x) / 60000."),
        (lambda x, k: x * 10 / len(x), "should be, times 10 / len(x)."),
        (lambda x, k: x * k / (k - 1), "times x.shape[1] / (x.shape[1] - 1)."),
        (
            lambda x, k: x * 1.0 + (k > 2),
            "1 of 3 cases are right; in the others each number is 1 ",
        ),
    ],
)
def test_a_hint_names_the_size_by_which_numbers_are_off(attempt, fact):
    cases = [
        {"x": torch.tensor([[1.0, 0], [2, 5], [3, 7]]), "k": 2},
        {"x": torch.tensor([[0.3, -2, 0.5], [0.7, 4, 9]]), "k": 3},
        {"x": torch.tensor([[0.1, -0.4, 0.3, 1]]), "k": 4},
    ]
    answer = check(Exercise(lambda x, k: x, cases), attempt)
    assert fact in answer.message.partition("\n")[0]


def _two_cases(solution):
    x = torch.tensor([[1.0, 0, 2], [2, 5, -1]])
    return Exercise(solution, [{"x": x, "k": 1}, {"x": x.flip(1) - 0.5, "k": 2}])


@pytest.mark.parametrize(
    ("attempt", "fact"),
    [
        (lambda x, k: 2 * x**2 * k, "would be right with x squared in place of x."),
        (lambda x, k: 2 * x * (k + 1), "that would be right with k + 1 in place of k."),
        (lambda x, k: torch.stack([x * k, x * k]), "are the sums of yours over dim"),
        (lambda x, k: x * 4 * k + 3 * (x > 1), "With twice x, the right"),
        (lambda x, k: x * 2 * k + (x < 0), "Only what should be negative is wrong."),
        (lambda x, k: (x * 2 * k).index_fill(1, torch.tensor(2), 9), "last column is"),
        (lambda x, k: (x * 2 * k).index_fill(1, torch.tensor(2), 9), "number is 9.0."),
        (lambda x, k: x * 2 * k + (k - 1) * x**2, "cases in which k is 1 are right"),
        (lambda x, k: x**3 + x, "Your result does not change with k, and the right o"),
        (
            lambda x, k: (x - x.mean(0)) * k,
            "Here your [1, 0] changes with x[0, 0], and the right one does not.",
        ),
        (
            lambda x, k: 2 * k * torch.stack([x[0], x[1].roll(1) ** 2]),
            "Here your [1, 0] does not change with x[1, 0], and the right one does.",
        ),
    ],
)
def test_a_hint_says_more_than_that_numbers_differ(attempt, fact):
    said = check(_two_cases(lambda x, k: 2 * x * k), attempt).message
    assert fact in said.partition("\n")[0]


class Loud:
    """Whoever looks at it gets an exception that few catch."""

    def complain(self, *arguments):
        raise SystemExit

    __repr__ = __str__ = __eq__ = __len__ = __iter__ = __bool__ = complain
    __hash__ = None


class Slow(list):
    def wait(self, *arguments):
        while True:
            pass

    __repr__ = __len__ = __iter__ = __eq__ = wait
    __hash__ = None


class MuteError(Exception):
    def __str__(self):
        raise ValueError

    __repr__ = __str__


class Own(torch.Tensor):
    def __repr__(self):
        raise ValueError


def _raise(error):
    raise error


@pytest.mark.filterwarnings("ignore:.*(prototype|beta state|deprecated)")
@pytest.mark.parametrize(
    "attempt",
    [
        lambda z: [*range(10_000)],
        lambda z: Loud(),
        lambda z: (Loud(), {"a": Loud()}),
        lambda z: Slow([1]),
        lambda z: {Loud: Slow()},
        lambda z: Own(z),
        lambda z: MuteError(),
        lambda z: _raise(MuteError()),
        lambda z: _raise(BaseException("none")),
        lambda z: _raise(GeneratorExit()),
        lambda z: torch.quantize_per_tensor(z.softmax(1), 0.01, 0, torch.quint8),
        lambda z: torch.nested.nested_tensor([z[0]], layout=torch.jagged),
        lambda z: torch.max(z, 1),
        lambda z: type,
    ],
)
def test_whatever_an_attempt_is_nothing_is_raised(attempt):
    assert repr(check("softmax", attempt)).startswith("Not yet: ")
    assert repr(check(_one_case(lambda z: (1.0, 2.0), z=torch.ones(1, 2)), attempt))


@pytest.mark.parametrize(
    ("name", "attempt", "fact"),
    [
        (
            "sgd_momentum",
            lambda p, g, v, lr, mu: (p - lr * (v - mu * v + g), v - mu * v + g),
            "would be right with 1 - momentum in place of momentum.",
        ),
        (
            "sgd_momentum",
            lambda p, g, v, lr, mu: (p - lr * (lr * mu * v + g), lr * mu * v + g),
            "that would be right with momentum * lr in place of momentum.",
        ),
        (
            "adam",
            lambda p, g, m, q, step, lr, *rates: (
                p
                + (EXERCISES["adam"].solution(p, g, m, q, step, lr, *rates)[0] - p)
                / lr,
                *EXERCISES["adam"].solution(p, g, m, q, step, lr, *rates)[1:],
            ),
            "as a difference from parameter, the result is what it should be, "
            "divided by lr.",
        ),
        (
            "score_gradient",
            lambda z, t: (z.softmax(1) - F.one_hot(t, z.shape[1])) / (len(z) - 1),
            "times len(logits) / (len(logits) - 1).",
        ),
        (
            "score_gradient",
            lambda z, t: (z.softmax(1) - torch.eye(z.shape[1])[t - 1]) / len(z),
            "that would be right with targets - 1 in place of targets.",
        ),
        (
            "heatmaps",
            lambda maps, grads: (
                (grads.sum((2, 3), keepdim=True) / 36 * maps).sum(1).relu()
            ),
            "times maps[0, 0].numel() / 36.",
        ),
        (
            "sgd_step",
            lambda weight, bias, x, grad, lr: (
                (1 - lr) * weight - lr * grad.T @ x,
                bias - lr * grad.sum(0),
            ),
            "the result is too small by lr * weight.",
        ),
        (
            "bootstrap",
            lambda right, picks: (
                right[picks].double().mean(1).quantile(0.025).repeat(2)
            ),
            "that is what the first result should be.",
        ),
        (
            "bootstrap",
            lambda right, picks: (
                right[picks[:, :-1]]
                .double()
                .mean(1)
                .quantile(torch.tensor([0.025, 0.975]).double())
            ),
            "your result does not change with picks[1, 3], and the right one does.",
        ),
        (
            "count_parameters",
            lambda sizes: sum(
                a * b + b for a, b in itertools.pairwise([784, *sizes[1:]])
            ),
            "Here your result does not change with sizes[0], and the right one does.",
        ),
        (
            "receptive_field",
            lambda layers: (
                1 + math.prod(s for _, s in layers) * sum(k - 1 for k, _ in layers)
            ),
            "Here your result changes with layers[1][1], and the right one does not.",
        ),
        (
            "held_out_split",
            lambda targets: (
                (targets % 2 == 0).nonzero()[:, 0],
                (targets % 2 == 1).nonzero()[:, 0],
            ),
            "0 is missing.",
        ),
    ],
)
def test_a_hint_says_what_a_bare_number_does_not(name, attempt, fact):
    assert fact in check(name, attempt).message.partition("\n")[0]


@pytest.mark.parametrize("make", [Loud, Slow])
def test_what_is_no_function_is_not_looked_at(make):
    assert "pass the function itself" in check("softmax", make()).message


def test_an_own_tensor_of_the_right_numbers_is_right():
    assert check("softmax", lambda z: Own(z.softmax(1))).solved


@pytest.mark.skipif(sys.platform == "win32", reason="nothing wakes a sleeper there")
def test_what_sleeps_is_woken(short_limit):
    start = time.perf_counter()
    said = check("softmax", lambda z: time.sleep(30)).message
    assert "stopped after" in said
    assert time.perf_counter() - start < 10


def test_the_time_is_that_which_passed(short_limit):
    """In another thread nothing ends the sleep before its time."""
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(check("softmax", lambda z: time.sleep(1.5)))
    )
    thread.start()
    thread.join(timeout=30)
    (seconds,) = re.findall(r"stopped after ([\d.]+) seconds", answers[0].message)
    assert float(seconds) >= 1.4


def _meddle(z):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    os.chdir("/")
    os.environ["MNISTEDU_TEST"] = "1"
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    matplotlib.rcParams["lines.linewidth"] = 9
    warnings.simplefilter("error")
    return z.softmax(1)


@pytest.mark.parametrize("ends", [lambda z: z, lambda z: 1 / 0])
def test_nothing_of_the_session_changes(ends):
    def read():
        return (
            *(torch.get_default_dtype(), torch.is_grad_enabled()),
            *(torch.get_num_threads(), os.getcwd(), dict(os.environ)),
            *(torch.get_rng_state().tolist(), random.getstate()),
            *(np.random.get_state()[1].tolist(), matplotlib.rcParams.copy()),
            warnings.filters[:],
        )

    before = read()
    check("softmax", lambda z: ends(_meddle(z)))
    assert read() == before


def test_one_case_does_not_meddle_with_the_next():
    def once(z):
        assert torch.is_grad_enabled()
        return _meddle(z)

    assert check("softmax", once).solved
