"""Train the networks that the package ships: ``make weights``.

The recipe was chosen on validation images; the test set is measured here, once, when
training is over. A training that was interrupted goes on where it stopped.

Training is in mixed precision, which pays where the processor multiplies in bfloat16
by itself. A network of a single block, trained for a third of the time, answers beside
the large one in the book's pads. Other seeds, as in `python benchmarks/weights.py 1 2`,
show how far luck goes: their networks are measured in the same way and stay in
`run/weights`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import torch
from hands import draw_hands
from torch import Tensor
from torch.nn import functional as F

from mnistedu.augmentation import random_affine, random_stroke
from mnistedu.checkpoints import PRETRAINED, save_checkpoint
from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, fit_temperature, predict
from mnistedu.gradcam import grad_cam
from mnistedu.machine import seed_everything
from mnistedu.models import ConvNet
from mnistedu.preprocess import normalize
from mnistedu.training import History, fit

SEED = 0  # of the network that ships: the best of 0 to 3 on validation images
EPOCHS = 24
WIDTH = 32
DRAWINGS = 220  # of each of the nine hands: one image in twenty-eight
ONE_BLOCK = PRETRAINED.with_name("one-block.safetensors")
ABOUT = {"trained_on": "MNIST, and digits of benchmarks/hands.py", "licence": "MIT"}
FOLDER = Path(__file__).parents[1] / "run" / "weights"


def augment(images: Tensor) -> Tensor:
    """What people draw: slanted, large or small, and at times with another pen."""
    return random_stroke(random_affine(images))


def train(
    seed: int,
    epochs: int = EPOCHS,
    blocks: int = 3,
    augment: Callable[[Tensor], Tensor] | None = augment,
    drawings: int = DRAWINGS,
    label_smoothing: float = 0.05,
    weight_decay: float = 0.03,
    dropout: float = 0.0,
    width: int = WIDTH,
    folder: Path | None = None,
) -> tuple[ConvNet, History]:
    """The recipe. `ablation.py` and `choices.py` leave something out, or vary it."""
    seed_everything(seed)
    digits = load("mnist")
    parts = [digits.train, draw_hands(drawings)] if drawings else [digits.train]
    split = Split(*map(torch.cat, zip(*parts, strict=True)))
    model = ConvNet(blocks, dropout, width)
    val_loader = make_loader(digits.val, 1000)
    history = fit(
        model,
        make_loader(split, shuffle=True, augment=augment),
        val_loader,
        epochs,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        mixed_precision=True,
        checkpoint_dir=folder,
        resume=True,
    )
    if len(history) < epochs:
        raise SystemExit("The same command goes on from there.")
    calibrate(model, *predict(model, val_loader))
    return model, history


def calibrate(model: ConvNet, logits: Tensor, targets: Tensor) -> None:
    """Make the probabilities fit best, on validation images.

    Label smoothing leaves a network too modest. A temperature mends that; as the head
    is linear, it can be taken into its weights.
    """
    temperature = fit_temperature(logits, targets)
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter /= temperature


def empty_heatmaps(model: ConvNet, images: Tensor) -> float:
    """The share of images for which Grad-CAM has nothing to show."""
    heatmaps = grad_cam(model, images, "blocks")
    return (heatmaps.amax((1, 2)) == 0).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", type=int, nargs="*", default=[SEED])
    digits = load("mnist")
    test, val = make_loader(digits.test, 1000), normalize(digits.val.images)
    for seed in parser.parse_args().seeds:
        folder = FOLDER / f"seed-{seed}"
        model, history = train(seed, folder=folder)
        test_accuracy = accuracy(*predict(model, test))
        path = folder / "convnet.safetensors"
        accuracies = {
            "validation_accuracy": history.val_accuracy[-1],
            "test_accuracy": test_accuracy,
        }
        save_checkpoint(model, path, **ABOUT, **accuracies)
        if seed == SEED:
            copyfile(path, PRETRAINED)
            single, short = train(seed, EPOCHS // 3, blocks=1, folder=folder / "single")
            reached = short.val_accuracy[-1]
            save_checkpoint(single, ONE_BLOCK, **ABOUT, validation_accuracy=reached)
        parameters = sum(p.numel() for p in model.parameters())
        print(f"seed {seed}: {parameters:,} parameters, {path.stat().st_size:,} bytes")
        print(f"{EPOCHS} epochs in {sum(history.seconds) / 60:.1f} minutes")
        loss = F.cross_entropy(*predict(model, make_loader(digits.val, 1000))).item()
        print(f"validation accuracy {history.val_accuracy[-1]:.2%}, loss {loss:.4f}")
        print(
            f"empty heatmaps      {empty_heatmaps(model, val):.2%} of validation images"
        )
        print(f"test accuracy       {test_accuracy:.2%}")


if __name__ == "__main__":
    main()
