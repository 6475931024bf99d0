"""Exercises on feature maps: what the channels respond to."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise


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
        "you turn the kernel upside down, as mathematicians do in a convolution: in "
        "deep learning the weights lie on the window as they are.": (
            lambda maps, weights, i, j: _respond(
                maps.flip(1, 2),
                weights,
                maps.shape[1] - weights.shape[1] - i,
                maps.shape[2] - weights.shape[2] - j,
            )
        ),
        "the window is not as high as the kernel: weights has the shape (C, h, w), so "
        "its height is weights.shape[1] and its width weights.shape[2].": (
            lambda maps, weights, i, j: (
                maps[:, i : i + len(weights), j : j + weights.shape[1]] * weights
            ).sum()
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
        "you use the first channel only: the kernel has weights for each of them.": (
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
        {"features": (torch.arange(24.0) * 13 % 47).view(8, 3)},  # no ties
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
    "respond": RESPOND,
    "most_excited": MOST_EXCITED,
    "nearest": NEAREST,
}
