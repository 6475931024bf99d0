"""Exercises on the network by hand: its layers and its optimizer."""

import torch
from torch import Tensor

from mnistedu import layers
from mnistedu.exercises.answer import Exercise


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    relu = layers.ReLU()
    relu.forward(x)
    return relu.backward(grad)


def _sgd_momentum(
    p: Tensor, grad: Tensor, v: Tensor, lr: float, momentum: float
) -> tuple[Tensor, Tensor]:
    v = momentum * v + grad
    return p - lr * v, v


def _over_sum(powers: Tensor) -> Tensor:
    return powers / powers.sum(1, keepdim=True)


RELU_BACKWARD = Exercise(
    solution=_relu_backward,
    cases=[
        {"grad": torch.tensor([4.0, 5, -6]), "x": torch.tensor([-1.0, 2, 3])},
        {"grad": torch.tensor([1.0]), "x": torch.tensor([0.0])},
        {"grad": torch.ones(2, 2), "x": torch.tensor([[1.0, -1], [-2, 2]])},
    ],
    mistakes={
        "you pass the whole gradient on: where x was negative, ReLU put out 0 "
        "whatever x was, so no gradient comes back.": lambda grad, x: grad,
        "you test the sign of the gradient: what counts is the sign of x, the number "
        "that went in.": lambda grad, x: grad.clamp(min=0),
        "that is ReLU's output, the forward pass: the way back starts from grad.": (
            lambda grad, x: x.clamp(min=0)
        ),
        "that is the derivative of ReLU alone: the chain rule multiplies it by "
        "grad.": lambda grad, x: x > 0,
        "you multiply by the output of ReLU: multiply by its derivative, which is 1 "
        "where x is positive.": lambda grad, x: grad * x.clamp(min=0),
        "the wrong way round: the gradient passes where x is positive.": (
            lambda grad, x: grad * (x < 0)
        ),
        "at x = 0 there is no derivative; like torch, take 0 there: > and not >=.": (
            lambda grad, x: grad * (x >= 0)
        ),
    },
)

SOFTMAX = Exercise(
    solution=lambda logits: layers.Softmax().forward(logits),
    cases=[
        {"logits": torch.tensor([[1.0, 2]])},
        {"logits": torch.tensor([[1.0, 2], [3, 5]])},
        {"logits": torch.tensor([[1000.0, 1001]])},
        {"logits": torch.tensor([[1000.0, 1001], [-1000, -1001]])},
        {"logits": torch.tensor([[0.0, 200]])},
    ],
    mistakes={
        "these do not add up to 1 in each row: you forgot to divide by the sum.": (
            lambda logits: logits.exp()
        ),
        "you divide the logits by their sum: take their exponentials first.": (
            lambda logits: logits / logits.sum(1, keepdim=True)
        ),
        "you divide by the sum over the images: each row is one image, so sum over "
        "dimension 1.": lambda logits: logits.softmax(0),
        "you divide by the sum over all images: each row is one image and sums to 1 "
        "by itself; sum over dimension 1 with keepdim=True.": (
            lambda logits: logits.exp() / logits.exp().sum()
        ),
        "the sums lost their dimension, and each row is divided by another row's sum: "
        "use keepdim=True.": lambda logits: logits.exp() / logits.exp().sum(1),
        "the largest logits lost their dimension, and each is subtracted in another "
        "row: use keepdim=True, or amax.": lambda logits: _over_sum(
            (logits - logits.amax(1)).exp()
        ),
        "the largest logits and the sums lost their dimension: use keepdim=True for "
        "both.": lambda logits: (
            (logits - logits.amax(1)).exp() / (logits - logits.amax(1)).exp().sum(1)
        ),
        "these are the logarithms of the probabilities.": (
            lambda logits: logits.log_softmax(1)
        ),
        "exp(1000) is too large for a float and becomes inf, and inf / inf is nan: "
        "subtract the largest logit first, which changes no probability.": (
            lambda logits: logits.exp() / logits.exp().sum(1, keepdim=True)
        ),
        "exp(-2001) rounds to 0, and 0 / 0 is nan: subtract the largest logit of each "
        "row, not that of the whole batch.": lambda logits: (
            (logits - logits.max()).exp()
            / (logits - logits.max()).exp().sum(1, keepdim=True)
        ),
        "exp(200) is too large for a float too: subtract the largest logit of the row, "
        "not the first or their mean: no exponent may lie above 0.": lambda logits: (
            _over_sum((logits - logits[:, :1]).exp())
        ),
    },
)

SGD_MOMENTUM = Exercise(
    solution=_sgd_momentum,
    cases=[
        {
            "parameter": torch.tensor([2.0]),
            "grad": torch.tensor([1.0]),
            "velocity": torch.tensor([4.0]),
            "lr": 0.1,
            "momentum": 0.5,
        },
        {
            "parameter": torch.tensor([[1.0, -2]]),
            "grad": torch.tensor([[0.5, -1]]),
            "velocity": torch.tensor([[-1.0, 3]]),
            "lr": 0.5,
            "momentum": 0.9,
        },
    ],
    mistakes={
        "you forgot the momentum: the new velocity is momentum * velocity + grad.": (
            lambda p, g, v, lr, momentum: (p - lr * g, g)
        ),
        "you walk uphill: subtract the step from the parameter.": (
            lambda p, g, v, lr, momentum: (
                p + lr * (momentum * v + g),
                momentum * v + g,
            )
        ),
        "you step with the old velocity: update it first.": (
            lambda p, g, v, lr, momentum: (p - lr * v, momentum * v + g)
        ),
        "you forgot the learning rate: the step is lr * velocity.": (
            lambda p, g, v, lr, momentum: (p - momentum * v - g, momentum * v + g)
        ),
        "you multiply the gradient by the learning rate before it enters the velocity: "
        "keep it for the step.": lambda p, g, v, lr, momentum: (
            p - (momentum * v + lr * g),
            momentum * v + lr * g,
        ),
        "you take (1 - momentum) of the gradient, as Adam does: here it enters "
        "whole.": lambda p, g, v, lr, momentum: (
            p - lr * (momentum * v + (1 - momentum) * g),
            momentum * v + (1 - momentum) * g,
        ),
        "the numbers are right, but the order is the parameter, then the velocity.": (
            lambda *arguments: _sgd_momentum(*arguments)[::-1]
        ),
        "the parameter is right; return the new velocity as well, for the next step: "
        "`return parameter, velocity`.": (
            lambda *arguments: _sgd_momentum(*arguments)[0]
        ),
    },
)

EXERCISES = {
    "softmax": SOFTMAX,
    "relu_backward": RELU_BACKWARD,
    "sgd_momentum": SGD_MOMENTUM,
}
