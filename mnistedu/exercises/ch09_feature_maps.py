"""Exercises on feature maps: what the channels respond to."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise
from mnistedu.exercises.varied import varied


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


def _cosines(features: Tensor) -> Tensor:
    directions = torch.nn.functional.normalize(features)
    return directions @ directions.T


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
        {
            "maps": varied(3, 6, 8),
            "weights": varied(3, 2, 5, start=29),
            "i": 2,
            "j": 2,
        },
        {
            "maps": varied(2, 5, 5, start=9),
            "weights": varied(2, 3, 3, start=61),
            "i": 1,
            "j": 2,
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
        "a negative response is cut off at 0: no ReLU is asked for.": (
            lambda maps, weights, i, j: _respond(maps, weights, i, j).relu()
        ),
        "it works for square kernels only: a kernel may be wider than tall.": (
            lambda maps, weights, i, j: (
                maps[:, i : i + weights.shape[1], j : j + weights.shape[1]] * weights
            ).sum()
        ),
        "row i and column j are the upper left corner of the window, not its middle.": (
            lambda maps, weights, i, j: _respond(
                maps, weights, i - weights.shape[1] // 2, j - weights.shape[2] // 2
            )
        ),
        "your window begins one row and one column too late: i and j are counted from "
        "0.": lambda maps, weights, i, j: _respond(maps, weights, i + 1, j + 1),
        "your window begins one row and one column too early: i and j are counted from "
        "0.": lambda maps, weights, i, j: _respond(maps, weights, i - 1, j - 1),
        "each map has weights of its own: you use those of the first for all.": (
            lambda maps, weights, i, j: (
                _window(maps, weights, i, j) * weights[0]
            ).sum()
        ),
        "you take the largest of the channels: add them up.": (
            lambda maps, weights, i, j: (
                (_window(maps, weights, i, j) * weights).sum((1, 2)).max()
            )
        ),
        "you take the mean over the channels: add them up.": (
            lambda maps, weights, i, j: (
                (_window(maps, weights, i, j) * weights).sum((1, 2)).mean()
            )
        ),
        "it works for kernels of 3 × 3 only: take the sizes from weights.shape.": (
            lambda maps, weights, i, j: (maps[:, i : i + 3, j : j + 3] * weights).sum()
        ),
        "you use the last channel only: the kernel has weights for each of them.": (
            lambda maps, weights, i, j: _respond(maps[-1:], weights[-1:], i, j)
        ),
        "you add window and weights: multiply them number by number.": (
            lambda maps, weights, i, j: (_window(maps, weights, i, j) + weights).sum()
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
        {"maps": varied(9, 4, 2, 3) - 3, "channel": 2, "k": 4},
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
        "maps[:, channel].": (
            lambda maps, channel, k: maps[channel].amax((1, 2)).topk(k).indices,
            lambda maps, channel, k: (
                maps[channel].amax((1, 2)).topk(min(k, maps.shape[1])).indices
            ),
        ),
        "you take the largest absolute value: far below 0 is no excitement.": (
            lambda maps, channel, k: _most_excited(maps.abs(), channel, k)
        ),
        "you look at the first channel, whatever channel is asked for.": (
            lambda maps, channel, k: _most_excited(maps, 0, k)
        ),
        "these are places in one long row of all images: take the largest of each "
        "image first.": lambda maps, channel, k: (
            maps[:, channel].flatten().topk(k).indices
        ),
        "these are all images in order: return the first k.": (
            lambda maps, channel, k: (
                maps[:, channel].amax((1, 2)).argsort(descending=True)
            )
        ),
        "that is the most exciting image alone: return k.": (
            lambda maps, channel, k: maps[:, channel].amax((1, 2)).argmax()
        ),
        "the images are counted from 0, and you count from 1.": (
            lambda maps, channel, k: _most_excited(maps, channel, k) + 1
        ),
        "these are the places within the maps: rank the images, with topk over the "
        "largest of each.": lambda maps, channel, k: (
            maps[:, channel].flatten(1).argmax(1)[:k]
        ),
        "you look at the upper left place only: take the largest of all places.": (
            lambda maps, channel, k: maps[:, channel, 0, 0].topk(k).indices
        ),
        "you rank by how much the numbers spread: what counts is the largest.": (
            lambda maps, channel, k: maps[:, channel].std((1, 2)).topk(k).indices
        ),
    },
)

NEAREST = Exercise(
    solution=_nearest,
    cases=[
        {"features": torch.tensor([[0.0, 1], [1, 1], [4, 0], [9, 3]])},
        {"features": varied(8, 3, start=3)},
        {"features": varied(10, 4)},
        {"features": varied(9, 5, start=50)},
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
        "you add up how far the numbers are apart, another distance: cdist squares the "
        "differences unless you say p=1.": lambda features: (
            torch.cdist(features, features, p=1).fill_diagonal_(torch.inf).argmin(1)
        ),
        "you compare by the number that differs most: the distance adds up the squares "
        "of all differences.": lambda features: (
            torch.cdist(features, features, p=torch.inf)
            .fill_diagonal_(torch.inf)
            .argmin(1)
        ),
        "you compare directions, by the cosine: the distance is asked for.": (
            lambda features: _cosines(features).fill_diagonal_(-torch.inf).argmax(1)
        ),
        "these are the second nearest others: the nearest stands in second place of "
        "argsort, behind the vector itself.": (
            lambda features: _distances(features).argsort(1)[:, 2]
        ),
        "these are the second farthest: sort from the smallest distance.": (
            lambda features: _distances(features).argsort(1, descending=True)[:, 1]
        ),
        "1 on the diagonal is not far enough, since others may be farther than that: "
        "put infinity there.": lambda features: (
            _distances(features) + torch.eye(len(features))
        ).argmin(1),
        "these are the nearest two, the vector itself among them: keep the second.": (
            lambda features: _distances(features).topk(2, largest=False).indices
        ),
        "these are the nearest vectors: return their indices.": (
            lambda features: features[_nearest(features)]
        ),
        "differences of opposite sign cancel: square them before you add them up, as "
        "cdist does.": lambda features: (
            (features[:, None] - features)
            .sum(2)
            .abs()
            .fill_diagonal_(torch.inf)
            .argmin(1)
        ),
    },
)

EXERCISES = {
    "respond": RESPOND,
    "most_excited": MOST_EXCITED,
    "nearest": NEAREST,
}
