"""The layers by hand against autograd, finite differences and torch.optim."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from mnistedu import layers
from mnistedu.layers import (
    SGD,
    Adam,
    CrossEntropyLoss,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    Softmax,
)
from mnistedu.models import MLP

TOLERANCE = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(autouse=True)
def double_precision():
    """Float64 everywhere, and the same random numbers in each test."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def by_hand(*sizes):
    """The network of models.MLP(hidden_sizes), by hand."""
    hidden = [part for a, b in pairwise(sizes) for part in (Linear(a, b), ReLU())]
    return Sequential(Flatten(), *hidden[:-1])


def pair():
    """The course's network twice, by hand and in torch, with the same weights."""
    mine, theirs = by_hand(784, 256, 128, 10), MLP()
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


def twin(layer):
    """The torch module that computes what the layer computes."""
    if isinstance(layer, Linear):
        module = nn.Linear(*reversed(layer.weight.shape))
        module.load_state_dict(layer.state_dict())
        return module
    return {ReLU: nn.ReLU(), Softmax: nn.Softmax(1), Flatten: nn.Flatten()}[type(layer)]


LAYERS = {
    "Linear": (lambda: Linear(5, 3), (4, 5)),
    "ReLU": (ReLU, (4, 5)),
    "ReLU on images": (ReLU, (2, 1, 3, 3)),
    "Softmax": (Softmax, (4, 5)),
    "Flatten": (Flatten, (4, 1, 3, 2)),
}


@pytest.mark.parametrize("batch", [0, 1, 4])
@pytest.mark.parametrize("name", LAYERS)
def test_layer_agrees_with_autograd(name, batch):
    make, shape = LAYERS[name]
    layer = make()
    module = twin(layer)
    x = torch.randn(batch, *shape[1:])
    x_tracked = x.clone().requires_grad_()

    y, y_tracked = layer.forward(x), module(x_tracked)
    torch.testing.assert_close(y, y_tracked.detach(), **TOLERANCE)
    grad = torch.randn_like(y)
    y_tracked.backward(grad)
    torch.testing.assert_close(layer.backward(grad), x_tracked.grad, **TOLERANCE)
    for mine, theirs in zip(layer.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, **TOLERANCE)


def central_differences(f, x, step=1e-6):
    """df/dx, one number of x at a time; x is as before afterwards."""
    grad = torch.zeros_like(x)
    for i in range(x.numel()):
        before = x.view(-1)[i].item()
        x.view(-1)[i] = before + step
        above = f()
        x.view(-1)[i] = before - step
        grad.view(-1)[i] = (above - f()) / (2 * step)
        x.view(-1)[i] = before
    return grad


@pytest.mark.parametrize("name", LAYERS)
def test_layer_agrees_with_finite_differences(name):
    make, shape = LAYERS[name]
    layer, x = make(), torch.randn(shape)
    weights = torch.randn_like(layer.forward(x))  # a loss: the weighted sum of y

    def loss():
        return (layer.forward(x) * weights).sum()

    loss()
    input_grad = layer.backward(weights)
    for value, grad in [(x, input_grad), *((p, p.grad) for p in layer.parameters())]:
        numeric = central_differences(loss, value)
        torch.testing.assert_close(grad, numeric, rtol=0, atol=1e-7)


@pytest.mark.parametrize("batch", [1, 7])
def test_loss_agrees_with_autograd(batch):
    logits = torch.randn(batch, 10, requires_grad=True)
    targets = torch.randint(10, (batch,))
    loss_fn, expected = CrossEntropyLoss(), nn.CrossEntropyLoss()(logits, targets)
    expected.backward()
    loss = loss_fn.forward(logits.detach(), targets)
    torch.testing.assert_close(loss, expected.detach(), **TOLERANCE)
    torch.testing.assert_close(loss_fn.backward(), logits.grad, **TOLERANCE)


def test_loss_agrees_with_finite_differences():
    logits, targets = torch.randn(3, 4), torch.tensor([0, 3, 1])
    loss_fn = CrossEntropyLoss()
    loss_fn.forward(logits, targets)
    grad = loss_fn.backward()
    numeric = central_differences(lambda: loss_fn.forward(logits, targets), logits)
    torch.testing.assert_close(grad, numeric, rtol=0, atol=1e-7)


@pytest.mark.parametrize("batch", [1, 64])
def test_network_agrees_with_autograd(batch):
    mine, theirs = pair()
    images, targets = torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))
    tracked = images.clone().requires_grad_()
    logits, expected = mine.forward(images), theirs(tracked)
    torch.testing.assert_close(logits, expected.detach(), **TOLERANCE)

    nn.CrossEntropyLoss()(expected, targets).backward()
    loss_fn = CrossEntropyLoss()
    loss_fn.forward(logits, targets)
    grad = loss_fn.backward()
    mine.backward_parameters(grad)
    parameters = dict(theirs.named_parameters())
    for name, parameter in mine.state_dict().items():
        torch.testing.assert_close(parameter.grad, parameters[name].grad, **TOLERANCE)
        parameter.grad = None
    torch.testing.assert_close(mine.backward(grad), tracked.grad, **TOLERANCE)
    for name, parameter in mine.state_dict().items():
        torch.testing.assert_close(parameter.grad, parameters[name].grad, **TOLERANCE)


def test_a_network_can_be_a_layer_of_another():
    inner = Sequential(Linear(6, 5), ReLU())
    whole = Sequential(Flatten(), inner, Linear(5, 3))
    assert [*whole.state_dict()] == ["1.0.weight", "1.0.bias", "2.weight", "2.bias"]
    grad = torch.randn_like(whole.forward(torch.randn(4, 1, 2, 3)))
    whole.backward(grad)
    expected = [parameter.grad for parameter in whole.parameters()]
    whole.backward_parameters(grad)
    for parameter, gradient in zip(whole.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_network_without_parameters_has_no_gradients_to_leave():
    network = Sequential(ReLU())
    network.backward_parameters(network.forward(torch.randn(2, 3)))
    assert network.parameters() == []


@pytest.mark.parametrize(
    ("optimizer", "reference", "options"),
    [
        (SGD, torch.optim.SGD, {"lr": 0.1}),
        (SGD, torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
        (Adam, torch.optim.Adam, {}),
        (Adam, torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3}),
    ],
)
def test_optimizer_agrees_with_torch_over_100_steps(optimizer, reference, options):
    mine = by_hand(12, 8, 10)
    theirs = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 10))
    mine.load_state_dict(theirs.state_dict())
    loss_fn = CrossEntropyLoss()
    step_mine = optimizer(mine.parameters(), **options)
    step_theirs = reference(theirs.parameters(), **options)
    for _ in range(100):
        images, targets = torch.randn(16, 1, 3, 4), torch.randint(10, (16,))
        loss_fn.forward(mine.forward(images), targets)
        mine.backward_parameters(loss_fn.backward())
        step_mine.step()

        step_theirs.zero_grad()
        nn.CrossEntropyLoss()(theirs(images), targets).backward()
        step_theirs.step()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[name], value, **TOLERANCE)


def test_optimizer_without_gradients_says_what_to_do():
    for optimizer in (SGD([torch.zeros(2)], lr=0.1), Adam([torch.zeros(2)])):
        with pytest.raises(AssertionError, match=r"^Call backward before step\.$"):
            optimizer.step()


def test_state_dict_moves_both_ways():
    mine, theirs = by_hand(784, 256, 128, 10), MLP()
    images = torch.randn(5, 1, 28, 28)
    theirs.load_state_dict(mine.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(mine.forward(images), theirs(images), **TOLERANCE)
    mine, theirs = pair()
    with torch.no_grad():
        torch.testing.assert_close(mine.forward(images), theirs(images), **TOLERANCE)
        next(theirs.parameters()).zero_()  # loaded weights are copies
    assert mine.state_dict()["1.weight"].abs().sum() > 0


def test_initialisation_is_glorot_uniform():
    layer = Linear(300, 200)
    limit = math.sqrt(6 / 500)
    assert layer.weight.shape == (200, 300)
    assert layer.weight.abs().max() <= limit
    assert layer.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.01)
    assert (layer.bias == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits(dtype):
    logits = torch.tensor([[1e4, -1e4, 0], [-1e4, 1e4, 1e4]], dtype=dtype)
    expected = torch.tensor([[1, 0, 0], [0, 0.5, 0.5]], dtype=dtype)
    torch.testing.assert_close(Softmax().forward(logits), expected)
    loss_fn, targets = CrossEntropyLoss(), torch.tensor([1, 0])  # as wrong as can be
    loss = loss_fn.forward(logits, targets)
    torch.testing.assert_close(loss, nn.CrossEntropyLoss()(logits, targets))
    assert loss.item() == pytest.approx(2e4, rel=1e-3)
    grad = (expected - torch.eye(3, dtype=dtype)[[1, 0]]) / 2
    torch.testing.assert_close(loss_fn.backward(), grad)


def wrong_grad(layer, x, *shape):
    layer.forward(x)
    layer.backward(torch.zeros(shape))


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (
            lambda: Linear(784, 10).forward(torch.zeros(64, 1, 28, 28)),
            "Linear's input must have shape (64, 784), not (64, 1, 28, 28).",
        ),
        (lambda: Linear(4, 3).forward(torch.zeros(())), "shape (4,), not ()."),
        (
            lambda: wrong_grad(Linear(4, 3), torch.zeros(2, 4), 3, 3),
            "Linear's grad must have shape (2, 3), not (3, 3).",
        ),
        (
            lambda: wrong_grad(ReLU(), torch.zeros(2, 4), 2, 1),
            "ReLU's grad must have shape (2, 4), not (2, 1).",
        ),
        (
            lambda: wrong_grad(Softmax(), torch.zeros(2, 4), 2, 1),
            "Softmax's grad must have shape (2, 4), not (2, 1).",
        ),
        (
            lambda: CrossEntropyLoss().forward(torch.zeros(5, 10), torch.zeros(5, 1)),
            "The targets must have shape (5,), not (5, 1).",
        ),
        (
            lambda: Linear(4, 3).load_state_dict(Linear(3, 4).state_dict()),
            "weight must have shape (3, 4), not (4, 3).",
        ),
        (
            lambda: Sequential(Linear(4, 3)).load_state_dict(Linear(4, 3).state_dict()),
            "Parameters are ['0.weight', '0.bias'] here, not ['weight', 'bias'].",
        ),
    ],
)
def test_wrong_shapes_get_one_sentence(mistake, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        mistake()


@pytest.mark.parametrize("target", [-1, 10])
def test_impossible_target_is_refused(target):
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        CrossEntropyLoss().forward(torch.zeros(1, 10), torch.tensor([target]))


def test_forward_and_backward_leave_their_inputs_alone():
    for make, shape in LAYERS.values():
        layer, x = make(), torch.randn(shape)
        x_before = x.clone()
        grad = torch.randn_like(layer.forward(x))
        grad_before = grad.clone()
        layer.backward(grad)
        assert torch.equal(x, x_before) and torch.equal(grad, grad_before)


def test_nothing_is_borrowed():
    source = Path(layers.__file__).read_text(encoding="utf-8")
    assert not re.search(r"torch\.(nn|optim|autograd)|requires_grad", source)
    assert not Linear(2, 1).weight.requires_grad


def test_relu_passes_no_gradient_back_at_0():
    relu = ReLU()
    relu.forward(torch.tensor([[-1.0, 0, 2]]))
    assert relu.backward(torch.ones(1, 3)).tolist() == [[0, 0, 1]]
