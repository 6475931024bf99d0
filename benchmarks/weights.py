"""Train the networks that the package ships: ``make weights``.

The recipe was chosen on the validation images; the test set is measured here, once,
when training is over. A training that was interrupted goes on where it stopped.

A network of a single block, trained for a third of the time, answers beside it in the
book's pads. Other seeds, as in `python benchmarks/weights.py 1 2`, show how far luck
goes: their networks are measured in the same way and stay in `_build/weights`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import torch
from hands import draw_hands
from torch import Tensor
from torch.nn import functional as F

from mnistedu.checkpoints import PRETRAINED, save_checkpoint
from mnistedu.data import Split, load, make_loader, random_affine, random_stroke
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet
from mnistedu.training import History, fit, seed_everything

SEED = 0  # of the network that ships
EPOCHS = 24
DRAWINGS = 220  # of each of the twelve hands: one image in twenty
ONE_BLOCK = PRETRAINED.with_name("one-block.safetensors")
ABOUT = {"trained_on": "MNIST, and digits of benchmarks/hands.py", "licence": "MIT"}
FOLDER = Path(__file__).parents[1] / "_build" / "weights"


def augment(images: Tensor) -> Tensor:
    """What people draw: slanted, large or small, and with any pen."""
    return random_stroke(random_affine(images, degrees=15, scale=0.12, shear=0.2))


def train(
    seed: int,
    epochs: int = EPOCHS,
    blocks: int = 3,
    augment: Callable[[Tensor], Tensor] | None = augment,
    drawings: int = DRAWINGS,
    label_smoothing: float = 0.05,
    folder: Path | None = None,
) -> tuple[ConvNet, History]:
    """The recipe. What it leaves out, `ablation.py` asks for."""
    seed_everything(seed)
    digits = load("mnist")
    images = [digits.train, draw_hands(drawings)] if drawings else [digits.train]
    split = Split(*map(torch.cat, zip(*images, strict=True)))
    model = ConvNet(blocks)
    val_loader = make_loader(digits.val, 1000)
    history = fit(
        model,
        make_loader(split, shuffle=True, augment=augment),
        val_loader,
        epochs,
        label_smoothing=label_smoothing,
        checkpoint_dir=folder,
        resume=True,
    )
    if len(history) < epochs:
        raise SystemExit("The same command goes on from there.")
    calibrate(model, *predict(model, val_loader))
    return model, history


def calibrate(model: ConvNet, logits: Tensor, targets: Tensor) -> None:
    """Divide the logits by the number that makes their probabilities fit best.

    Label smoothing leaves a network too modest. One temperature for all images, fitted
    on the validation set (Guo and others, 2017), mends that and changes no answer; as
    the head is linear, it can be taken into its weights.
    """
    temperatures = torch.linspace(0.2, 2, 181)
    losses = torch.stack([F.cross_entropy(logits / t, targets) for t in temperatures])
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter /= temperatures[losses.argmin()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", type=int, nargs="*", default=[SEED])
    test = make_loader(load("mnist").test, 1000)
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
        print(f"validation accuracy {history.val_accuracy[-1]:.2%}")
        print(f"test accuracy       {test_accuracy:.2%}")


if __name__ == "__main__":
    main()
