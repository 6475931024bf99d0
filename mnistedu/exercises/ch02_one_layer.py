"""Exercises on one layer: probabilities, the slope of the loss, and a step."""

import torch
from torch import Tensor

from mnistedu import layers
from mnistedu.exercises.answer import Exercise
from mnistedu.exercises.varied import varied


def _shifted(logits: Tensor) -> Tensor:
    return logits - logits.amax(1, keepdim=True)


def _over_sum(powers: Tensor) -> Tensor:
    return powers / powers.sum(1, keepdim=True)


SOFTMAX = Exercise(
    solution=lambda logits: layers.Softmax().forward(logits),
    cases=[
        {"logits": torch.tensor([[1.0, 2]])},
        {"logits": torch.tensor([[1.0, 2], [3, 5]])},
        {"logits": torch.tensor([[1000.0, 1001]])},
        {"logits": torch.tensor([[1000.0, 1001], [-1000, -1001]])},
        {"logits": torch.tensor([[0.0, 200, 0]])},
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
        "row: use keepdim=True.": lambda logits: _over_sum(
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
            lambda logits: _over_sum((-_shifted(logits)).exp()),
        ),
        "exp(-2001) rounds to 0, and 0 / 0 is nan: subtract the largest logit of each "
        "row, not that of the whole batch.": lambda logits: (
            (logits - logits.max()).exp()
            / (logits - logits.max()).exp().sum(1, keepdim=True)
        ),
        "exp(200) is too large for a float too: subtract the largest logit of the row, "
        "not the first, the last or their mean: no exponent may lie above 0.": (
            lambda logits: _over_sum((logits - logits[:, :1]).exp()),
            lambda logits: _over_sum((logits - logits[:, -1:]).exp()),
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
        "these are powers of 2 or 10: take those of e, with exp().": (
            lambda logits: _over_sum(2 ** _shifted(logits)),
            lambda logits: _over_sum(10 ** _shifted(logits)),
        ),
    },
)


def _onehot(logits: Tensor, targets: Tensor) -> Tensor:
    return torch.eye(logits.shape[1])[targets]


def _score_gradient(logits: Tensor, targets: Tensor) -> Tensor:
    return (logits.softmax(1) - _onehot(logits, targets)) / len(logits)


SCORE_GRADIENT = Exercise(
    solution=_score_gradient,
    cases=[
        {"logits": torch.tensor([[0.0, 0]]), "targets": torch.tensor([1])},
        {
            "logits": torch.tensor([[1.0, 2, 0], [0, 0, 3]]),
            "targets": torch.tensor([2, 0]),
        },
        {"logits": varied(4, 5) / 2, "targets": torch.tensor([3, 1, 3, 3])},
        {
            "logits": torch.tensor([[100.0, 300, 100], [1, 1, 1]]),
            "targets": torch.tensor([0, 1]),
        },
    ],
    mistakes={
        "exp(300) is too large for a float32, and inf / inf is nan: use softmax(1), or "
        "subtract the largest logit of each row first.": lambda logits, targets: (
            (_over_sum(logits.exp()) - _onehot(logits, targets)) / len(logits)
        ),
        "exp(-299) rounds to 0, and 0 / 0 is nan: use softmax(1), or subtract the "
        "largest logit of each row, not that of the whole batch.": (
            lambda logits, targets: (
                (_over_sum((logits - logits.max()).exp()) - _onehot(logits, targets))
                / len(logits)
            )
        ),
        "these are the gradients of each image's own loss: the loss is their mean, so "
        "divide by the number of images.": lambda logits, targets: (
            logits.softmax(1) - _onehot(logits, targets)
        ),
        "you divide by the number of all scores: the loss is a mean over the images, "
        "so divide by their number.": lambda logits, targets: (
            (logits.softmax(1) - _onehot(logits, targets)) / logits.numel()
        ),
        "the sign is the wrong way round: it is what the layer said minus what it "
        "should have said.": lambda logits, targets: -_score_gradient(logits, targets),
        "you subtract from the scores: take the probabilities, softmax of them.": (
            lambda logits, targets: (logits - _onehot(logits, targets)) / len(logits)
        ),
        "your probabilities add up to 1 over the images: softmax goes over the classes "
        "of each image, dimension 1.": lambda logits, targets: (
            (logits.softmax(0) - _onehot(logits, targets)) / len(logits)
        ),
        "these are the logarithms of the probabilities, less 1 at the targets: take "
        "the probabilities.": lambda logits, targets: (
            (logits.log_softmax(1) - _onehot(logits, targets)) / len(logits)
        ),
        "what it should have said is missing: subtract 1 at the target of each "
        "image.": (
            lambda logits, targets: logits.softmax(1) / len(logits),
            lambda logits, targets: logits.softmax(1),
        ),
        "you subtract 1 from every probability: only the target's should have been 1, "
        "the others 0.": lambda logits, targets: (logits.softmax(1) - 1) / len(logits),
        "you subtract 1 from all rows at the targets of all images: give the rows as "
        "well, p[range(len(targets)), targets].": lambda logits, targets: (
            (logits.softmax(1) - _onehot(logits, targets).amax(0)) / len(logits)
        ),
        "you subtract the number of the target: subtract 1 in its place, and 0 "
        "elsewhere.": (
            lambda logits, targets: (logits.softmax(1) - targets[:, None]) / len(logits)
        ),
        "the scores of the wrong digits have a gradient too: their probabilities "
        "should have been 0.": lambda logits, targets: (
            _score_gradient(logits, targets) * _onehot(logits, targets)
        ),
        "you have kept the target's entry of each row: every score has a gradient, so "
        "the result has the shape of the logits.": (
            lambda logits, targets: _score_gradient(logits, targets)[
                range(len(targets)), targets
            ],
            lambda logits, targets: logits.softmax(1)[range(len(targets)), targets] - 1,
        ),
        "you have added up the images: each has scores of its own.": (
            lambda logits, targets: _score_gradient(logits, targets).sum(0)
        ),
        "that is the gradient at the probabilities: here it is asked for at the "
        "scores, before softmax.": lambda logits, targets: (
            -_onehot(logits, targets) / logits.softmax(1) / len(logits)
        ),
        "that is the loss itself: asked for is its gradient, a number for each "
        "score.": lambda logits, targets: (
            -logits.log_softmax(1)[range(len(targets)), targets].mean()
        ),
    },
)


def _sgd_step(
    weight: Tensor, bias: Tensor, x: Tensor, grad: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    return weight - lr * grad.T @ x, bias - lr * grad.sum(0)


SGD_STEP = Exercise(
    solution=_sgd_step,
    cases=[
        {
            "weight": torch.tensor([[1.0, 0, -1], [0, 2, 1]]),
            "bias": torch.tensor([0.5, -0.5]),
            "x": torch.tensor([[1.0, 2, 3]]),
            "grad": torch.tensor([[1.0, -1]]),
            "lr": 0.1,
        },
        {
            "weight": varied(3, 3),
            "bias": varied(3, start=9),
            "x": varied(3, 3, start=20),
            "grad": varied(3, 3, start=40),
            "lr": 0.5,
        },
        {
            "weight": varied(2, 4, start=60),
            "bias": varied(2, start=12),
            "x": torch.cat([varied(4, 4, start=70), torch.zeros(1, 4)]),
            "grad": varied(5, 2, start=15),
            "lr": 0.2,
        },
    ],
    mistakes={
        "you walk uphill: subtract the step.": (
            lambda weight, bias, x, grad, lr: (
                weight + lr * grad.T @ x,
                bias + lr * grad.sum(0),
            )
        ),
        "you forgot the learning rate: the step is lr times the gradient.": (
            lambda weight, bias, x, grad, lr: (weight - grad.T @ x, bias - grad.sum(0))
        ),
        "you divide by the number of images: the loss was averaged already, and grad "
        "has that in it.": (
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad.T @ x / len(x),
                bias - lr * grad.mean(0),
            ),
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad.T @ x,
                bias - lr * grad.mean(0),
            ),
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad.T @ x / len(x),
                bias - lr * grad.sum(0),
            ),
        ),
        "the bias has one gradient for each neuron: add up those of the images.": (
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad.T @ x,
                bias - lr * grad,
            )
        ),
        "you add the bias's gradient up over the neurons: add it up over the images, "
        "dimension 0.": lambda weight, bias, x, grad, lr: (
            weight - lr * grad.T @ x,
            bias - lr * grad.sum(1),
        ),
        "each neuron's bias has a gradient of its own: sum over the images only.": (
            lambda weight, bias, x, grad, lr: (
                weight - lr * grad.T @ x,
                bias - lr * grad.sum(),
            )
        ),
        "the bias learns too: subtract lr times the sum of grad over the images.": (
            lambda weight, bias, x, grad, lr: (weight - lr * grad.T @ x, bias)
        ),
        "the weight's gradient is transposed: row k belongs to neuron k, grad.T @ x.": (
            lambda weight, bias, x, grad, lr: (
                weight - lr * x.T @ grad,
                bias - lr * grad.sum(0),
            )
        ),
        "you add up the images before you multiply: each image's gradient goes with "
        "its own pixels.": lambda weight, bias, x, grad, lr: (
            weight - lr * torch.outer(grad.sum(0), x.sum(0)),
            bias - lr * grad.sum(0),
        ),
        "these are the gradients: asked for are the weights and biases after the "
        "step.": lambda weight, bias, x, grad, lr: (grad.T @ x, grad.sum(0)),
        "these are the steps alone: the weights and biases after them are asked for.": (
            lambda weight, bias, x, grad, lr: (-lr * grad.T @ x, -lr * grad.sum(0)),
            lambda weight, bias, x, grad, lr: (lr * grad.T @ x, lr * grad.sum(0)),
        ),
        "the learning rate multiplies the step alone, and not what you subtract it "
        "from.": lambda weight, bias, x, grad, lr: (
            lr * (weight - grad.T @ x),
            lr * (bias - grad.sum(0)),
        ),
        "the order is the weight, then the bias.": (
            lambda *arguments: _sgd_step(*arguments)[::-1]
        ),
        "return the new bias as well.": lambda *arguments: _sgd_step(*arguments)[0],
    },
)

EXERCISES = {
    "softmax": SOFTMAX,
    "score_gradient": SCORE_GRADIENT,
    "sgd_step": SGD_STEP,
}
