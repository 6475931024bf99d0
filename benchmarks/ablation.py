"""What each ingredient of the shipped weights gives: `python benchmarks/ablation.py`.

The recipe of `weights.py` is trained for half its epochs, from three seeds, each time
without one of its ingredients, and measured on the three populations of digits that
recipes are chosen by. No test image is looked at.

Printed is a table in Markdown, which the appendix shows:
`python benchmarks/ablation.py | tee book/measured/ablation.md`. With `--lengths` it is
the whole recipe for fewer and for more epochs, from four seeds
(`book/measured/lengths.md`); with `--writers` it learns from the pens of thirty writers
or from as many pens of all 44, and is judged by what the fourteen others wrote
(`book/measured/writers.md`).
"""

import argparse
from functools import partial
from statistics import mean
from typing import Any

import torch
from pens import BLEMISHES, random_stroke
from torch import Tensor
from weights import (
    EPOCHS,
    REDRAWN,
    answers,
    in_one_stroke,
    mean_loss,
    populations,
    train,
)
from writers import as_drawn, pen_digits, redrawn

from mnistedu.augmentation import random_affine
from mnistedu.data import make_loader
from mnistedu.evaluation import accuracy, predict

SEEDS = (0, 1, 2, 3)


def without_blemishes(images: Tensor) -> Tensor:
    return random_stroke(random_affine(images))


def without_other_pens(images: Tensor) -> Tensor:
    return random_stroke(random_affine(images), BLEMISHES)


def without_affine(images: Tensor) -> Tensor:
    return random_stroke(random_stroke(images), BLEMISHES)


VARIANTS: dict[str, dict[str, Any]] = {
    "The whole recipe": {},
    "without pen trajectories": {"pens": None},
    "without digits of other hands": {"drawings": 0},
    "without other pens": {"augment": without_other_pens},
    "without blemishes": {"augment": without_blemishes},
    "without turning, scaling, slanting": {"augment": without_affine},
    "without any change to the images": {"augment": None},
    "without label smoothing": {"label_smoothing": 0.0},
    "with less weight decay, 0.01": {"weight_decay": 0.01},
    "with three quarters of the maps": {"width": 24},
    "with three blocks": {"blocks": 3},
    "with a flattened head": {"pooled": False},
}


def row(what: str, *cells: str) -> None:
    print(f"| {what:<34} |" + "".join(f" {each:>14} |" for each in cells), flush=True)


def spread(values: list[float]) -> str:
    """The mean in per cent, and half the way from the smallest to the largest."""
    return f"{100 * mean(values):.2f} ±{50 * (max(values) - min(values)):.2f}"


LENGTHS: dict[str, dict[str, Any]] = {
    f"{epochs} epochs": {"epochs": epochs} for epochs in (6, 12, 24, 48)
}


def ingredients(lengths: bool) -> None:
    row("in %, and loss", *populations(), "mean loss")
    row("---", *["--:"] * 4)
    for what, change in (LENGTHS if lengths else VARIANTS).items():
        options = {"epochs": EPOCHS // 2, **change}
        models = [train(seed, **options)[0] for seed in SEEDS[: 4 if lengths else 3]]
        reached = [[accuracy(*a) for a in answers(m).values()] for m in models]
        losses = [mean_loss(model) for model in models]
        half = (max(losses) - min(losses)) / 2
        cells = [spread(list(column)) for column in zip(*reached, strict=True)]
        row(what, *cells, f"{mean(losses):.3f} ±{half:.3f}")


def writers() -> None:
    """Whether the network reads pens better for having met their writers."""
    pen, judges = map(in_one_stroke, map(pen_digits, ("train", "validation")))
    thirty = pen.where(~pen.fourteen)
    torch.manual_seed(0)
    of_all = pen.where(torch.randperm(len(pen.targets))[: len(thirty.targets)])
    loaders = {
        f"{len(each.targets)} by the {name}": make_loader(as_drawn(each), 1000)
        for name, each in (
            ("fourteen", judges.where(judges.fourteen)),
            ("thirty", judges.where(~judges.fourteen)),
        )
    }
    row(f"{len(thirty.targets):,} paths, in %", *loaders)
    row("---", "--:", "--:")
    for who, paths in (("by the thirty", thirty), ("by all 44", of_all)):
        pens = partial(redrawn, paths, REDRAWN)
        models = [train(seed, epochs=EPOCHS // 6, pens=pens)[0] for seed in SEEDS[:3]]
        reached = [
            [accuracy(*predict(model, loader)) for model in models]
            for loader in loaders.values()
        ]
        row(who, *map(spread, reached))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lengths", action="store_true")
    parser.add_argument("--writers", action="store_true")
    asked = parser.parse_args()
    writers() if asked.writers else ingredients(asked.lengths)


if __name__ == "__main__":
    main()
