"""How well the network reads what people draw: `python benchmarks/handwriting.py`.

Printed is the accuracy of the shipped weights, or of another ConvNet's, on digits that
were moved, scaled, bent or drawn with another pen, prepared with `center_digit` as the
pad does it, and beside it what they would be without. Then a row for each population:
MNIST, other writers, pen trajectories and MNIST-C's fifteen corruptions, with the
accuracy for each digit, the expected calibration error and the share of all that is
misread with more than 99 % certainty; and at last whether heatmaps are true: the share
of empty ones, and of those that are hottest on ink or beside it. Recipes are chosen on
validation images; `--test` measures on those of the test, once, at the end.
"""

import argparse
import math
from collections.abc import Callable
from typing import Literal

import torch
from corruptions import CORRUPTIONS, corrupt
from torch import Tensor, nn
from torch.nn import functional as F
from writers import as_drawn, pen_digits, test_writers, validation_writers

from mnistedu.activations import eval_mode
from mnistedu.augmentation import affine
from mnistedu.checkpoints import PRETRAINED, load_checkpoint
from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import (
    accuracy,
    expected_calibration_error,
    per_class_accuracy,
    predict,
)
from mnistedu.gradcam import hires_cam
from mnistedu.preprocess import center_digit, normalize, shrink

CANVAS = 280  # the pad's width and height: ten of its pixels to one of MNIST's
FINE = 4  # pixels of the finer raster to one of MNIST's, for slants and pens
PAPER = 6  # MNIST pixels of blank paper around it, so that nothing is cut off
BATCH = 50
SLANT = math.tan(math.radians(20))
ONE_STROKE = torch.tensor([0, 1, 2, 3, 6, 8, 9])  # digits whose pen is never lifted
LAST = "blocks"  # a ConvNet's last feature maps

Change = Callable[[Tensor], Tensor]  # images (N, 1, 28, 28) -> ink (N, 1, H, W)


def on_canvas(images: Tensor) -> Tensor:
    """Draw each image on a canvas of 280×280, at a random size and place.

    At scale 1 a pixel becomes ten of the canvas. The scale lies between 0.5 and 1.6,
    or what the canvas can hold if that is less: all ink stays inside.
    """
    ink = enlarge(images, CANVAS // 28)
    inked = images[:, 0] > 0
    inked = torch.stack([inked.any(1), inked.any(2)], 1)  # (N, 2, 28): along x, along y
    # The ink's ends, each (N, 2), in canvas pixels from the middle; interpolation has
    # spread it by up to a pixel of the image.
    position = (torch.arange(28) - 14) * 10
    first = torch.where(inked, position, CANVAS).amin(2) - 10
    last = torch.where(inked, position + 10, -CANVAS).amax(2) + 10
    largest = CANVAS / (last - first).amax(1)
    scale = (0.5 + 1.1 * torch.rand(len(images))).minimum(largest)[:, None]
    low, high = -CANVAS / 2 - scale * first, CANVAS / 2 - scale * last
    shift = low + (high - low) * torch.rand(len(images), 2)
    return affine(ink, scale=scale.expand(-1, 2), shift=shift)


def enlarge(images: Tensor, times: int) -> Tensor:
    ink = F.interpolate(images, scale_factor=times, mode="bicubic")
    return ink.clamp(0, 1)


def bend(angle: float = 0, shear: float = 0) -> Change:
    """Rotate by degrees, or slant to the right by a tangent, on the finer raster."""
    return lambda images: affine(fine(images), angle=angle, shear=shear)


def widen(pixels: float) -> Change:
    """Make strokes wider by so many of MNIST's pixels, half on either side.

    Paper narrows where ink widens, and the other way round: below 0 the same is done
    to the paper. On the finer raster each pixel takes the most ink within half as many
    pixels, as if a round pen went along the digit's edge.
    """
    radius = abs(pixels) / 2 * FINE

    def change(images: Tensor) -> Tensor:
        ink = fine(images)
        return spread(ink, radius) if pixels > 0 else 1 - spread(1 - ink, radius)

    return change


def fine(images: Tensor) -> Tensor:
    return enlarge(F.pad(images, [PAPER] * 4), FINE)


def spread(ink: Tensor, radius: float) -> Tensor:
    """The largest value in a disk of this radius around each pixel."""
    reach = math.floor(radius)
    height, width = ink.shape[2:]
    # What lies beyond the edge is whatever the edge is: paper, white or inverted.
    padded = F.pad(ink, [reach] * 4, mode="replicate")
    most = ink
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            if math.hypot(x, y) <= radius:
                top, left = reach + y, reach + x
                moved = padded[:, :, top : top + height, left : left + width]
                most = most.maximum(moved)
    return most


CHANGES: dict[str, Change] = {
    "strokes 1 pixel thinner": widen(-1),
    "strokes 1.5 pixels thicker": widen(1.5),
    "strokes 2.5 pixels thicker": widen(2.5),
    "slanted by 20° to the right": bend(shear=SLANT),
    "slanted by 20° to the left": bend(shear=-SLANT),
    "rotated by 15° to the left": bend(angle=15),
    "rotated by 15° to the right": bend(angle=-15),
}


@torch.inference_mode()
def measure(
    model: nn.Module, split: Split, change: Change, *preparations: Change
) -> list[float]:
    """The accuracy on images that were changed, once for each way to prepare them."""
    torch.manual_seed(0)
    right = []
    batches = torch.split(split.images, BATCH), torch.split(split.targets, BATCH)
    for images, targets in zip(*batches, strict=True):
        ink = change(images[:, None] / 255)
        with eval_mode(model):
            answers = [model(normalize(way(ink))).argmax(1) for way in preparations]
        right.append(torch.stack(answers) == targets)
    return torch.cat(right, 1).float().mean(1).tolist()


def as_it_is(images: Tensor) -> Tensor:
    return images


def report(
    what: str, target: float, prepared: float, plain: float | None = None
) -> None:
    beside = "" if plain is None else f"{plain:.2%}"
    missed = "  missed" if prepared < target else ""
    print(f"{what:32}{prepared:9.2%}{target:10.2%}{beside:>14}{missed}")


def populations(split: Split, part: Literal["validation", "test"]) -> dict[str, Split]:
    """Digits as a network gets them, of MNIST, of other writers and spoiled."""
    written = validation_writers() if part == "validation" else test_writers()
    prepared = center_digit(written.images[:, None] / 255).squeeze(1)
    pen = pen_digits(part)
    drawn, straight = as_drawn(pen), torch.isin(pen.targets, ONE_STROKE)
    kinds = {
        "MNIST": split,
        "other writers": Split(prepared, written.targets),
        "pens, one stroke": Split(*(each[straight] for each in drawn)),
        "pens, the others": Split(*(each[~straight] for each in drawn)),
        "  of these joined": Split(*(each[pen.joined] for each in drawn)),
    }
    for name in CORRUPTIONS:
        torch.manual_seed(0)
        ink = corrupt(split.images[:, None] / 255, name).squeeze(1)
        kinds[name] = Split(ink, split.targets)
    return kinds


def describe(logits: Tensor, targets: Tensor) -> list[float]:
    """Accuracy, calibration error and sure mistakes; then each digit's accuracy."""
    certainty, answer = logits.softmax(1).max(1)
    sure = ((answer != targets) & (certainty > 0.99)).float().mean().item()
    error = expected_calibration_error(logits, targets)
    by_digit = per_class_accuracy(logits, targets).tolist()
    return [accuracy(logits, targets), error, sure, *by_digit]


def row(what: str, *cells: str | float) -> None:
    text = [c if isinstance(c, str) else f"{100 * c:.2f}" for c in cells]
    print(f"{what:20}" + "".join(f"{each:>7}" for each in text), flush=True)


def heatmaps(model: nn.Module, split: Split) -> tuple[float, float]:
    """Of digits that are read rightly: the share whose map has nothing that speaks for
    the answer, and the share whose hottest place has ink at most a pixel away."""
    images = normalize(split.images)
    logits, targets = predict(model, make_loader(split, 1000))
    right = logits.argmax(1) == targets
    parts = zip(images.split(1000), targets.split(1000), strict=True)
    maps = torch.cat([hires_cam(model, x, LAST, c) for x, c in parts])  # (N, h, w)
    hottest = maps.flatten(1)[right].max(1)
    # A place of the 6x6 maps stands for 4x4 pixels, the first for those from pixel 2.
    near = F.max_pool2d((split.images[:, None] > 50).float(), 3, 1, 1)
    side = 24 // maps.shape[2]
    ink = F.max_pool2d(near[:, :, 2:26, 2:26], side).flatten(1)[right]
    on_ink = ink.gather(1, hottest.indices[:, None])
    return (hottest.values <= 0).float().mean().item(), on_ink.mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", nargs="?", default=PRETRAINED)
    parser.add_argument("--test", action="store_true", help="for the final figures")
    arguments = parser.parse_args()
    model = load_checkpoint(arguments.checkpoint)
    part = "test" if arguments.test else "validation"
    split = getattr(load("mnist"), "test" if arguments.test else "val")

    (untouched,) = measure(model, split, as_it_is, as_it_is)
    print(f"untouched {part} images: {untouched:.2%}")
    print(f"{'':32}{'prepared':>9}{'target':>10}{'not centred':>14}")
    figures = measure(model, split, on_canvas, center_digit, shrink)
    report("anywhere on a canvas, any size", untouched - 0.002, *figures)
    for what, change in CHANGES.items():
        report(what, 0.985, *measure(model, split, change, center_digit))

    print()
    row("of each digit, in %", "all", "calib.", "sure", *map(str, range(10)))
    for name, digits in populations(split, part).items():
        row(name, *describe(*predict(model, make_loader(digits, 1000))))

    print()
    empty, on_ink = heatmaps(model, split)
    print(f"empty heatmaps of digits read rightly: {empty:.2%}")
    print(f"hottest on ink or beside it: {on_ink:.2%}")


if __name__ == "__main__":
    main()
