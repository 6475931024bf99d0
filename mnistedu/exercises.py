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

# 7: Grad-CAM


def _heatmaps(maps: Tensor, gradients: Tensor) -> Tensor:
    return (_mean_over_places(gradients) * maps).sum(1).relu()


def _mean_over_places(values: Tensor) -> Tensor:
    return values.mean((2, 3), keepdim=True)


def _erase(images: Tensor, heatmaps: Tensor, k: int, paper: float) -> Tensor:
    hottest = heatmaps.flatten(1).topk(k).indices
    return images.flatten(1).scatter(1, hottest, paper).view_as(images)


HEATMAPS = Exercise(
    solution=_heatmaps,
    cases=[
        {
            "maps": torch.tensor([[[[1.0, 2], [3, 4]], [[2, 0], [1, 5]]]]),
            "gradients": torch.tensor([[[[1.0, 1], [3, -1]], [[-2, -2], [0, 0]]]]),
        },
        {
            "maps": torch.tensor([[[[1.0, 2]], [[3, 1]]], [[[2, 2]], [[1, 4]]]]),
            "gradients": torch.tensor([[[[1.0, 3]], [[-1, 0]]], [[[-2, 0]], [[1, 2]]]]),
        },
    ],
    mistakes={
        "some of these are negative: rectify the sum, only what speaks for the class "
        "is shown.": lambda maps, gradients: (_mean_over_places(gradients) * maps).sum(
            1
        ),
        "you rectify each map by itself: add the maps up first, since some speak "
        "against what others speak for.": lambda maps, gradients: (
            (_mean_over_places(gradients) * maps).relu().sum(1)
        ),
        "you multiply place by place: a map has one weight, the mean of its "
        "gradients.": lambda maps, gradients: (gradients * maps).sum(1).relu(),
        "you add the gradients up: the weight is their mean over the places.": (
            lambda maps, gradients: (
                (gradients.sum((2, 3), keepdim=True) * maps).sum(1).relu()
            )
        ),
        "you take the mean over the maps: add them up.": lambda maps, gradients: (
            (_mean_over_places(gradients) * maps).mean(1).relu()
        ),
        "the weights come from the gradients, not from the maps.": (
            lambda maps, gradients: (_mean_over_places(maps) * gradients).sum(1).relu()
        ),
        "you take the mean over the images as well: each has its own weights.": (
            lambda maps, gradients: (
                (gradients.mean((0, 2, 3), keepdim=True) * maps).sum(1).relu()
            )
        ),
    },
)

CONTRIBUTIONS = Exercise(
    solution=lambda maps, weights: (maps * weights.view(maps.shape[1:])).sum(1),
    cases=[
        {
            "maps": torch.tensor([[[[1.0, 2]], [[3, 4]]]]),
            "weights": torch.tensor([1.0, -1, 2, 0.5]),
        },
        {
            "maps": torch.arange(24.0).view(2, 3, 2, 2),
            "weights": torch.arange(12.0) - 7,
        },
    ],
    mistakes={
        "you average the weights of each map, as Grad-CAM does: here each place keeps "
        "its own.": lambda maps, weights: (
            maps * weights.view(maps.shape[1:]).mean((1, 2), keepdim=True)
        ).sum(1),
        "the places are in the wrong order: flatten() runs through the first map, then "
        "the second, so view the weights as (C, h, w).": lambda maps, weights: (
            maps.permute(0, 2, 3, 1) * weights.view(*maps.shape[2:], -1)
        ).sum(3),
        "nothing is rectified here: what speaks against the class counts too, or the "
        "sum would not be the logit.": lambda maps, weights: (
            (maps * weights.view(maps.shape[1:])).sum(1).relu()
        ),
        "you added up the places: add up the maps, dimension 1.": (
            lambda maps, weights: (maps * weights.view(maps.shape[1:])).sum((2, 3))
        ),
        "that is the logit, without its bias: keep the places apart and add up only "
        "the maps.": lambda maps, weights: maps.flatten(1) @ weights,
        "you take the mean over the maps: add them up.": lambda maps, weights: (
            maps * weights.view(maps.shape[1:])
        ).mean(1),
    },
)

ERASE = Exercise(
    solution=_erase,
    cases=[
        {
            "images": torch.tensor([[[[5.0, 6], [7, 8]]]]),
            "heatmaps": torch.tensor([[[0.1, 0.9], [0.3, 0.2]]]),
            "k": 1,
            "paper": -0.5,
        },
        {
            "images": torch.tensor([[[[5.0, 6, 7]]], [[[8, 9, 4]]]]),
            "heatmaps": torch.tensor([[[0.7, 0.8, 0.9]], [[0.1, 0.3, 0.2]]]),
            "k": 2,
            "paper": -0.5,
        },
    ],
    mistakes={
        "0 is no paper once the images are normalised, but a shade of grey: write the "
        "value paper.": lambda images, heatmaps, k, paper: _erase(
            images, heatmaps, k, 0.0
        ),
        "you erase the coldest pixels: take the largest k.": (
            lambda images, heatmaps, k, paper: _erase(images, -heatmaps, k, paper)
        ),
        "the other way round: erase the k hottest pixels and keep the rest.": (
            lambda images, heatmaps, k, paper: _erase(
                images, -heatmaps, heatmaps[0].numel() - k, paper
            )
        ),
        "you take the k hottest pixels of the whole batch: each image has its own.": (
            lambda images, heatmaps, k, paper: _erase(
                images[None], heatmaps[None], k, paper
            )[0]
        ),
        "the heatmaps themselves are not asked for: write paper into a copy of the "
        "images.": lambda images, heatmaps, k, paper: _erase(
            heatmaps[:, None], heatmaps, k, paper
        ),
    },
)

# 8: feature maps


def _respond(maps: Tensor, weights: Tensor, i: int, j: int) -> Tensor:
    return (_window(maps, weights, i, j) * weights).sum()


def _window(maps: Tensor, weights: Tensor, i: int, j: int) -> Tensor:
    height, width = weights.shape[1:]
    return maps[:, i : i + height, j : j + width]


def _most_excited(maps: Tensor, channel: int, k: int) -> Tensor:
    return maps[:, channel].amax((1, 2)).topk(k).indices


def _nearest(features: Tensor) -> Tensor:
    return _distances(features).fill_diagonal_(torch.inf).argmin(1)


def _distances(features: Tensor) -> Tensor:
    return torch.cdist(features, features)


RESPOND = Exercise(
    solution=_respond,
    cases=[
        {
            "maps": torch.tensor([[[1.0, 2, 3], [4, 5, 6], [7, 8, 0]]]),
            "weights": torch.tensor([[[1.0, 2], [-1, 3]]]),
            "i": 1,
            "j": 0,
        },
        {
            "maps": torch.tensor([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]),
            "weights": torch.tensor([[[1.0, 2], [-1, 3]], [[2, 0], [1, -2]]]),
            "i": 0,
            "j": 0,
        },
    ],
    mistakes={
        "i counts the rows and j the columns: you have them the other way round.": (
            lambda maps, weights, i, j: _respond(maps, weights, j, i)
        ),
        "you turn the filter upside down, as mathematicians do in a convolution: in "
        "deep learning the weights lie on the window as they are.": (
            lambda maps, weights, i, j: _respond(
                maps.flip(1, 2),
                weights,
                maps.shape[1] - weights.shape[1] - i,
                maps.shape[2] - weights.shape[2] - j,
            )
        ),
        "you take the mean of the products: add them up.": (
            lambda maps, weights, i, j: (_window(maps, weights, i, j) * weights).mean()
        ),
        "these are the products: add them up.": (
            lambda maps, weights, i, j: _window(maps, weights, i, j) * weights
        ),
        "one number for each channel: add these up as well.": (
            lambda maps, weights, i, j: (_window(maps, weights, i, j) * weights).sum(
                (1, 2)
            )
        ),
        "you add up the window: multiply it by the weights first.": (
            lambda maps, weights, i, j: _window(maps, weights, i, j).sum()
        ),
        "you use the first channel only: the filter has weights for each of them.": (
            lambda maps, weights, i, j: _respond(maps[:1], weights[:1], i, j)
        ),
    },
)

MOST_EXCITED = Exercise(
    solution=_most_excited,
    cases=[
        {
            "maps": torch.tensor(
                [[[[0.0, 1]], [[5, 0]]], [[[8, 0]], [[3, 3]]], [[[9, 1]], [[4, 0]]]]
            ),
            "channel": 1,
            "k": 2,
        },
        {
            "maps": (torch.arange(40.0) * 17 % 41).view(5, 2, 2, 2),
            "channel": 1,
            "k": 3,
        },
    ],
    mistakes={
        "you add the places up, or take their mean: what counts is the largest number "
        "in the map, at whatever place.": lambda maps, channel, k: (
            maps[:, channel].sum((1, 2)).topk(k).indices
        ),
        "these images excite it least: take the largest.": lambda maps, channel, k: (
            _most_excited(-maps.amax((2, 3), keepdim=True), channel, k)
        ),
        "the right images in the wrong order: the strongest comes first.": (
            lambda maps, channel, k: _most_excited(maps, channel, k).flip(0)
        ),
        "these are the largest numbers themselves: return the indices of their "
        "images.": lambda maps, channel, k: (
            maps[:, channel].amax((1, 2)).topk(k).values
        ),
        "you look at all channels together: only one is asked for.": (
            lambda maps, channel, k: maps.amax((1, 2, 3)).topk(k).indices
        ),
        "maps[channel] is an image with all its maps: the channels are dimension 1, "
        "maps[:, channel].": lambda maps, channel, k: (
            maps[channel].amax((1, 2)).topk(min(k, maps.shape[1])).indices
        ),
    },
)

NEAREST = Exercise(
    solution=_nearest,
    cases=[
        {"features": torch.tensor([[0.0, 1], [1, 1], [4, 0], [9, 3]])},
        {"features": (torch.arange(24.0) * 7 % 29).view(8, 3)},
    ],
    mistakes={
        "every image is nearest to itself, at distance 0: put infinity on the "
        "diagonal, for example with fill_diagonal_.": lambda features: _distances(
            features
        ).argmin(1),
        "these are the farthest: take the smallest distance.": lambda features: (
            _distances(features).argmax(1)
        ),
        "these are the distances: return the index of the nearest, with argmin.": (
            lambda features: _distances(features).fill_diagonal_(torch.inf).amin(1)
        ),
        "you take the largest product, and long vectors have large products with all "
        "others: compare distances.": lambda features: (
            (features @ features.T).fill_diagonal_(-torch.inf).argmax(1)
        ),
        "that is the index of one pair: find the nearest in each row, along dimension "
        "1.": lambda features: _distances(features).fill_diagonal_(torch.inf).argmin(),
    },
)

EXERCISES = {
    "relu_backward": RELU_BACKWARD,
    "softmax": SOFTMAX,
    "sgd_momentum": SGD_MOMENTUM,
    "precision": PRECISION,
    "ece": ECE,
    "heatmaps": HEATMAPS,
    "contributions": CONTRIBUTIONS,
    "erase": ERASE,
    "respond": RESPOND,
    "most_excited": MOST_EXCITED,
    "nearest": NEAREST,
}
