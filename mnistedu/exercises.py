"""The chapters' exercises and the answer to each attempt, with a hint if it is wrong.

An exercise is its solution, a few small cases, and the mistakes that readers are
likely to make. A mistake is written as a function that makes it: whoever gets the same
wrong numbers as that function gets its hint.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mnistedu import layers


@dataclass(frozen=True, repr=False)
class Answer:
    """What ``check`` found: solved or not, and why not. A notebook shows its repr."""

    solved: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Solved' if self.solved else 'Not yet'}: {self.message}"


class Exercise(NamedTuple):
    """``cases`` are arguments by name, smallest first; ``mistakes`` are by hint."""

    solution: Callable[..., Any]
    cases: list[dict[str, Any]]
    mistakes: dict[str, Callable[..., Any]]


def check(name: str, function: Callable[..., Any]) -> Answer:
    """Try a reader's function on the cases of an exercise.

    Args:
        name: the exercise, for example ``"softmax"``.
        function: the attempt. Whatever it does wrong is said in the answer; nothing is
            raised.

    Returns:
        The answer: solved, or the first case that fails, with a hint.

    Raises:
        ValueError: if there is no such exercise.
    """
    if name not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise ValueError(f"There is no exercise {name!r}; the exercises are {known}.")
    if not callable(function):
        return Answer(False, f"pass the function itself, not {_show(function)}.")
    exercise = EXERCISES[name]
    for number in range(len(exercise.cases)):
        problem = _find_problem(exercise, function, number)
        if problem:
            return Answer(False, problem)
    return Answer(True, f"{name} gives the right result in every case.")


def _find_problem(
    exercise: Exercise, function: Callable[..., Any], number: int
) -> str | None:
    case = exercise.cases[number]
    arguments = {name: _copy(value) for name, value in case.items()}
    given = "".join(f"\n    {name} = {_show(value)}" for name, value in case.items())
    try:
        result = function(*arguments.values())
    except Exception as error:
        return f"your function raised {type(error).__name__}: {error}{given}"
    for name, value in arguments.items():
        if not _same(value, case[name]):
            return (
                f"your function changes its input {name}, which others still need: "
                f"compute a new tensor, without += and methods that end in _.{given}"
            )
    if result is ...:
        return "put your own lines in the place of the three dots."
    if result is None:
        return "your function returns nothing: let it end in return and the result."
    expected = exercise.solution(*case.values())
    if _same(result, expected):
        return None
    hint = _find_mistake(exercise, result, number) or _compare_kind(result, expected)
    given += f"\n    expected {_show(expected)}\n    returned {_show(result)}"
    return hint + given


def _find_mistake(exercise: Exercise, result: Any, number: int) -> str | None:
    """The hint of the mistake that gives this result, and is right until then."""
    *before, case = exercise.cases[: number + 1]
    for hint, mistake in exercise.mistakes.items():
        if _same(result, mistake(*case.values())) and all(
            _same(mistake(*c.values()), exercise.solution(*c.values())) for c in before
        ):
            return hint
    return None


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _same(result: Any, expected: Any) -> bool:
    """Equal up to rounding; dtypes may differ, shapes may not, and nan equals nan."""
    if isinstance(expected, tuple):
        return (
            isinstance(result, tuple)
            and len(result) == len(expected)
            and all(map(_same, result, expected))
        )
    if not isinstance(expected, Tensor):
        return bool(result == expected)
    return (
        isinstance(result, Tensor)
        and result.shape == expected.shape
        and torch.allclose(
            result.detach().double(), expected.double(), 1e-4, 1e-6, equal_nan=True
        )
    )


def _compare_kind(result: Any, expected: Any) -> str:
    """The hint when no known mistake explains the result."""
    if isinstance(expected, tuple):
        if not isinstance(result, tuple) or len(result) != len(expected):
            return f"return {len(expected)} tensors, as in `return first, second`."
        pairs = list(zip(result, expected, strict=True))
    else:
        pairs = [(result, expected)]
    for mine, theirs in pairs:
        if not isinstance(mine, Tensor):
            return f"return a torch tensor, not a {type(mine).__name__}."
        if mine.shape != theirs.shape:
            return f"the shape should be {(*theirs.shape,)}, not {(*mine.shape,)}."
    return "the numbers differ in this case."


def _show(value: Any) -> str:
    """Short, and the same on every machine: numbers to four decimals."""
    if isinstance(value, tuple):
        return ", ".join(map(_show, value))
    if isinstance(value, Tensor) and value.numel() <= 12:
        return str(value.detach().double().round(decimals=4).tolist())
    if isinstance(value, Tensor):
        return f"a tensor of shape {(*value.shape,)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


# 2: a network by hand


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    relu = layers.ReLU()
    relu.forward(x)
    return relu.backward(grad)


def _sgd_momentum(
    p: Tensor, grad: Tensor, v: Tensor, lr: float, momentum: float
) -> tuple[Tensor, Tensor]:
    v = momentum * v + grad
    return p - lr * v, v


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

# 6: what 99 % hides


def _ece(confidence: Tensor, accuracy: Tensor, counts: Tensor) -> Tensor:
    return ((accuracy - confidence).abs() * counts).nansum() / counts.sum()


PRECISION = Exercise(
    solution=lambda matrix: matrix.diag() / matrix.sum(0),
    cases=[
        {"matrix": torch.tensor([[3, 1], [2, 2]])},
        {"matrix": torch.tensor([[5, 1, 0], [2, 7, 0], [1, 0, 4]])},
    ],
    mistakes={
        "that is recall: divide by what was called a digit, and answers run along the "
        "columns, so sum over the rows, dimension 0.": (
            lambda matrix: matrix.diag() / matrix.sum(1)
        ),
        "that is the accuracy on all digits together: give one number for each.": (
            lambda matrix: matrix.diag().sum() / matrix.sum()
        ),
        "you divide every count: only those on the diagonal are right answers.": (
            lambda matrix: matrix / matrix.sum(0)
        ),
        "you divide by the number of all images: divide by how many were called this "
        "digit.": lambda matrix: matrix.diag() / matrix.sum(),
        "these are the counts of right answers: divide them by how many were called "
        "this digit.": lambda matrix: matrix.diag(),
        "// cuts the result to whole numbers: divide with /.": (
            lambda matrix: matrix.diag() // matrix.sum(0)
        ),
    },
)

ECE = Exercise(
    solution=_ece,
    cases=[
        {
            "confidence": torch.tensor([0.5, 0.9]),
            "accuracy": torch.tensor([0.5, 0.6]),
            "counts": torch.tensor([90, 10]),
        },
        {
            "confidence": torch.tensor([0.4, 0.9]),
            "accuracy": torch.tensor([0.6, 0.8]),
            "counts": torch.tensor([10, 30]),
        },
        {
            "confidence": torch.tensor([torch.nan, 0.9]),
            "accuracy": torch.tensor([torch.nan, 0.6]),
            "counts": torch.tensor([0, 20]),
        },
    ],
    mistakes={
        "here each bin counts the same: weight the gaps with the counts.": (
            lambda confidence, accuracy, counts: (accuracy - confidence).abs().mean()
        ),
        "a gap counts whichever way it goes: take its absolute value.": (
            lambda confidence, accuracy, counts: (
                ((accuracy - confidence) * counts).sum() / counts.sum()
            )
        ),
        "gaps of opposite sign cancel: take the absolute value of each before you add "
        "them up.": lambda confidence, accuracy, counts: (
            ((accuracy - confidence) * counts).sum().abs() / counts.sum()
        ),
        "you forgot to divide by the number of answers, the sum of the counts.": (
            lambda confidence, accuracy, counts: (
                (accuracy - confidence).abs() * counts
            ).sum()
        ),
        "you divide by the number of bins: divide by the number of answers, the sum of "
        "the counts.": lambda confidence, accuracy, counts: (
            (accuracy - confidence).abs() * counts
        ).mean(),
        "you square the gaps: take their absolute values.": (
            lambda confidence, accuracy, counts: (
                ((accuracy - confidence) ** 2 * counts).sum() / counts.sum()
            )
        ),
        "one nan makes the whole sum nan: leave the empty bins out, for example with "
        "nansum.": lambda confidence, accuracy, counts: (
            ((accuracy - confidence).abs() * counts).sum() / counts.sum()
        ),
    },
)

EXERCISES = {
    "relu_backward": RELU_BACKWARD,
    "softmax": SOFTMAX,
    "sgd_momentum": SGD_MOMENTUM,
    "precision": PRECISION,
    "ece": ECE,
}
