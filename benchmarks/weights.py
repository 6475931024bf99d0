"""Train the networks that the package ships: ``make weights``.

The network has a head on the means of its last maps, so that heatmaps can be exact. Two
others stand beside it: one with a flattened head, whose Grad-CAM chapter 8 compares,
and one of a single block, trained for a third of the time, for the book's pads.

What is trained, which recipe and which seed, is decided on three populations of digits
that no network learns from: MNIST's validation images, those of thirty other writers
and pen trajectories of 44. Taken is what has the smallest mean of the three losses. All
test sets are left to `handwriting.py --test`, once, at the end. Other seeds, named as
in `python benchmarks/weights.py 0 1 3`, show how far luck goes; networks of seeds that
are named stay in `run/weights`. A training that was interrupted goes on where it
stopped.

Training is in mixed precision, which pays where the processor multiplies in bfloat16
by itself.
"""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import copyfile
from statistics import mean

import torch
from hands import draw_hands
from pens import BLEMISHES, random_stroke
from torch import Tensor, nn
from torch.nn import functional as F
from writers import Pen, as_drawn, pen_digits, redrawn, validation_writers

from mnistedu.augmentation import random_affine
from mnistedu.checkpoints import PRETRAINED, save_checkpoint
from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, fit_temperature, predict
from mnistedu.machine import seed_everything
from mnistedu.models import ConvNet
from mnistedu.preprocess import center_digit
from mnistedu.training import History, fit

SEED = 2  # of the network that ships: of 0 to 3 that with the smallest mean loss
EPOCHS = 24
DRAWINGS = 220  # of each of the nine hands: one image in thirty
REDRAWN = 2  # of each pen trajectory: one image in ten
FOLDER = Path(__file__).parents[1] / "run" / "weights"
ABOUT = {
    "trained_on": "MNIST, UCI's pendigits (CC BY 4.0), digits of benchmarks/hands.py",
    "licence": "MIT",
}


def augment(images: Tensor) -> Tensor:
    """What people draw: slanted, large or small, with another pen, on poor paper."""
    return random_stroke(random_stroke(random_affine(images)), BLEMISHES)


def pen_paths() -> Split:
    return redrawn(in_one_stroke(pen_digits("train")), REDRAWN)


def train(
    seed: int,
    epochs: int = EPOCHS,
    augment: Callable[[Tensor], Tensor] | None = augment,
    drawings: int = DRAWINGS,
    pens: Callable[[], Split] | None = pen_paths,
    label_smoothing: float = 0.05,
    weight_decay: float = 0.03,
    blocks: int = 4,
    dropout: float = 0.0,
    width: int = 32,
    pooled: bool = True,
    folder: Path | None = None,
) -> tuple[ConvNet, History]:
    """The recipe, of which `ablation.py` leaves something out."""
    seed_everything(seed)
    digits = load("mnist")
    parts = [digits.train]
    if drawings:
        parts.append(draw_hands(drawings))
    if pens:
        parts.append(pens())
    split = Split(*map(torch.cat, zip(*parts, strict=True)))
    model = ConvNet(blocks, dropout, width, pooled)
    history = fit(
        model,
        make_loader(split, shuffle=True, augment=augment),
        make_loader(digits.val, 1000),
        epochs,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        mixed_precision=True,
        checkpoint_dir=folder,
        resume=True,
    )
    if len(history) < epochs:
        raise SystemExit("The same command goes on from there.")
    calibrate(model)
    return model, history


def in_one_stroke(pen: Pen) -> Pen:
    return pen.where(~pen.joined)


@cache
def populations() -> dict[str, Split]:
    """What is chosen by: three kinds of digits, prepared, that nobody learns from."""
    written = validation_writers()
    prepared = center_digit(written.images[:, None] / 255).squeeze(1)
    return {
        "MNIST": load("mnist").val,
        "writers": Split(prepared, written.targets),
        "pens": as_drawn(in_one_stroke(pen_digits("validation"))),
    }


def answers(model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Logits and targets of each population."""
    return {
        name: predict(model, make_loader(split, 1000))
        for name, split in populations().items()
    }


def mean_loss(model: nn.Module) -> float:
    """What is made small: the mean of the three losses, in nats."""
    return mean(F.cross_entropy(*each).item() for each in answers(model).values())


def calibrate(model: ConvNet) -> None:
    """Make the probabilities fit best, on all three populations, each about as heavy.

    Label smoothing leaves a network too modest. A temperature mends that; as the head
    is linear, it can be taken into its weights.
    """
    votes = [
        (logits.repeat(times, 1), targets.repeat(times))
        for logits, targets in answers(model).values()
        for times in [round(6000 / len(targets))]
    ]
    temperature = fit_temperature(*map(torch.cat, zip(*votes, strict=True)))
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter /= temperature


def ship(name: str, model: ConvNet, path: Path) -> None:
    """Write a network into the package, and to a path; tell how well it does."""
    (val, *_) = reached = [accuracy(*each) for each in answers(model).values()]
    save_checkpoint(model, path, **ABOUT, validation_accuracy=val)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{name}: {parameters:,} parameters, {path.stat().st_size:,} bytes")
    figures = zip(populations(), reached, strict=True)
    print("  " + ", ".join(f"{who} {share:.2%}" for who, share in figures))
    print(f"  mean loss {mean_loss(model):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", type=int, nargs="*", help="train these, ship none")
    seeds = parser.parse_args().seeds
    for seed in seeds or [SEED]:
        folder = FOLDER / f"seed-{seed}"
        model, history = train(seed, folder=folder)
        ship(f"seed {seed}", model, folder / PRETRAINED.name)
        print(f"  {EPOCHS} epochs in {sum(history.seconds) / 60:.1f} minutes")
        if seeds:
            continue
        copyfile(folder / PRETRAINED.name, PRETRAINED)
        # What it should doubt was fitted to the weights before: `doubt.py --ship`.
        PRETRAINED.with_suffix(".doubt.json").unlink(missing_ok=True)
        flat, _ = train(0, blocks=3, width=24, pooled=False, folder=folder / "flat")
        ship("flattened", flat, PRETRAINED.with_name("flattened.safetensors"))
        options = {"epochs": EPOCHS // 3, "blocks": 1, "pooled": False}
        single, _ = train(0, folder=folder / "single", **options)
        ship("one block", single, PRETRAINED.with_name("one-block.safetensors"))


if __name__ == "__main__":
    main()
