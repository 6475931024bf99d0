"""Exercises on a network of several layers: its gradients and its optimizers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mnistedu import layers
from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.varied import varied


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
            "x": torch.cat([varied(4, 4, start=8), torch.zeros(1, 4)]),
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


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    relu = layers.ReLU()
    relu.forward(x)
    return relu.backward(grad)


RELU_BACKWARD = Exercise(
    solution=_relu_backward,
    cases=[
        {"grad": torch.tensor([4.0, 5, -6]), "x": torch.tensor([-1.0, 2, 3])},
        {"grad": torch.tensor([1.0]), "x": torch.tensor([0.0])},
        {"grad": torch.ones(2, 2), "x": torch.tensor([[1.0, -1], [-2, 2]])},
        {"grad": varied(3, 4, start=30), "x": varied(3, 4) / 4},
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
            lambda grad, x: torch.where(x > 0, grad, -grad),
        ),
    },
)


def _two_layers(
    activate: Function = torch.relu,
    keep: Function = lambda z, h: h,
    start: Function = lambda logits, wanted: (logits.softmax(1) - wanted) / len(logits),
    through: Function = lambda grad, z: grad * (z > 0),
    add: Function = lambda grad: grad.sum(0),
) -> Function:
    """Backward through linear, ReLU, linear, with what may go wrong in its parts."""

    def backward(
        x: Tensor, targets: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor
    ) -> tuple[Tensor, ...]:
        z = x @ w1.T + b1
        h = activate(z)
        logits = h @ w2.T + b2
        g2 = start(logits, torch.eye(len(w2), dtype=logits.dtype)[targets])
        g1 = through(g2 @ w2, z)
        return g1.T @ x, add(g1), g2.T @ keep(z, h), add(g2)

    return backward


BACKWARD = Exercise(
    solution=_two_layers(),
    cases=[
        {
            "x": torch.tensor([[1.0, 2]]),
            "targets": torch.tensor([0]),
            "w1": torch.tensor([[1.0, 0], [0, -1]]),
            "b1": torch.zeros(2),
            "w2": torch.tensor([[1.0, 2], [1, -1]]),
            "b2": torch.zeros(2),
        },
        {
            "x": varied(4, 3) / 4,
            "targets": torch.tensor([2, 0, 4, 1]),
            "w1": varied(6, 3, start=20) / 4,
            "b1": varied(6, start=40) / 4,
            "w2": varied(5, 6, start=50) / 8,
            "b2": varied(5, start=90) / 4,
        },
        {
            "x": varied(3, 3, start=33) / 4,
            "targets": torch.tensor([1, 1, 0]),
            "w1": varied(3, 3, start=11) / 4,
            "b1": varied(3, start=70) / 4,
            "w2": varied(3, 3, start=80) / 8,
            "b2": varied(3, start=60) / 4,
        },
        {
            "x": torch.tensor([[0.0, 0], [200, 100], [1, 2]]),
            "targets": torch.tensor([0, 1, 0]),
            "w1": torch.tensor([[1.0, -1], [2, 3]]),
            "b1": torch.tensor([0.0, 1]),
            "w2": torch.tensor([[1.0, -1], [0, 3], [7, 2]]),
            "b2": torch.zeros(3),
        },
    ],
    mistakes={
        "the ReLU is missing on the way back: where its input was negative, no "
        "gradient passes.": _two_layers(through=lambda grad, z: grad),
        "on the way back through the ReLU you test the sign of the gradient: what "
        "counts is the sign of what went into it.": _two_layers(
            through=lambda grad, z: grad * (grad > 0)
        ),
        "at 0 ReLU has no derivative; like torch, take 0 there: > and not >=.": (
            _two_layers(through=lambda grad, z: grad * (z >= 0))
        ),
        "on the way back through the ReLU you multiply by its output: multiply by "
        "its derivative, which is 1 where its input is positive.": _two_layers(
            through=lambda grad, z: grad * z.relu()
        ),
        "the ReLU is missing on the way forward.": _two_layers(activate=lambda z: z),
        "the ReLU is missing, on the way forward and on the way back.": _two_layers(
            activate=lambda z: z, through=lambda grad, z: grad
        ),
        "w2's gradient is made from what went into the second layer: the output of the "
        "ReLU, and not its input.": _two_layers(keep=lambda z, h: z),
        "you forgot to divide by the number of images: the loss is a mean.": (
            _two_layers(start=lambda logits, wanted: logits.softmax(1) - wanted)
        ),
        "you average the biases' gradients: the division by the number of images is in "
        "them already, so add them up.": _two_layers(add=lambda grad: grad.mean(0)),
        "what the network should have said is missing: subtract 1 at the targets, "
        "before you divide by the number of images.": (
            _two_layers(start=lambda logits, wanted: logits.softmax(1) / len(logits))
        ),
        "softmax is missing: the loss begins with probabilities.": _two_layers(
            start=lambda logits, wanted: (logits - wanted) / len(logits)
        ),
        "softmax goes over the classes of each image, dimension 1.": _two_layers(
            start=lambda logits, wanted: (logits.softmax(0) - wanted) / len(logits)
        ),
        "all signs are the wrong way round: it begins with what the network said minus "
        "what it should have said.": _two_layers(
            start=lambda logits, wanted: (wanted - logits.softmax(1)) / len(logits)
        ),
        "no ReLU stands behind the second layer: softmax takes the logits as they "
        "are.": _two_layers(
            start=lambda logits, wanted: (
                (logits.relu().softmax(1) - wanted) / len(logits)
            )
        ),
        "the order is w1, b1, w2, b2.": (
            lambda *arguments: (
                *_two_layers()(*arguments)[2:],
                *_two_layers()(*arguments)[:2],
            ),
            lambda *arguments: _two_layers()(*arguments)[::-1],
        ),
        "the biases have gradients too: return w1's, b1's, w2's and b2's.": (
            lambda *arguments: _two_layers()(*arguments)[::2]
        ),
    },
)


@dataclass(frozen=True, repr=False)
class _Named:
    """A function, which a hint shows by a few words."""

    words: str
    function: Function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __repr__(self) -> str:
        return self.words


X, TARGETS = varied(3, 2).double() / 4, torch.tensor([2, 0, 1])
PARAMETERS = [
    varied(3, 2, start=20).double() / 4,
    varied(3, start=40).double() / 4,
    varied(3, 3, start=50).double() / 4,
    varied(3, start=90).double() / 4,
]


def _loss(parameters: list[Tensor]) -> Tensor:
    w1, b1, w2, b2 = parameters
    logits = (X @ w1.T + b1).relu() @ w2.T + b2
    return -logits.log_softmax(1)[range(len(X)), TARGETS].mean()


def _plant(change: Function, words: str) -> _Named:
    """A backward pass, and what is wrong with it."""

    def backward(parameters: list[Tensor]) -> list[Tensor]:
        return change(*_two_layers()(X, TARGETS, *parameters))

    return _Named(f"a backward pass {words}", backward)


def _add_to(grad: Tensor, place: int) -> Tensor:
    grad = grad.clone()
    grad.view(-1)[place] += 0.01
    return grad


BACKWARDS = [
    _plant(lambda *grads: [*grads], "that is right"),
    _plant(lambda w1, b1, w2, b2: [w1, -b1, w2, b2], "with the sign of b1's turned"),
    _plant(lambda w1, b1, w2, b2: [0 * w1, b1, w2, b2], "with zeros for w1's"),
    _plant(
        lambda w1, b1, w2, b2: [w1, b1, _add_to(w2, -1), b2],
        "with 0.01 too much in the last of w2's",
    ),
    _plant(
        lambda w1, b1, w2, b2: [w1, b1, w2 - w2.abs() / 10_000, b2],
        "with each of w2's too small by a ten-thousandth",
    ),
    _plant(
        lambda w1, b1, w2, b2: [w1, b1, w2[:, [1, 0, 2]], b2],
        "with two columns of w2's exchanged",
    ),
    _plant(  # whoever keeps only the verdict on one number misses some of these
        lambda *grads: [_add_to(grad, 0) for grad in grads],
        "with 0.01 too much in the first of each",
    ),
]


def _measure(loss: Function, parameters: list[Tensor]) -> list[Tensor]:
    """The gradients as autograd has them, which takes one pass and no nudges."""
    with torch.enable_grad():
        leaves = [p.detach().clone().requires_grad_() for p in parameters]
        return [*torch.autograd.grad(loss(leaves), leaves)]


def _measure_to_one_side(
    loss: Function, parameters: list[Tensor], nudge: float
) -> list[Tensor]:
    """The slopes from here to a nudge away."""
    slopes = [torch.zeros_like(p) for p in parameters]
    for n, slope in enumerate(slopes):
        for i in range(slope.numel()):
            nudged = [p.clone() for p in parameters]
            nudged[n].view(-1)[i] += nudge
            slope.view(-1)[i] = (loss(nudged) - loss(parameters)) / nudge
    return slopes


def _are_close(mine: Tensor, theirs: Tensor, bound: float = 1e-6) -> bool:
    return torch.allclose(mine, theirs, rtol=0, atol=bound)


def _judge(close: Function = _are_close, measure: Function = _measure) -> Function:
    """A check of each gradient, with what it may take for right."""

    def check(
        loss: Function, parameters: list[Tensor], backward: Function
    ) -> list[bool]:
        return [*map(close, backward(parameters), measure(loss, parameters))]

    return check


def _judge_at_once(
    loss: Function, parameters: list[Tensor], backward: Function
) -> list[bool]:
    grads = backward(parameters)
    nudged = [p - 1e-5 * grad for p, grad in zip(parameters, grads, strict=True)]
    fall = (loss(parameters) - loss(nudged)) / 1e-5
    squares = torch.stack([(grad**2).sum() for grad in grads]).sum()
    return [torch.allclose(fall, squares, rtol=1e-3)] * len(parameters)


def _name_misjudged(
    result: Tensor, loss: Function, parameters: list[Tensor], backward: Function
) -> str | None:
    """By how much the first gradient is off that was called the wrong thing."""
    errors = map(torch.sub, backward(parameters), _measure(loss, parameters))
    for n, error in enumerate(errors):
        off = error.abs().max().item()
        if result[n] == (off > 1e-6):
            is_so = f"is off by up to {off:.1g}" if result[n] else "is right"
            called = "right" if result[n] else "wrong"
            return f"here gradient [{n}] {is_so}, and you call it {called}."
    return None


GRADIENT_CHECK = Exercise(
    solution=_judge(),
    cases=[
        {
            "loss": _Named("the loss of a network of two layers", _loss),
            "parameters": PARAMETERS,
            "backward": backward,
        }
        for backward in BACKWARDS
    ],
    mistakes={
        "you call every gradient right, but some are wrong: measure each number of "
        "each parameter by nudging it.": lambda loss, parameters, backward: (
            [True] * len(parameters)
        ),
        "you call every gradient wrong, the right ones too: is the difference divided "
        "by twice the nudge, is that 1e-5, the bound 1e-6, and each copy fresh?": (
            lambda loss, parameters, backward: [False] * len(parameters)
        ),
        "you nudge to one side only, which is off by more than 1e-6: nudge down as "
        "well, and divide by 2e-5.": tuple(
            _judge(measure=partial(_measure_to_one_side, nudge=nudge))
            for nudge in (1e-5, -1e-5)
        ),
        "True is for the gradients that are right, and False for the wrong ones.": (
            lambda *arguments: [not right for right in _judge()(*arguments)]
        ),
        "you judge all parameters at once: each gets a True or False of its own.": (
            lambda *arguments: [all(_judge()(*arguments))] * 4,
            lambda *arguments: all(_judge()(*arguments)),
        ),
        "you look at how far the loss falls when all parameters step at once: that is "
        "one number, and says nothing of each.": (
            _judge_at_once,
            lambda *arguments: _judge_at_once(*arguments)[0],
        ),
        "a gradient passes whose columns are exchanged, so that its sums are right: "
        "compare number by number, and let what is wrong stay wrong.": (
            _judge(lambda mine, theirs: _are_close(mine.sum(), theirs.sum())),
            _judge(
                lambda mine, theirs: _are_close(mine.view(-1)[-1], theirs.view(-1)[-1])
            ),
        ),
        "a gradient passes of which the last number alone is too large: is each number "
        "compared, and without the sign of the difference?": (
            _judge(
                lambda mine, theirs: _are_close(mine.view(-1)[0], theirs.view(-1)[0])
            ),
            _judge(lambda mine, theirs: bool((theirs - mine < 1e-6).all())),
        ),
        "a gradient passes whose numbers are too small by a ten-thousandth: compare "
        "the absolute difference with 1e-6.": (
            _judge(lambda mine, theirs: _are_close(mine, theirs, 1e-3)),
            _judge(lambda mine, theirs: bool((mine - theirs < 1e-6).all())),
        ),
        "gradients pass that are wrong in some of their numbers only: all must be "
        "right, to within 1e-6.": _judge(
            lambda mine, theirs: bool(((mine - theirs).abs() < 1e-6).any())
        ),
        "you compare absolute values: a gradient with the wrong sign leads uphill.": (
            _judge(lambda mine, theirs: _are_close(mine.abs(), theirs.abs()))
        ),
        "you compare how long the gradients are: they may point in another "
        "direction.": _judge(
            lambda mine, theirs: _are_close(mine.norm(), theirs.norm())
        ),
        "a gradient of zeros passes: compare the difference with a small number, and "
        "not with one that is as large as the gradient.": _judge(
            lambda mine, theirs: bool(((mine - theirs).abs() <= theirs.abs()).all())
        ),
        "you call right what has the wrong sign: the loss after the nudge up comes "
        "first, less that after the nudge down.": _judge(
            lambda mine, theirs: _are_close(-mine, theirs)
        ),
        "all have the mark of the last parameter: each gets its own.": (
            lambda *arguments: _judge()(*arguments)[-1:] * 4
        ),
        "you call right what is 0, so you measure no change: give the nudged copy to "
        "loss, and make a copy of its own for each of the two.": _judge(
            lambda mine, theirs: _are_close(mine, 0 * mine)
        ),
        "these are the measured gradients: compare them with those of backward, and "
        "return True or False for each parameter.": (
            lambda loss, parameters, backward: _measure(loss, parameters)
        ),
    },
    remark=_name_misjudged,
)


def _sgd_momentum(
    p: Tensor, grad: Tensor, v: Tensor, lr: float, momentum: float
) -> tuple[Tensor, Tensor]:
    v = momentum * v + grad
    return p - lr * v, v


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
            "velocity": torch.tensor([[0.0, 0]]),
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
        {
            "parameter": torch.tensor([3.0, 1]),
            "grad": torch.tensor([2.0, -1]),
            "velocity": torch.tensor([-4.0, 0.5]),
            "lr": 0.5,
            "momentum": 0.0,
        },
        {
            "parameter": torch.tensor([3.0, 1]),
            "grad": torch.tensor([2.0, -1]),
            "velocity": torch.tensor([4.0, -4]),  # which add up to 0
            "lr": 0.5,
            "momentum": 0.5,
        },
    ],
    mistakes={
        "you forgot the momentum: the new velocity is momentum * velocity + grad.": (
            lambda p, g, v, lr, momentum: (p - lr * g, g),
            lambda p, g, v, lr, momentum: (p - lr * g, v),
        ),
        "the step takes the gradient: it should take the new velocity.": (
            lambda p, g, v, lr, momentum: (p - lr * g, momentum * v + g)
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
            ),
            lambda p, g, v, lr, momentum: (
                p + lr * (momentum * v - lr * g),
                momentum * v - lr * g,
            ),
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
        "keep it for the step.": (
            lambda p, g, v, lr, momentum: (
                p - (momentum * v + lr * g),
                momentum * v + lr * g,
            ),
            lambda p, g, v, lr, momentum: (
                p - lr * (momentum * v + lr * g),
                momentum * v + lr * g,
            ),
        ),
        "you take (1 - momentum) of the gradient, as Adam does: here it enters "
        "whole.": lambda p, g, v, lr, momentum: (
            p - lr * (momentum * v + (1 - momentum) * g),
            momentum * v + (1 - momentum) * g,
        ),
        "the numbers are right, but the order is the parameter, then the velocity.": (
            lambda *arguments: _sgd_momentum(*arguments)[::-1]
        ),
        "momentum multiplies the old velocity, and not the gradient.": (
            lambda p, g, v, lr, momentum: (
                p - lr * (v + momentum * g),
                v + momentum * g,
            )
        ),
        "lr multiplies the gradient only: the step is lr times the whole velocity.": (
            lambda p, g, v, lr, momentum: (p - momentum * v - lr * g, momentum * v + g)
        ),
        "momentum is the part of the old velocity that is kept: the step is lr times "
        "the new velocity, without it.": (
            lambda p, g, v, lr, momentum: (
                p - lr * momentum * (momentum * v + g),
                momentum * v + g,
            ),
            lambda p, g, v, lr, momentum: (p - lr * momentum * (v + g), v + g),
        ),
        "the parameter is right; return the new velocity as well, for the next step: "
        "`return parameter, velocity`.": (
            lambda *arguments: _sgd_momentum(*arguments)[0]
        ),
    },
)


def _adam(
    root: Callable[[Tensor, float], Tensor] = lambda q, eps: q.sqrt() + eps,
    correct: Callable[[float, int], float] = lambda beta, step: 1 - beta**step,
    square: Callable[[Tensor], Tensor] = torch.square,
    sign: float = 1,
    correct_q: Callable[[float, int], float] | None = None,
) -> Function:
    """Adam's step, with what may go wrong in its parts."""

    def take(
        p: Tensor,
        grad: Tensor,
        m: Tensor,
        q: Tensor,
        step: int,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        m = beta1 * m + (1 - beta1) * grad
        q = beta2 * q + (1 - beta2) * square(grad)
        m_hat = m / correct(beta1, step)
        q_hat = q / (correct_q or correct)(beta2, step)
        return p - sign * lr * m_hat / root(q_hat, eps), m, q

    return take


def _keep_hats(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    step, _, beta1, beta2, _ = arguments[4:]
    p, m, q = _adam()(*arguments)
    return p, m / (1 - beta1**step), q / (1 - beta2**step)


def _whole_gradient(
    p: Tensor, grad: Tensor, m: Tensor, q: Tensor, step: int, *rates: float
) -> tuple[Tensor, Tensor, Tensor]:
    lr, beta1, beta2, eps = rates
    m, q = beta1 * m + grad, _adam()(p, grad, m, q, step, *rates)[2]
    root = (q / (1 - beta2**step)).sqrt() + eps
    return p - lr * m / (1 - beta1**step) / root, m, q


def _exchange_parts(
    p: Tensor, grad: Tensor, m: Tensor, q: Tensor, step: int, *rates: float
) -> tuple[Tensor, Tensor, Tensor]:
    lr, beta1, beta2, eps = rates
    m, q = (1 - beta1) * m + beta1 * grad, (1 - beta2) * q + beta2 * grad**2
    root = (q / (1 - beta2**step)).sqrt() + eps
    return p - lr * m / (1 - beta1**step) / root, m, q


def _square_of_m(
    p: Tensor, grad: Tensor, m: Tensor, q: Tensor, step: int, *rates: float
) -> tuple[Tensor, Tensor, Tensor]:
    new = rates[1] * m + (1 - rates[1]) * grad
    return _adam(square=lambda grad: new**2)(p, grad, m, q, step, *rates)


ADAM = Exercise(
    solution=_adam(),
    cases=[
        {
            "parameter": torch.tensor([1.0, 2]),
            "grad": torch.tensor([0.5, 3]),
            "m": torch.zeros(2),
            "q": torch.zeros(2),
            "step": 1,
            "lr": 0.1,
            "beta1": 0.9,
            "beta2": 0.99,
            "eps": 0.0,
        },
        {
            "parameter": varied(2, 3),
            "grad": varied(2, 3, start=20),
            "m": varied(2, 3, start=40),
            "q": varied(2, 3, start=60).abs(),
            "step": 3,
            "lr": 0.2,
            "beta1": 0.8,
            "beta2": 0.95,
            "eps": 0.1,
        },
        {
            "parameter": torch.tensor([2.0, 1]),
            "grad": torch.tensor([3.0, -1]),
            "m": torch.tensor([-1.0, 0.5]),
            "q": torch.tensor([4.0, 9]),
            "step": 1000,
            "lr": 0.1,
            "beta1": 0.9,
            "beta2": 0.999,
            "eps": 0.0,
        },
    ],
    mistakes={
        "the hats are missing: divide m by 1 - beta1**step and q by "
        "1 - beta2**step before the step.": _adam(correct=lambda beta, step: 1.0),
        "you divide by 1 - beta, as in the first step: later ones take "
        "beta**step.": _adam(correct=lambda beta, step: 1 - beta),
        "the power is one too high, beta**(step + 1): step is counted from 1 "
        "already.": _adam(correct=lambda beta, step: 1 - beta ** (step + 1)),
        "q has no hat: divide it by 1 - beta2**step.": _adam(
            correct_q=lambda beta, step: 1.0
        ),
        "m has no hat: divide it by 1 - beta1**step.": _adam(
            correct=lambda beta, step: 1.0,
            correct_q=lambda beta, step: 1 - beta**step,
        ),
        "you multiply beta by step: raise it to that power, beta**step.": _adam(
            correct=lambda beta, step: 1 - beta * step
        ),
        "you multiply by 1 - beta**step: m and q are too small at first, so divide.": (
            _adam(correct=lambda beta, step: 1 / (1 - beta**step))
        ),
        "the root comes after the correction, and takes that in.": _adam(
            correct_q=lambda beta, step: (1 - beta**step) ** 2,
            correct=lambda beta, step: 1 - beta**step,
        ),
        "the power belongs to beta alone: 1 - beta**step.": _adam(
            correct=lambda beta, step: (1 - beta) ** step
        ),
        "beta is the part that is kept of the old m and q, and 1 - beta that of the "
        "new.": _exchange_parts,
        "the root is missing: divide by the root of q.": _adam(
            root=lambda q, eps: q + eps
        ),
        "eps stands under the root: add it to the root.": _adam(
            root=lambda q, eps: (q + eps).sqrt()
        ),
        "the gradient enters m whole: take the part 1 - beta1 of it.": _whole_gradient,
        "the gradient enters q without its square.": _adam(square=lambda grad: grad),
        "the absolute gradient enters q: take its square.": _adam(square=torch.abs),
        "q takes the square of the gradient, and not that of m.": _square_of_m,
        "you walk uphill: subtract the step from the parameter.": _adam(sign=-1),
        "the parameter is right; return m and q without their hats, for the next "
        "step.": _keep_hats,
        "beta1 and beta2 are exchanged: beta1 belongs to m.": (
            lambda p, grad, m, q, step, lr, beta1, beta2, eps: _adam()(
                p, grad, m, q, step, lr, beta2, beta1, eps
            )
        ),
        "the step uses the old m and q: update them first.": (
            lambda p, grad, m, q, step, lr, beta1, beta2, eps: (
                p - lr * m / (1 - beta1**step) / ((q / (1 - beta2**step)).sqrt() + eps),
                *_adam()(p, grad, m, q, step, lr, beta1, beta2, eps)[1:],
            )
        ),
        "return the new m and q as well: the next step needs them.": (
            lambda *arguments: _adam()(*arguments)[0]
        ),
    },
)

EXERCISES = {
    "linear_backward": LINEAR_BACKWARD,
    "relu_backward": RELU_BACKWARD,
    "backward": BACKWARD,
    "gradient_check": GRADIENT_CHECK,
    "sgd_momentum": SGD_MOMENTUM,
    "adam": ADAM,
}
