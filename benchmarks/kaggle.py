"""What to expect from Kaggle's Digit Recognizer: `python benchmarks/kaggle.py`.

Its images are MNIST's 70,000. For each seed they are shuffled, 42,000 of them are
`train.csv` and the others `test.csv`, and the command of appendix B runs as it stands
there. The table that is printed is the appendix's:
`python benchmarks/kaggle.py | tee book/measured/kaggle.md`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch

from mnistedu.data import load
from mnistedu.kaggle import PIXELS

SEEDS = (0, 1, 2)
KNOWN = 42_000


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def compete(seed: int, images: torch.Tensor, targets: torch.Tensor) -> tuple[str, int]:
    """The validation accuracy as the command prints it last, and the mistakes."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    pixels = pd.DataFrame(images[order].flatten(1).numpy(), columns=PIXELS)
    labels = targets[order].numpy()
    with TemporaryDirectory() as name:
        folder = Path(name)
        known = pixels[:KNOWN].copy()
        known.insert(0, "label", labels[:KNOWN])
        known.to_csv(folder / "train.csv", index=False)
        pixels[KNOWN:].to_csv(folder / "test.csv", index=False)
        command = [sys.executable, "-m", "mnistedu", "kaggle", "train.csv", "test.csv"]
        said = subprocess.run(
            [*command, "--seed", str(seed)],
            cwd=folder,
            env={**os.environ, "TQDM_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        answers = pd.read_csv(folder / "submission.csv")["Label"].to_numpy()
    accuracies = re.findall(r"accuracy ([\d.]+)%", said.stdout + said.stderr)
    return accuracies[-1], int(np.sum(answers != labels[KNOWN:]))


def main() -> None:
    digits = load("mnist")
    parts = digits.train, digits.val, digits.test
    images = torch.cat([part.images for part in parts])
    targets = torch.cat([part.targets for part in parts])
    row("seed", "validation", "of 28,000", "wrong")
    row("--:", "--:", "--:", "--:")
    for seed in SEEDS:
        val, wrong = compete(seed, images, targets)
        right = 1 - wrong / (len(images) - KNOWN)
        row(str(seed), f"{val} %", f"{right:.2%}".replace("%", " %"), str(wrong))


if __name__ == "__main__":
    main()
