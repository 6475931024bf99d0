"""Which pens, and how many digits of other hands: `python benchmarks/choices.py pens`.

MNIST's validation images alone cannot say: they hold hardly a flagged 1 or an open 4.
Digits of other writers can, those of `writers.py` that are there for validation. So the
recipe of `weights.py` is trained for some epochs, from three seeds each: first without
drawn digits and with several sets of pens, then with few, many or none of the digits
that `hands.py` draws. Taken is what has the smallest mean of the two losses, since a
reader's digits may be like MNIST's or like those others. No test image is looked at.

Printed is one of three tables in Markdown, which the appendix shows:
`python benchmarks/choices.py pens | tee book/measured/pens.md`. Networks that were
trained stay in `run/choices`, where the next table finds them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch
from ablation import row
from torch import Tensor
from torch.nn import functional as F
from weights import augment, train
from writers import validation_writers

from mnistedu.augmentation import (
    blurred,
    random_affine,
    random_stroke,
    thicker,
    thickest,
    thinner,
)
from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, per_class_accuracy, predict
from mnistedu.models import ConvNet
from mnistedu.preprocess import center_digit

EPOCHS = 12
SEEDS = (0, 1, 2)
COUNTS = (0, 110, 220, 440)  # of each hand
FOLDER = Path(__file__).parents[1] / "run" / "choices"


def fine_pens(images: Tensor) -> Tensor:
    return random_stroke(random_affine(images), [thicker, thickest, thinner, blurred])


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": random_affine,
    "thicker, thinner, blurred": fine_pens,
    "these, and coarse": augment,
}
CHOSEN = "these, and coarse"


def others() -> Split:
    """The thirty writers' digits, prepared."""
    written = validation_writers()
    prepared = center_digit(written.images[:, None] / 255).squeeze(1)  # 0 to 1
    return Split(prepared, written.targets)


def networks(pens: str, drawings: int) -> list[ConvNet]:
    folders = [FOLDER / f"{pens}-{drawings}-{seed}" for seed in SEEDS]
    settings = {"augment": AUGMENTATIONS[pens], "drawings": drawings}
    return [
        train(seed, EPOCHS, folder=folder, **settings)[0]
        for seed, folder in zip(SEEDS, folders, strict=True)
    ]


def compare(what: str, choices: dict[str, tuple[str, int]]) -> None:
    """A row for each choice: the means over its networks."""
    splits = [load("mnist").val, others()]
    row(what, "validation", "loss", "others", "loss")
    row("---", *["--:"] * 4)
    for name, choice in choices.items():
        models, cells = networks(*choice), []
        for split in splits:
            answers = [predict(model, make_loader(split, 1000)) for model in models]
            right = mean(accuracy(*each) for each in answers)
            loss = mean(F.cross_entropy(*each).item() for each in answers)
            cells += [f"{right:.2%}", f"{loss:.4f}"]
        row(name, *cells)


def misread() -> None:
    """The share of the other writers' digits that is misread when none is drawn."""
    loader = make_loader(others(), 1000)
    answers = [predict(model, loader) for model in networks(CHOSEN, 0)]
    wrong = 1 - torch.stack([per_class_accuracy(*each) for each in answers]).mean(0)
    row("Digit", *map(str, range(10)), "mean")
    row("---", *["--:"] * 11)
    row("Misread", *(f"{share:.1%}" for share in [*wrong.tolist(), wrong.mean()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", choices=["pens", "misread", "drawings"])
    match parser.parse_args().table:
        case "pens":
            compare("Other pens", {pens: (pens, 0) for pens in AUGMENTATIONS})
        case "misread":
            misread()
        case "drawings":
            counts = {str(count): (CHOSEN, count) for count in COUNTS}
            compare("Drawings of each hand", counts)


if __name__ == "__main__":
    main()
