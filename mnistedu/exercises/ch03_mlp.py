"""Exercises on the multilayer perceptron: its size, its score, its blindness."""

from itertools import pairwise

import torch
from torch import Tensor

from mnistedu import evaluation
from mnistedu.exercises.answer import Exercise


def _count_weights(sizes: list[int]) -> int:
    return sum(inputs * outputs for inputs, outputs in pairwise(sizes))


COUNT_PARAMETERS = Exercise(
    solution=lambda sizes: _count_weights(sizes) + sum(sizes[1:]),
    cases=[
        {"sizes": [2, 3]},
        {"sizes": [4, 3, 2]},
        {"sizes": [784, 256, 128, 10]},
    ],
    mistakes={
        "you forgot the biases: each neuron has one besides its weights.": (
            _count_weights
        ),
        "a bias for each input? Each of the layer's neurons has one: as many as its "
        "outputs.": lambda sizes: _count_weights(sizes) + sum(sizes[:-1]),
        "pixels have no bias: only neurons do, and the first number counts pixels.": (
            lambda sizes: _count_weights(sizes) + sum(sizes)
        ),
        "one bias for each layer? Each of its neurons has one.": (
            lambda sizes: _count_weights(sizes) + len(sizes) - 1
        ),
        "you count the neurons: a layer has a weight for each pair of an input and a "
        "neuron.": sum,
        "you count the first layer only: go on through all neighbours in the list.": (
            lambda sizes: _count_weights(sizes[:2]) + sizes[1]
        ),
        "you count the last layer only: add them up, starting from 0.": (
            lambda sizes: _count_weights(sizes[-2:]) + sizes[-1]
        ),
    },
)


def _right(logits: Tensor, targets: Tensor) -> Tensor:
    return logits.gather(1, targets[:, None])[:, 0]


ACCURACY = Exercise(
    solution=evaluation.accuracy,
    cases=[
        {
            "logits": torch.tensor([[3.0, 2.5, 2.9], [5, 2, 1], [0.1, 0.2, 2.5]]),
            "targets": torch.tensor([0, 1, 2]),
        },
        {
            "logits": torch.tensor([[3.0, 2], [-2, 1], [0, -1], [0.2, 0.5], [1, 0]]),
            "targets": torch.tensor([0, 1, 0, 1, 1]),
        },
    ],
    mistakes={
        "you count the right answers: divide by the number of images.": (
            lambda logits, targets: (logits.argmax(1) == targets).sum().item()
        ),
        "that is the fraction of wrong answers.": (
            lambda logits, targets: 1 - evaluation.accuracy(logits, targets)
        ),
        "you look for the largest logit over the images: each row is one image, so "
        "take the argmax over dimension 1.": lambda logits, targets: (
            (logits.argmax(0) == targets).float().mean().item()
        ),
        "a positive logit is no answer yet: it must be the largest in its row.": (
            lambda logits, targets: (_right(logits, targets) > 0).float().mean().item()
        ),
        "that is the mean probability of the right digit: here an answer is either "
        "right or wrong.": lambda logits, targets: (
            _right(logits.softmax(1), targets).mean().item()
        ),
        "a fraction is asked for, from 0 to 1, not per cent.": (
            lambda logits, targets: 100 * evaluation.accuracy(logits, targets)
        ),
    },
)


PERMUTE_WEIGHTS = Exercise(
    solution=lambda weight, order: weight[:, order],
    cases=[
        {
            "weight": torch.tensor([[1.0, 3, 2], [4, 5, 6]]),
            "order": torch.tensor([1, 2, 0]),
        },
        {
            "weight": torch.arange(12.0).view(3, 4) - 5,
            "order": torch.tensor([3, 0, 2, 1]),
        },
    ],
    mistakes={
        "that takes the order back, since it undoes the scrambling of weights that "
        "were never scrambled: column j must be the weights of pixel order[j].": (
            lambda weight, order: weight[:, order.argsort()]
        ),
        "these are the old weights: they meet the wrong pixels now.": (
            lambda weight, order: weight.clone()
        ),
        "the shape is transposed: W has a row for each neuron, and the rows stay.": (
            lambda weight, order: weight[:, order].T
        ),
        "you only reverse the columns: put them in the given order.": (
            lambda weight, order: weight.flip(1)
        ),
        "you put the numbers of each row in order of size: the columns move as a "
        "whole.": lambda weight, order: weight.sort(1).values.flip(1),
    },
)

EXERCISES = {
    "count_parameters": COUNT_PARAMETERS,
    "accuracy": ACCURACY,
    "permute_weights": PERMUTE_WEIGHTS,
}
