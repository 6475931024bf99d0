"""Exercises on Grad-CAM: where in the image the answer comes from."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load
from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.compare import same, to_numbers, unusual
from mnistedu.exercises.show import name_kind
from mnistedu.exercises.varied import varied
from mnistedu.preprocess import normalize


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
        "the weights lose their sign, so that no map can speak against the class: "
        "rectify the sum alone.": lambda maps, gradients: (
            (_mean_over_places(gradients).abs() * maps).sum(1).relu()
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
        "your mean runs over the maps and the rows: places are dimensions 2 and 3.": (
            lambda maps, gradients: (
                (gradients.mean((1, 2), keepdim=True) * maps).sum(1).relu()
            )
        ),
        "you take one mean over everything: each image and each map has a mean of its "
        "own, over dimensions 2 and 3.": lambda maps, gradients: (
            (gradients.mean() * maps).sum(1).relu()
        ),
        "you add up over the rows or the columns, and the places are to stay: the maps "
        "are dimension 1.": (
            lambda maps, gradients: (_mean_over_places(gradients) * maps).sum(2).relu(),
            lambda maps, gradients: (_mean_over_places(gradients) * maps).sum(3).relu(),
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

# The map is [3, 1, 2], its gradients are [-2, 4, 4].
_TRUE, _AVERAGED = [-6.0, 4.0, 8.0], [6.0, 2.0, 4.0]


def _compare_both(result: Any) -> tuple[bool, str]:
    """Which of the two is right; the numbers are the reader's to find."""
    numbers = to_numbers(result)
    if numbers is None or numbers.shape != (2, 3):
        return False, "return two lists of three numbers: the exact map, then Grad-CAM."
    parts = list(numbers)
    exact, averaged = same(parts[0], _TRUE), same(parts[1], _AVERAGED)
    if exact and averaged:
        return (
            True,
            "both are right; Grad-CAM is hottest where the class loses most.",
        )
    if not exact and not averaged:
        return False, "neither is right: multiply place by place, then by the mean."
    if exact:
        return False, "the exact map is right, Grad-CAM is not."
    return False, "Grad-CAM is right, the exact map is not."


ON_PAPER = Exercise(
    solution=lambda: (_TRUE, _AVERAGED),
    cases=[{}],
    mistakes={
        "the other way round: the exact map first, then Grad-CAM.": (
            lambda: (_AVERAGED, _TRUE)
        ),
        "of the exact map nothing is cut off: what speaks against the class counts "
        "too.": lambda: ([0.0, 4.0, 8.0], _AVERAGED),
        "Grad-CAM has one weight for the map: the mean of its gradients, not their "
        "sum.": lambda: (_TRUE, [18.0, 6.0, 12.0]),
        "Grad-CAM does not go place by place: the mean of the gradients weighs the "
        "whole map.": lambda: (_TRUE, [0.0, 4.0, 8.0]),
        "these are gradients: multiply them by what stands in the map.": (
            lambda: ([-2.0, 4.0, 4.0], [2.0, 2.0, 2.0]),
            lambda: ([-2.0, 4.0, 4.0], _AVERAGED),
            lambda: (_TRUE, [2.0, 2.0, 2.0]),
        ),
        "a gradient below 0 makes what it is multiplied by negative: mind the sign.": (
            lambda: ([6.0, 4.0, 8.0], _AVERAGED)
        ),
    },
    score=_compare_both,
)

ERASE = Exercise(
    solution=_erase,
    to_mend=True,
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
            "heatmaps": varied(2, 3, 4, start=50) - 4.0,
            "k": 3,
            "paper": -0.4,
        },
        {  # two are equally hot
            "images": torch.tensor([[[[5.0, 6, 7, 8]]]]),
            "heatmaps": torch.tensor([[[0.9, 0.2, 0.9, 0.5]]]),
            "k": 3,
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


def _exact(maps: Tensor, gradients: Tensor) -> Tensor:
    return (maps * gradients).sum(1)


EXACT_MAP = Exercise(
    solution=_exact,
    cases=[
        {
            "maps": torch.tensor([[[[1.0, 2]], [[3, 0]]]]),
            "gradients": torch.tensor([[[[2.0, -1]], [[1, 4]]]]),
        },
        {"maps": varied(2, 3, 2, 4), "gradients": varied(2, 3, 2, 4, start=50)},
        {
            "maps": varied(3, 4, 3, 2, start=7),
            "gradients": varied(3, 4, 3, 2, start=31),
        },
    ],
    mistakes={
        "what is negative speaks against the class: keep it, the sum is the logit.": (
            lambda maps, gradients: _exact(maps, gradients).relu()
        ),
        "absolute values hide what speaks against the class.": (
            lambda maps, gradients: _exact(maps, gradients).abs(),
            lambda maps, gradients: _exact(maps, gradients.abs()),
            lambda maps, gradients: _exact(maps, gradients).abs().relu(),
        ),
        "that is Grad-CAM: each place has a gradient of its own, take no mean.": (
            lambda maps, gradients: _exact(maps, _mean_over_places(gradients)),
            _heatmaps,
        ),
        "you take the mean over the maps: add up what they give.": (
            lambda maps, gradients: (maps * gradients).mean(1)
        ),
        "what the maps give is still apart: add up over dimension 1.": (
            lambda maps, gradients: maps * gradients
        ),
        "you add up over the images: add the maps of each up, over dimension 1.": (
            lambda maps, gradients: (maps * gradients).sum(0)
        ),
        "that is one number for each image: leave the places apart.": (
            lambda maps, gradients: (maps * gradients).sum((1, 2, 3))
        ),
        "the maps are left out: a gradient counts as much as the number in its map.": (
            lambda maps, gradients: gradients.sum(1)
        ),
        "the gradients are left out: what is bright need not count.": (
            lambda maps, gradients: maps.sum(1)
        ),
        "you add up maps and gradients each by itself: multiply first.": (
            lambda maps, gradients: maps.sum(1) * gradients.sum(1)
        ),
        "that is the largest that one map gives: add up what all of them give.": (
            lambda maps, gradients: (maps * gradients).amax(1)
        ),
        "you multiply by the number of places, or divide by it: leave that.": (
            lambda maps, gradients: _exact(maps, gradients) / maps[0, 0].numel()
        ),
        "you rectify what each map gives: some speak against what others speak for.": (
            lambda maps, gradients: (maps * gradients).relu().sum(1)
        ),
    },
)


def _point_elsewhere(maps: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    extra = torch.zeros_like(maps[:1])
    extra[0, 0, 0] = 1000.0
    weight = torch.ones_like(extra)
    weight[0, 0, 0] = 0.0
    return torch.cat([maps, extra]), torch.cat([weights, weight])


def _is_misled(result: object, maps: Tensor, weights: Tensor) -> tuple[bool, str]:
    """Whether the logit is the same, and Grad-CAM hottest where nothing adds to it."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return False, "return two tensors, the maps and the weights."
    if not all(isinstance(x, Tensor) and x.is_floating_point() for x in result):
        return False, "return two tensors of floats, the maps and the weights."
    new, new_weights = (x.detach().double() for x in result)
    if new.shape != new_weights.shape or new.shape[1:] != maps.shape[1:]:
        shape = f"(C, {maps.shape[1]}, {maps.shape[2]})"
        return (
            False,
            f"both must have the shape {shape}, with as many maps as you like.",
        )
    if not (new.isfinite().all() and new_weights.isfinite().all()):
        return False, "all numbers must be finite."
    if (new < 0).any():
        return False, "maps that come out of a ReLU hold nothing negative."
    logit, before = (new * new_weights).sum().item(), (maps * weights).sum().item()
    if not math.isclose(logit, before, rel_tol=1e-4, abs_tol=1e-3):
        return False, f"the logit should stay {before:.3f}, and is now {logit:.3f}."
    here = (new * new_weights).sum(0)[0, 0].item()
    if abs(here) > 1e-3:
        return (
            False,
            f"place [0, 0] should add nothing to the logit, and adds {here:.3f}.",
        )
    heat = (new_weights.mean((1, 2))[:, None, None] * new).sum(0).relu()
    if not heat.any():
        return False, "Grad-CAM is 0 everywhere, and hottest nowhere."
    corner, others = heat[0, 0].item(), heat.flatten()[1:]
    i, j = divmod(1 + int(others.argmax()), heat.shape[1])
    if math.isclose(corner, others.max().item(), rel_tol=1e-6):
        return False, f"Grad-CAM is as hot at [{i}, {j}] as at [0, 0], not less."
    if corner < others.max().item():
        return False, f"Grad-CAM is still hottest at [{i}, {j}], and not at [0, 0]."
    return True, "the logit is what it was, and Grad-CAM points where nothing counts."


def _maps_without_a_corner(start: int, *shape: int) -> Tensor:
    maps = varied(*shape, start=start).relu()
    maps[:, 0, 0] = 0.0
    return maps


MISLEAD = Exercise(
    solution=_point_elsewhere,
    cases=[
        {
            "maps": _maps_without_a_corner(2, 2, 2, 3),
            "weights": varied(2, 2, 3, start=9),
        },
        {"maps": _maps_without_a_corner(5, 4, 3, 3), "weights": 50 * varied(4, 3, 3)},
        {
            "maps": _maps_without_a_corner(9, 3, 4, 2),
            "weights": -varied(3, 4, 2, start=4).abs(),
        },
    ],
    score=_is_misled,
)

FEW = 10.0  # pixels: what is asked for
BEST = 5.6  # the fewest that we know, on MNIST


def _change_greedily(model: nn.Module, image: Tensor) -> Tensor:
    """Pixel by pixel, to paper or to ink, the one that costs the answer most."""
    paper, ink = image.min(), image.max()
    answer, image = model(image).argmax(1), image.clone()
    untouched = torch.ones_like(image)
    while model(image).argmax(1) == answer:
        image.requires_grad_()
        logits = model(image)
        others = logits.scatter(1, answer[:, None], -math.inf)
        (gradient,) = torch.autograd.grad(logits[0, answer] - others.max(), image)
        image = image.detach()
        goal = torch.where(gradient > 0, paper, ink)
        at = (gradient * (goal - image) * untouched).argmin()
        image.view(-1)[at] = goal.view(-1)[at]
        untouched.view(-1)[at] = 0
    return image


def _count_changes(function: Function) -> Any:
    """What a function does to five images that a shipped network reads correctly."""
    model = load_pretrained("one-block")
    val = load().val
    images = normalize(val.images[:100])
    with torch.no_grad():
        right = (model(images).argmax(1) == val.targets[:100]).nonzero()[:5, 0]
    counts, kept, strange = [], 0, 0
    for n in right.tolist():
        image = images[n : n + 1]
        with torch.enable_grad():
            changed = function(deepcopy(model), given := image.clone())
        if not isinstance(changed, Tensor) or unusual(changed):
            return changed
        if not given.equal(image):
            return {"changed": "image"}
        if changed.shape != image.shape:
            return {"shape": (*changed.shape,)}
        changed = changed.detach()
        allowed = (changed >= image.min()) & (changed <= image.max())
        strange += not allowed.all()
        with torch.no_grad():
            kept += bool(model(changed).argmax(1) == model(image).argmax(1))
        counts.append(int((changed != image).sum()))
    return {"pixels": sum(counts) / len(counts), "kept": kept, "strange": strange}


def _score_changes(did: Any) -> tuple[bool, str]:
    if not isinstance(did, dict):
        return False, f"return an image, a torch tensor, not {name_kind(did)}."
    if "changed" in did:
        return False, "your function changes the image that it is given: clone() it."
    if "pixels" not in did:
        return False, f"the shape should be (1, 1, 28, 28), not {did.get('shape')}."
    if did["strange"]:
        return False, (
            f"in {did['strange']} of 5 images a pixel is darker than ink or paler than "
            "paper: stay between image.min() and image.max()."
        )
    if did["kept"]:
        return False, f"in {did['kept']} of 5 images the answer is still the same."
    said = f"every answer changes, with {did['pixels']:.1f} pixels on average"
    if did["pixels"] > FEW:
        return False, f"{said}: {FEW:g} are enough."
    return True, f"{said}. The fewest that we know, on MNIST: {BEST}."


FEW_PIXELS = Exercise(
    solution=_change_greedily,
    cases=[{}],
    observe=_count_changes,
    score=_score_changes,
    time_limit=30.0,  # for who tries every pixel, in five images
)


EXERCISES = {
    "on_paper": ON_PAPER,
    "exact_map": EXACT_MAP,
    "heatmaps": HEATMAPS,
    "erase": ERASE,
    "mislead": MISLEAD,
    "few_pixels": FEW_PIXELS,
}
