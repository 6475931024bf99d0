"""What each ingredient of the shipped weights gives: `python benchmarks/ablation.py`.

The recipe of `weights.py` is trained for half its epochs, from three seeds, each time
without one of its ingredients, and measured on the three populations of digits that
recipes are chosen by. No test image is looked at.

Printed is a table in Markdown, which the appendix shows:
`python benchmarks/ablation.py | tee book/measured/ablation.md`. With `--lengths` it is
the whole recipe for fewer and for more epochs, from four seeds
(`book/measured/lengths.md`).
"""

import argparse
from statistics import mean
from typing import Any

from pens import BLEMISHES, random_stroke
from torch import Tensor
from weights import EPOCHS, answers, mean_loss, populations, train

from mnistedu.augmentation import random_affine
from mnistedu.evaluation import accuracy

SEEDS = (0, 1, 2, 3)


def without_blemishes(images: Tensor) -> Tensor:
    return random_stroke(random_affine(images))


def without_other_pens(images: Tensor) -> Tensor:
    return random_stroke(random_affine(images), BLEMISHES)


def without_affine(images: Tensor) -> Tensor:
    return random_stroke(random_stroke(images), BLEMISHES)


VARIANTS: dict[str, dict[str, Any]] = {
    "The whole recipe": {},
    "without pen trajectories": {"pens": 0},
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lengths", action="store_true")
    lengths = parser.parse_args().lengths
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


if __name__ == "__main__":
    main()
