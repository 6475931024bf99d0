"""What each ingredient of the shipped weights gives: `python benchmarks/ablation.py`.

The recipe of `weights.py` is trained again and again for a few epochs, each time
without one of its ingredients, and measured on validation images: as they are, and
as people draw. The digits of the thirty writers that are there for validation stand
beside them. No test image is looked at.

Printed is a table in Markdown, which the appendix shows:
`python benchmarks/ablation.py | tee book/measured/ablation.md`.
"""

import statistics
from typing import Any

from handwriting import CHANGES, as_it_is, measure, on_canvas
from weights import train
from writers import validation_writers

from mnistedu.augmentation import random_affine, random_stroke
from mnistedu.data import load
from mnistedu.preprocess import center_digit

EPOCHS = 4
SEEDS = (0,)

VARIANTS: dict[str, dict[str, Any]] = {
    "The whole recipe": {},
    "without other countries' digits": {"drawings": 0},
    "without other pens": {"augment": random_affine},
    "without turning, scaling, slanting": {"augment": random_stroke},
    "without any change to the images": {"augment": None},
    "without label smoothing": {"label_smoothing": 0.0},
    "with less weight decay, 0.01": {"weight_decay": 0.01},
    "with 24, 48 and 96 maps": {"width": 24},
    "with dropout on the last maps": {"dropout": 0.5},
}


def row(what: str, *figures: str) -> None:
    print(f"| {what:<35} |" + "".join(f" {each:>10} |" for each in figures), flush=True)


def main() -> None:
    val, others = load("mnist").val, validation_writers()
    row("", "validation", "canvas", "changed", "others")
    row("---", *["--:"] * 4)
    for what, change in VARIANTS.items():
        columns = []
        for seed in SEEDS:
            model, _ = train(seed, **{"epochs": EPOCHS, **change})
            (untouched,) = measure(model, val, as_it_is, as_it_is)
            (canvas,) = measure(model, val, on_canvas, center_digit)
            # The mean over strokes thinner and thicker, slanted and rotated digits.
            changed = statistics.mean(
                measure(model, val, each, center_digit)[0] for each in CHANGES.values()
            )
            (written,) = measure(model, others, as_it_is, center_digit)
            columns.append((untouched, canvas, changed, written))
        means = map(statistics.mean, zip(*columns, strict=True))
        row(what, *(f"{mean:.2%}" for mean in means))


if __name__ == "__main__":
    main()
