"""Each exercise: the solution passes, the stub waits, mistakes get their hint."""

import pytest
import torch

from mnistedu.exercises import EXERCISES, check

# For each exercise, attempts as readers write them and a word of the hint they get.
ATTEMPTS = {
    "relu_backward": {
        "sign of x": lambda grad, x: torch.where(grad > 0, grad, 0 * grad),
        "whole gradient": lambda grad, x: grad,
        "forward pass": lambda grad, x: torch.relu(x),
        "derivative of ReLU alone": lambda grad, x: (x > 0).float(),
        "derivative, which is 1": lambda grad, x: grad * torch.relu(x),
        "wrong way round": lambda grad, x: grad * (x < 0),
        "> and not >=": lambda grad, x: grad * (x >= 0),
        "shape should be (3,), not (1, 3)": lambda grad, x: (grad * (x > 0))[None],
        "not a list": lambda grad, x: (grad * (x > 0)).tolist(),
        "the numbers differ": lambda grad, x: grad * (x > 0) + 1,
    },
    "softmax": {
        "forgot to divide": torch.exp,
        "exponentials first": lambda z: z / z.sum(1, keepdim=True),
        "sum over dimension 1": lambda z: torch.softmax(z, 0),
        "sums to 1 by itself": lambda z: z.exp() / z.exp().sum(),
        "keepdim=True": lambda z: z.exp() / z.exp().sum(1),
        "logarithms": lambda z: torch.log_softmax(z, 1),
        "inf / inf": lambda z: z.exp() / z.exp().sum(1, keepdim=True),
        "of each row": lambda z: (
            (z - z.max()).exp() / (z - z.max()).exp().sum(1, keepdim=True)
        ),
    },
    "sgd_momentum": {
        "forgot the momentum": lambda p, g, v, lr, mu: (p - lr * g, g),
        "uphill": lambda p, g, v, lr, mu: (p + lr * (mu * v + g), mu * v + g),
        "old velocity": lambda p, g, v, lr, mu: (p - lr * v, mu * v + g),
        "forgot the learning rate": (
            lambda p, g, v, lr, mu: (p - (mu * v + g), mu * v + g)
        ),
        "keep it for the step": (
            lambda p, g, v, lr, mu: (p - (mu * v + lr * g), mu * v + lr * g)
        ),
        "as Adam does": lambda p, g, v, lr, mu: (
            p - lr * (mu * v + (1 - mu) * g),
            mu * v + (1 - mu) * g,
        ),
        "the order": lambda p, g, v, lr, mu: (mu * v + g, p - lr * (mu * v + g)),
        "new velocity as well": lambda p, g, v, lr, mu: p - lr * (mu * v + g),
        "return 2 tensors": lambda p, g, v, lr, mu: [p, v],
    },
    "precision": {
        "that is recall": lambda m: torch.tensor(
            [m[i, i] / m[i].sum() for i in (0, 1)]
        ),
        "all digits together": lambda m: m.trace() / m.sum(),
        "every count": lambda m: m / m.sum(0, keepdim=True),
        "number of all images": lambda m: m.diagonal() / m.sum(),
        "counts of right answers": torch.diag,
        "whole numbers": lambda m: m.diag() // m.sum(0),
        "shape should be (2,), not (1, 2)": lambda m: m.diag()[None] / m.sum(0),
        "not a list": lambda m: (m.diag() / m.sum(0)).tolist(),
    },
    "ece": {
        "each bin counts the same": lambda c, a, n: torch.mean(torch.abs(c - a)),
        "whichever way": lambda c, a, n: torch.dot(a - c, n / n.sum()),
        "opposite sign cancel": lambda c, a, n: torch.dot(a - c, n / n.sum()).abs(),
        "forgot to divide": lambda c, a, n: torch.dot((a - c).abs(), n.float()),
        "number of bins": lambda c, a, n: torch.dot((a - c).abs(), n.float()) / len(n),
        "square the gaps": lambda c, a, n: torch.dot((a - c).square(), n / n.sum()),
        "leave the empty bins out": (
            lambda c, a, n: torch.dot((a - c).abs(), n / n.sum())
        ),
        "not a float": lambda c, a, n: 0.03,
    },
    "heatmaps": {
        "some of these are negative": lambda a, g: torch.einsum(
            "ncij,nc->nij", a, g.mean((2, 3))
        ),
        "each map by itself": lambda a, g: torch.relu(a * g.mean((2, 3), True)).sum(1),
        "place by place": lambda a, g: torch.relu((a * g).sum(1)),
        "you add the gradients up": lambda a, g: torch.relu(
            torch.einsum("ncij,nc->nij", a, g.sum((2, 3)))
        ),
        "mean over the maps": lambda a, g: (a * g.mean((2, 3), True)).mean(1).relu(),
        "not from the maps": lambda a, g: (g * a.mean((2, 3), True)).sum(1).relu(),
        "mean over the images": lambda a, g: torch.relu(
            torch.einsum("ncij,c->nij", a, g.mean((0, 2, 3)))
        ),
        "shape should be (1, 2, 2), not (1, 1, 2, 2)": lambda a, g: (
            (a * g.mean((2, 3), True)).sum(1, keepdim=True).relu()
        ),
    },
    "contributions": {
        "each place keeps its own": lambda a, w: torch.einsum(
            "ncij,c->nij", a, w.view(a.shape[1], -1).mean(1)
        ),
        "wrong order": lambda a, w: torch.einsum(
            "ncij,ijc->nij", a, w.view(*a.shape[2:], a.shape[1])
        ),
        "nothing is rectified": lambda a, w: torch.relu(
            torch.einsum("ncij,cij->nij", a, w.view(a.shape[1:]))
        ),
        "added up the places": lambda a, w: torch.einsum(
            "ncij,cij->nc", a, w.view(a.shape[1:])
        ),
        "that is the logit": lambda a, w: (a.flatten(1) * w).sum(1),
        "mean over the maps": lambda a, w: (a * w.view(a.shape[1:])).mean(1),
    },
    "erase": {
        "a shade of grey": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1, 1), x, 0
        ),
        "the coldest": lambda x, h, k, paper: torch.where(
            h[:, None] > h.flatten(1).sort(1).values[:, k - 1].view(-1, 1, 1, 1),
            x,
            paper,
        ),
        "the other way round": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1, 1),
            paper,
            x,
        ),
        "of the whole batch": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten().topk(k).values.amin(), x, paper
        ),
        "not asked for": lambda x, h, k, paper: torch.where(
            h < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1), h, paper
        )[:, None],
    },
    "respond": {
        "the other way round": lambda a, w, i, j: torch.conv2d(a, w[None])[0, j, i],
        "upside down": lambda a, w, i, j: torch.conv2d(a, w.flip(1, 2)[None])[0, i, j],
        "mean of the products": lambda a, w, i, j: (
            torch.conv2d(a, w[None])[0, i, j] / w.numel()
        ),
        "these are the products": lambda a, w, i, j: a[:, i : i + 2, j : j + 2] * w,
        "for each channel": lambda a, w, i, j: torch.einsum(
            "cij,cij->c", a[:, i : i + 2, j : j + 2], w
        ),
        "multiply it by the weights": lambda a, w, i, j: a[
            :, i : i + 2, j : j + 2
        ].sum(),
        "first channel only": lambda a, w, i, j: (
            a[0, i : i + 2, j : j + 2] * w[0]
        ).sum(),
        "not a float": lambda a, w, i, j: torch.conv2d(a, w[None])[0, i, j].item(),
    },
    "most_excited": {
        "you add the places up": lambda a, c, k: a.mean((2, 3))[:, c].topk(k).indices,
        "least": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[:k],
        "wrong order": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[-k:],
        "largest numbers themselves": lambda a, c, k: (
            a[:, c].flatten(1).max(1).values.sort(descending=True).values[:k]
        ),
        "all channels": lambda a, c, k: (
            a.flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
        "dimension 1": lambda a, c, k: (
            a[c].flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
    },
    "nearest": {
        "at distance 0": lambda f: (f[:, None] - f).norm(dim=2).argmin(1),
        "the farthest": lambda f: (f[:, None] - f).norm(dim=2).argmax(1),
        "these are the distances": lambda f: (
            (f[:, None] - f).norm(dim=2).topk(2, largest=False).values[:, 1]
        ),
        "largest product": lambda f: (f @ f.T - 1e6 * torch.eye(len(f))).argmax(1),
        "index of one pair": lambda f: (
            (f[:, None] - f).norm(dim=2) + 1e6 * torch.eye(len(f))
        ).argmin(),
        "shape should be (4,), not (4, 2)": lambda f: (
            (f[:, None] - f).norm(dim=2).topk(2, largest=False).indices
        ),
    },
}


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
