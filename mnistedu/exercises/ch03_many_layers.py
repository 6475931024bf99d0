"""Exercises on the network by hand: its layers and its optimizer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mnistedu import layers
from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.varied import varied


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    relu = layers.ReLU()
    relu.forward(x)
    return relu.backward(grad)


def _sgd_momentum(
    p: Tensor, grad: Tensor, v: Tensor, lr: float, momentum: float
) -> tuple[Tensor, Tensor]:
    v = momentum * v + grad
    return p - lr * v, v


def _shifted(logits: Tensor) -> Tensor:
    return logits - logits.amax(1, keepdim=True)


def _over_sum(powers: Tensor) -> Tensor:
    return powers / powers.sum(1, keepdim=True)


RELU_BACKWARD = Exercise(
    solution=_relu_backward,
    cases=[
        {"grad": torch.tensor([4.0, 5, -6]), "x": torch.tensor([-1.0, 2, 3])},
        {"grad": torch.tensor([1.0]), "x": torch.tensor([0.0])},
        {"grad": torch.ones(2, 2), "x": torch.tensor([[1.0, -1], [-2, 2]])},
        {"grad": varied(3, 4, start=30), "x": varied(3, 4).relu() - varied(3, 4) / 2},
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
        "grad and x are exchanged: x decides where something passes, grad is what "
        "passes.": (lambda grad, x: x * (grad > 0),),
        "a mask as an index leaves out the rest: multiply by it, so that the shape "
        "stays.": lambda grad, x: grad[x > 0],
        "where x is negative, the gradient is 0, and not x.": (
            lambda grad, x: torch.where(x > 0, grad, x)
        ),
        "you multiply by x: multiply by the derivative, which is 1 where x is positive "
        "and 0 elsewhere.": lambda grad, x: grad * x,
        "where x is negative, some of the gradient passes, or passes with the other "
        "sign: nothing of it passes there.": (
            lambda grad, x: torch.where(x > 0, grad, 0.01 * grad),
            lambda grad, x: grad * x.sign(),
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
        {"logits": varied(3, 4)},
    ],
    mistakes={
        "these do not add up to 1 in each row: you forgot to divide by the sum.": (
            lambda logits: logits.exp(),
            lambda logits: _shifted(logits).exp(),
            lambda logits: (logits - logits.max()).exp(),
        ),
        "you divide the logits by their sum: take their exponentials first.": (
            lambda logits: logits / logits.sum(1, keepdim=True)
        ),
        "you divide by the sum over the images: each row is one image, so sum over "
        "dimension 1.": lambda logits: logits.softmax(0),
        "you divide by the sum over all images: each row is one image and sums to 1 "
        "by itself; sum over dimension 1 with keepdim=True.": (
            lambda logits: logits.exp() / logits.exp().sum(),
            lambda logits: _shifted(logits).exp() / _shifted(logits).exp().sum(),
            lambda logits: logits.flatten().softmax(0).view_as(logits),
        ),
        "the sums lost their dimension, and each row is divided by another row's sum: "
        "use keepdim=True.": (
            lambda logits: logits.exp() / logits.exp().sum(1),
            lambda logits: _shifted(logits).exp() / _shifted(logits).exp().sum(1),
        ),
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
        "0 in place of nan is no answer: subtract the largest logit first, so that "
        "exp() stays finite.": lambda logits: _over_sum(logits.exp()).nan_to_num(),
        "a limit makes large logits equal that were not: subtract the largest one, "
        "which changes no probability.": (
            lambda logits: _over_sum(logits.clamp(max=50).exp()),
            lambda logits: _over_sum(logits.clamp(-50, 50).exp()),
        ),
        "dividing by the largest logit changes the probabilities: subtract it.": (
            lambda logits: _over_sum((logits / logits.amax(1, keepdim=True)).exp())
        ),
        "sigmoid squashes each logit by itself: here each row shares 1 among its "
        "entries.": lambda logits: logits.sigmoid(),
        "the largest logit gets the smallest probability: mind the sign.": (
            lambda logits: (-logits).softmax(1),
            lambda logits: _over_sum((-logits).exp()),
        ),
        "exp(-2001) rounds to 0, and 0 / 0 is nan: subtract the largest logit of each "
        "row, not that of the whole batch.": lambda logits: (
            (logits - logits.max()).exp()
            / (logits - logits.max()).exp().sum(1, keepdim=True)
        ),
        "exp(200) is too large for a float too: subtract the largest logit of the row, "
        "not the first or their mean: no exponent may lie above 0.": (
            lambda logits: _over_sum((logits - logits[:, :1]).exp()),
            lambda logits: _over_sum((logits - logits.mean(1, keepdim=True)).exp()),
            lambda logits: _over_sum((logits - logits.amin(1, keepdim=True)).exp()),
        ),
        "the largest logits are those of the columns: each row is one image, so "
        "subtract the largest of each row.": lambda logits: _over_sum(
            (logits - logits.amax(0)).exp()
        ),
        "the sums are those of the columns: each row is one image, so sum over "
        "dimension 1.": lambda logits: (
            _shifted(logits).exp() / _shifted(logits).exp().sum(0)
        ),
        "that is softmax, taken twice: once is enough.": (
            lambda logits: logits.softmax(1).softmax(1)
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
        {
            "parameter": varied(2, 3),
            "grad": varied(2, 3, start=20),
            "velocity": varied(2, 3, start=40),
            "lr": 0.2,
            "momentum": 0.7,
        },
    ],
    mistakes={
        "you forgot the momentum: the new velocity is momentum * velocity + grad.": (
            lambda p, g, v, lr, momentum: (p - lr * g, g),
            lambda p, g, v, lr, momentum: (p - lr * g, v),
            lambda p, g, v, lr, momentum: (p - lr * g, momentum * v + g),
        ),
        "the old velocity enters whole: multiply it by momentum.": (
            lambda p, g, v, lr, momentum: (p - lr * (v + g), v + g)
        ),
        "momentum weakens the old velocity only: the gradient enters whole.": (
            lambda p, g, v, lr, momentum: (
                p - lr * momentum * (v + g),
                momentum * (v + g),
            )
        ),
        "in your step the old velocity is whole: step with the new one, in which it is "
        "multiplied by momentum.": lambda p, g, v, lr, momentum: (
            p - lr * g - lr * v,
            momentum * v + g,
        ),
        "the parameter is right; the velocity that you return is still the old one.": (
            lambda p, g, v, lr, momentum: (_sgd_momentum(p, g, v, lr, momentum)[0], v)
        ),
        "you step as Nesterov does, with the gradient and the new velocity: the step "
        "is lr times the new velocity.": lambda p, g, v, lr, momentum: (
            p - lr * (g + momentum * (momentum * v + g)),
            momentum * v + g,
        ),
        "your velocity points downhill and holds the learning rate, as in some books: "
        "here it is momentum * velocity + grad, and the step subtracts lr times it.": (
            lambda p, g, v, lr, momentum: (
                p + momentum * v - lr * g,
                momentum * v - lr * g,
            )
        ),
        "the gradient enters the velocity with the wrong sign: add it, and subtract "
        "the step.": (
            lambda p, g, v, lr, momentum: (
                p - lr * (momentum * v - g),
                momentum * v - g,
            ),
            lambda p, g, v, lr, momentum: (
                p + lr * (momentum * v - g),
                momentum * v - g,
            ),
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


def _linear_backward(
    grad: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return grad.T @ x, grad.sum(0), grad @ weight


LINEAR_BACKWARD = Exercise(
    solution=_linear_backward,
    cases=[
        {
            "grad": torch.tensor([[1.0, 2]]),
            "x": torch.tensor([[3.0, 4, 5]]),
            "weight": torch.tensor([[1.0, 0, -1], [2, 1, 0]]),
        },
        {
            "grad": varied(4, 3),
            "x": varied(4, 3, start=20),
            "weight": varied(3, 3, start=50),
        },
        {
            "grad": varied(5, 2, start=33),
            "x": varied(5, 4, start=8),
            "weight": varied(2, 4, start=70),
        },
    ],
    mistakes={
        "the weight's gradient is transposed: it has the shape of the weight, "
        "grad.T @ x.": lambda grad, x, weight: (
            x.T @ grad,
            grad.sum(0),
            grad @ weight,
        ),
        "you divide by the number of images: the loss was averaged already, and grad "
        "has that in it.": (
            lambda grad, x, weight: (
                grad.T @ x / len(x),
                grad.mean(0),
                grad @ weight,
            ),
            lambda grad, x, weight: (grad.T @ x / len(x), grad.sum(0), grad @ weight),
            lambda grad, x, weight: (grad.T @ x, grad.mean(0), grad @ weight),
        ),
        "the bias has one gradient for each neuron: add up those of the images.": (
            lambda grad, x, weight: (grad.T @ x, grad, grad @ weight)
        ),
        "you add the bias's gradient up over the neurons: add it up over the images, "
        "dimension 0.": lambda grad, x, weight: (
            grad.T @ x,
            grad.sum(1),
            grad @ weight,
        ),
        "the bias's gradient is a single number: each neuron has a bias.": (
            lambda grad, x, weight: (grad.T @ x, grad.sum(), grad @ weight)
        ),
        "the bias's gradient does not depend on x, but on grad: its sum over the "
        "images.": (
            lambda grad, x, weight: (grad.T @ x, x.sum(0), grad @ weight),
            lambda grad, x, weight: (
                grad.T @ x,
                torch.ones(len(weight)),
                grad @ weight,
            ),
        ),
        "forward multiplies by weight.T, so the way back multiplies by weight.": (
            lambda grad, x, weight: (grad.T @ x, grad.sum(0), grad @ weight.T)
        ),
        "the order is: of the weight, of the bias, of x.": (
            lambda grad, x, weight: (grad @ weight, grad.T @ x, grad.sum(0))
        ),
        "the gradient of x is missing: the layer hands it on to the one before.": (
            lambda grad, x, weight: _linear_backward(grad, x, weight)[:2]
        ),
    },
)


def _adam(
    root: Callable[[Tensor, float], Tensor] = lambda v, eps: v.sqrt() + eps,
    correct: Callable[[float, int], float] = lambda beta, t: 1 - beta**t,
    square: Callable[[Tensor], Tensor] = torch.square,
    sign: float = 1,
) -> Function:
    """Adam's step, with what may go wrong in its parts."""

    def step(
        p: Tensor,
        grad: Tensor,
        m: Tensor,
        v: Tensor,
        t: int,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * square(grad)
        m_hat, v_hat = m / correct(beta1, t), v / correct(beta2, t)
        return p - sign * lr * m_hat / root(v_hat, eps), m, v

    return step


def _keep_hats(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    t, _, beta1, beta2, _ = arguments[4:]
    p, m, v = _adam()(*arguments)
    return p, m / (1 - beta1**t), v / (1 - beta2**t)


ADAM = Exercise(
    solution=_adam(),
    cases=[
        {
            "parameter": torch.tensor([1.0, 2]),
            "grad": torch.tensor([0.5, -3]),
            "m": torch.zeros(2),
            "v": torch.zeros(2),
            "t": 1,
            "lr": 0.1,
            "beta1": 0.9,
            "beta2": 0.99,
            "eps": 0.0,
        },
        {
            "parameter": varied(2, 3),
            "grad": varied(2, 3, start=20),
            "m": varied(2, 3, start=40),
            "v": varied(2, 3, start=60).abs(),
            "t": 3,
            "lr": 0.2,
            "beta1": 0.8,
            "beta2": 0.95,
            "eps": 0.1,
        },
    ],
    mistakes={
        "the hats are missing: divide m by 1 - beta1**t and v by 1 - beta2**t before "
        "the step.": _adam(correct=lambda beta, t: 1.0),
        "you divide by 1 - beta, as in the first step: later ones take beta**t.": _adam(
            correct=lambda beta, t: 1 - beta
        ),
        "the root is missing: divide by the root of v.": _adam(
            root=lambda v, eps: v + eps
        ),
        "eps stands under the root: add it to the root.": _adam(
            root=lambda v, eps: (v + eps).sqrt()
        ),
        "the gradient enters v without its square.": _adam(square=lambda grad: grad),
        "the absolute gradient enters v: take its square.": _adam(square=torch.abs),
        "you walk uphill: subtract the step from the parameter.": _adam(sign=-1),
        "the parameter is right; return m and v without their hats, for the next "
        "step.": _keep_hats,
        "beta1 and beta2 are exchanged: beta1 belongs to m.": (
            lambda p, grad, m, v, t, lr, beta1, beta2, eps: _adam()(
                p, grad, m, v, t, lr, beta2, beta1, eps
            )
        ),
        "the step uses the old m and v: update them first.": (
            lambda p, grad, m, v, t, lr, beta1, beta2, eps: (
                p - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + eps),
                *_adam()(p, grad, m, v, t, lr, beta1, beta2, eps)[1:],
            )
        ),
        "return the new m and v as well: the next step needs them.": (
            lambda *arguments: _adam()(*arguments)[0]
        ),
    },
)

EXERCISES = {
    "softmax": SOFTMAX,
    "linear_backward": LINEAR_BACKWARD,
    "relu_backward": RELU_BACKWARD,
    "sgd_momentum": SGD_MOMENTUM,
    "adam": ADAM,
}
