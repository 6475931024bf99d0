"""Exercises on feature maps: what the channels respond to, and are for."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise
from mnistedu.exercises.show import name_place
from mnistedu.exercises.varied import varied


def _respond(maps: Tensor, weights: Tensor, i: int, j: int) -> Tensor:
    return (_window(maps, weights, i, j) * weights).sum()


def _window(maps: Tensor, weights: Tensor, i: int, j: int) -> Tensor:
    height, width = weights.shape[1:]
    return maps[:, i : i + height, j : j + width]


def _most_excited(maps: Tensor, channel: int, k: int) -> Tensor:
    return maps[:, channel].amax((1, 2)).topk(k).indices


def _rank_images(result: Tensor, maps: Tensor, channel: int, k: int) -> str | None:
    """How exciting the first image is that stands in a wrong place."""
    order = maps[:, channel].amax((1, 2)).argsort(descending=True).tolist()
    for n, image in enumerate(result.tolist()):
        if image != order[n] and image in order:
            place = name_place(order.index(image))
            true = f"image {image:g} is the {place}strongest of {len(order)}"
            return f"[{n}] should be {order[n]}: {true}."
    return None


def _ablated(maps: Tensor, channel: int) -> Tensor:
    return _with(maps, channel, maps[:, channel].mean())


def _with(maps: Tensor, channel: int, value: Tensor | float) -> Tensor:
    maps = maps.clone()
    maps[:, channel] = value
    return maps


def _image_with(maps: Tensor, index: int, value: Tensor) -> Tensor:
    maps = maps.clone()
    maps[index] = value
    return maps


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
            "maps": varied(5, 5, 5, start=9),
            "weights": varied(5, 3, 3, start=61),
            "i": 2,
            "j": 1,
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
        "you add up each by itself: multiply window and weights number by number, and "
        "then add up.": lambda maps, weights, i, j: (
            _window(maps, weights, i, j).sum() * weights.sum()
        ),
        "you add up the channels before you multiply: each map has its own weights.": (
            lambda maps, weights, i, j: (
                _window(maps, weights, i, j).sum(0) * weights.sum(0)
            ).sum()
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
                [[[[0.0, 1]], [[0, 5]]], [[[8, 0]], [[3, 3]]], [[[9, 1]], [[4, 0]]]]
            ),
            "channel": 1,
            "k": 2,
        },
        {
            "maps": (torch.arange(40.0) * 17 % 41).view(5, 2, 2, 2),
            "channel": 1,
            "k": 3,
        },
        {"maps": varied(9, 4, 2, 3, start=2) - 3, "channel": 2, "k": 7},
        {  # all below 0
            "maps": (torch.arange(40.0) * 23 % 41).view(5, 2, 2, 2) - 50,
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
        "maps[:, channel].": (
            lambda maps, channel, k: maps[channel].amax((1, 2)).topk(k).indices,
            lambda maps, channel, k: (
                maps[channel].amax((1, 2)).topk(min(k, maps.shape[1])).indices
            ),
        ),
        "you pick among the columns, over all images: one number is wanted for each "
        "image, its largest.": lambda maps, channel, k: (
            maps[:, channel].amax((0, 1)).topk(k).indices
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
        "the most exciting image is missing: begin with it, at [0].": (
            lambda maps, channel, k: (
                maps[:, channel].amax((1, 2)).argsort(descending=True)[1 : k + 1]
            )
        ),
        "you look at the channel before: they are counted from 0.": (
            lambda maps, channel, k: _most_excited(maps, channel - 1, k)
        ),
        "the right images, in the order of their numbers: the strongest comes first.": (
            lambda maps, channel, k: _most_excited(maps, channel, k).sort().values
        ),
    },
    remark=_rank_images,
)

ABLATED = Exercise(
    solution=_ablated,
    cases=[
        {
            "maps": torch.tensor([[[[1.0, 2]], [[0, 4]]], [[[3, 5]], [[6, 6]]]]),
            "channel": 1,
        },
        {"maps": varied(4, 3, 2, 3), "channel": 2},
        {"maps": varied(3, 4, 3, 2, start=17), "channel": 0},
        {"maps": varied(5, 4, 2, 2, start=40), "channel": 3},
    ],
    mistakes={
        "you put 0 there, which is an ablation too: here the channel's mean is asked "
        "for.": lambda maps, channel: _with(maps, channel, 0),
        "each image gets a mean of its own, which still tells the images apart: take "
        "one mean, over all images and places.": lambda maps, channel: _with(
            maps, channel, maps[:, channel].mean((1, 2), keepdim=True)
        ),
        "each place gets a mean of its own, over the images: take one mean, over all "
        "images and places.": lambda maps, channel: _with(
            maps, channel, maps[:, channel].mean(0)
        ),
        "maps[channel] is an image with all its maps: the channels are dimension 1, "
        "maps[:, channel].": (
            lambda maps, channel: _image_with(maps, channel, maps[channel].mean()),
            lambda maps, channel: _image_with(maps, channel, maps[:, channel].mean()),
            lambda maps, channel: _with(maps, channel, maps[channel].mean()),
        ),
        "you put the mean into another channel, the one before or after: they are "
        "counted from 0.": (
            lambda maps, channel: _with(
                maps, (channel + 1) % maps.shape[1], maps[:, channel].mean()
            ),
            lambda maps, channel: _with(maps, channel - 1, maps[:, channel].mean()),
        ),
        "that is the mean over all channels: take the mean of this one.": (
            lambda maps, channel: _with(maps, channel, maps.mean())
        ),
        "every channel is replaced by its mean: leave the others as they are.": (
            lambda maps, channel: maps.mean((0, 2, 3), keepdim=True).expand_as(maps)
        ),
        "you replace the others and leave this one: do it the other way round.": (
            lambda maps, channel: _with(
                maps.mean((0, 2, 3), keepdim=True).expand_as(maps),
                channel,
                maps[:, channel],
            ),
            lambda maps, channel: _with(0 * maps, channel, maps[:, channel]),
        ),
        "the others are gone: only this channel is to change.": lambda maps, channel: (
            _with(0 * maps, channel, maps[:, channel].mean())
        ),
        "you subtract the mean from the channel: put the mean in its place.": (
            lambda maps, channel: _with(
                maps, channel, maps[:, channel] - maps[:, channel].mean()
            )
        ),
        "that is the mean alone: return all maps, with the mean in this channel.": (
            lambda maps, channel: maps[:, channel].mean()
        ),
        "you return this channel only: return all maps.": lambda maps, channel: (
            _ablated(maps, channel)[:, channel]
        ),
        "you take the channel out, and the next layer would miss it: put its mean at "
        "every place.": lambda maps, channel: maps[
            :, [k for k in range(maps.shape[1]) if k != channel]
        ],
        "you put the channel's sum there: its mean is asked for.": (
            lambda maps, channel: _with(maps, channel, maps[:, channel].sum())
        ),
        "you put the channel's largest number there: its mean is asked for.": (
            lambda maps, channel: _with(maps, channel, maps[:, channel].max())
        ),
        "you put the channel's median there: its mean is asked for.": (
            lambda maps, channel: _with(maps, channel, maps[:, channel].median())
        ),
        "only the first image is changed: change the channel in all of them.": (
            lambda maps, channel: torch.cat(
                [_with(maps[:1], channel, maps[:, channel].mean()), maps[1:]]
            )
        ),
        "the channels are counted from 0, and you count from 1.": (
            lambda maps, channel: _ablated(maps, channel - 1)
        ),
    },
)

EXERCISES = {
    "respond": RESPOND,
    "most_excited": MOST_EXCITED,
    "ablated": ABLATED,
}
