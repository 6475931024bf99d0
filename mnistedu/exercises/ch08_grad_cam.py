"""Exercises on Grad-CAM: where in the image the answer comes from."""

from collections.abc import Callable

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.varied import varied


def _heatmaps(maps: Tensor, gradients: Tensor) -> Tensor:
    return (_mean_over_places(gradients) * maps).sum(1).relu()


def _mean_over_places(values: Tensor) -> Tensor:
    return values.mean((2, 3), keepdim=True)


def _erase(images: Tensor, heatmaps: Tensor, k: int, paper: float) -> Tensor:
    hottest = heatmaps.flatten(1).topk(k).indices
    return images.flatten(1).scatter(1, hottest, paper).view_as(images)


def _scaled_by(limits: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Function:
    """Heatmaps moved and stretched, so that the limits become 0 and 1."""

    def scale(maps: Tensor, gradients: Tensor) -> Tensor:
        heat = _heatmaps(maps, gradients)
        low, high = limits(heat)
        return (heat - low) / (high - low)

    return scale


def _extreme(heat: Tensor, reduce: Callable[..., Tensor]) -> Tensor:
    return reduce(heat, (1, 2), keepdim=True)


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
        {"maps": varied(2, 3, 3, 4), "gradients": varied(2, 3, 3, 4, start=37)},
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
        "the weights lost their dimensions, and meet places instead of maps: use "
        "keepdim=True.": lambda maps, gradients: (
            (gradients.mean((2, 3)) * maps).sum(1).relu()
        ),
        "the weights come from the gradients, not from the maps.": (
            lambda maps, gradients: (_mean_over_places(maps) * gradients).sum(1).relu()
        ),
        "you take the mean over the images as well: each has its own weights.": (
            lambda maps, gradients: (
                (gradients.mean((0, 2, 3), keepdim=True) * maps).sum(1).relu()
            )
        ),
        "these are divided by the largest of each map: the numbers are asked for as "
        "they are, and scaling belongs to the picture.": _scaled_by(
            lambda heat: (torch.zeros(1), _extreme(heat, torch.amax))
        ),
        "these are divided by the largest of the whole batch: the numbers are asked "
        "for as they are.": _scaled_by(lambda heat: (torch.zeros(1), heat.max())),
        "these are stretched from 0 to 1 in each map: the numbers are asked for as "
        "they are, and scaling belongs to the picture.": _scaled_by(
            lambda heat: (_extreme(heat, torch.amin), _extreme(heat, torch.amax))
        ),
        "you rectify the weights, so that no map can speak against the class: rectify "
        "the sum alone.": (
            lambda maps, gradients: (
                (_mean_over_places(gradients).relu() * maps).sum(1).relu()
            ),
            lambda maps, gradients: (_mean_over_places(gradients).relu() * maps).sum(1),
        ),
        "absolute values show what speaks against the class too: rectify the sum.": (
            lambda maps, gradients: (_mean_over_places(gradients) * maps).sum(1).abs()
        ),
        "the gradients are left out: they give each map its weight.": (
            lambda maps, gradients: maps.sum(1).relu(),
            lambda maps, gradients: maps.mean(1).relu(),
        ),
        "your weights are means over the maps, one for each place: take the mean over "
        "the places, one for each map.": lambda maps, gradients: (
            (gradients.mean(1, keepdim=True) * maps).sum(1).relu()
        ),
        "the weight is the mean of the gradients, not the largest.": (
            lambda maps, gradients: (
                (gradients.amax((2, 3), keepdim=True) * maps).sum(1).relu()
            )
        ),
        "these are the weighted maps: add them up, over dimension 1.": (
            lambda maps, gradients: _mean_over_places(gradients) * maps,
            lambda maps, gradients: (_mean_over_places(gradients) * maps).relu(),
        ),
        "you add up over the images: add the maps of each up, over dimension 1.": (
            lambda maps, gradients: (_mean_over_places(gradients) * maps).sum(0).relu()
        ),
        "you keep what speaks against the class: cut off what is negative.": (
            lambda maps, gradients: (
                (_mean_over_places(gradients) * maps).sum(1).clamp(max=0)
            ),
            lambda maps, gradients: (
                -(_mean_over_places(gradients) * maps).sum(1)
            ).relu(),
        ),
        "you take the largest of the weighted maps at each place: add them up.": (
            lambda maps, gradients: (_mean_over_places(gradients) * maps).amax(1).relu()
        ),
        "you rectify the gradients before their mean: the sum alone is rectified.": (
            lambda maps, gradients: (
                (_mean_over_places(gradients.relu()) * maps).sum(1).relu()
            )
        ),
        "the mean runs over the rows or the columns only: take it over all places, "
        "dimensions 2 and 3.": (
            lambda maps, gradients: (
                (gradients.mean(2, keepdim=True) * maps).sum(1).relu()
            ),
            lambda maps, gradients: (
                (gradients.mean(3, keepdim=True) * maps).sum(1).relu()
            ),
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
        {"maps": varied(2, 3, 2, 4), "weights": varied(24, start=55)},
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
        "the absolute weights hide what speaks against the class: take them as they "
        "are.": lambda maps, weights: (maps * weights.view(maps.shape[1:]).abs()).sum(
            1
        ),
        "height and width are exchanged in the weights: view them as (C, h, w).": (
            lambda maps, weights: (
                maps
                * weights.view(maps.shape[1], maps.shape[3], maps.shape[2]).transpose(
                    1, 2
                )
            ).sum(1)
        ),
        "you average the weights over every C-th number: here each place keeps its own "
        "weight, view them as (C, h, w).": lambda maps, weights: (
            maps * weights.view(-1, maps.shape[1]).mean(0)[:, None, None]
        ).sum(1),
        "these are the products: add them up over the maps, dimension 1.": (
            lambda maps, weights: maps * weights.view(maps.shape[1:])
        ),
        "you add up over the images: add up the maps of each image, dimension 1.": (
            lambda maps, weights: (maps * weights.view(maps.shape[1:])).sum(0)
        ),
        "negative weights, or maps, are cut off or lose their sign: take them as they "
        "are.": (
            lambda maps, weights: (maps * weights.view(maps.shape[1:]).relu()).sum(1),
            lambda maps, weights: (maps.abs() * weights.view(maps.shape[1:])).sum(1),
            lambda maps, weights: (maps.relu() * weights.view(maps.shape[1:])).sum(1),
        ),
        "you add up the weights by themselves: each place of each map has its own.": (
            lambda maps, weights: maps.sum(1) * weights.sum()
        ),
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
            "heatmaps": torch.tensor([[[0.7, 0.8, 0.9]], [[0.1, 0.3, -0.2]]]),
            "k": 2,
            "paper": -0.5,
        },
        {
            "images": varied(2, 1, 3, 4),
            "heatmaps": varied(2, 3, 4, start=50),
            "k": 3,
            "paper": -0.4,
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
        "you take the largest absolute values: what is far below 0 is cold, not hot.": (
            lambda images, heatmaps, k, paper: _erase(images, heatmaps.abs(), k, paper)
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
        "you erase k pixels in each row: topk looks along the last dimension, so "
        "flatten(1) the heatmaps first.": lambda images, heatmaps, k, paper: (
            images.scatter(3, heatmaps[:, None].topk(k).indices, paper)
        ),
        "you erase the brightest pixels of the images: the heatmaps decide.": (
            lambda images, heatmaps, k, paper: _erase(images, images[:, 0], k, paper)
        ),
        "you erase where the first image is hottest, in all images: each has its own "
        "heatmap.": lambda images, heatmaps, k, paper: _erase(
            images, heatmaps[:1].expand_as(heatmaps), k, paper
        ),
        "one pixel too few is erased.": lambda images, heatmaps, k, paper: _erase(
            images, heatmaps, k - 1, paper
        ),
        "one pixel too many is erased.": lambda images, heatmaps, k, paper: _erase(
            images, heatmaps, min(k + 1, heatmaps[0].numel()), paper
        ),
        "only the hottest pixel is erased: erase k.": (
            lambda images, heatmaps, k, paper: _erase(images, heatmaps, 1, paper)
        ),
    },
)

EXERCISES = {
    "heatmaps": HEATMAPS,
    "contributions": CONTRIBUTIONS,
    "erase": ERASE,
}
