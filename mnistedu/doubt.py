"""When a network should doubt that what it sees is a digit at all.

Its ten probabilities add up to one whatever it sees, also if that is a letter. So the
course's network has an eleventh output, which it did not learn itself: a logistic
regression on what its last two blocks and its head say, fitted afterwards by
``benchmarks/doubt.py`` on digits and on drawings that are none (outlier exposure:
Hendrycks, Mazeika and Dietterich, 2019). The numbers stand beside the weights; a
network that has none, such as a reader's own, doubts nothing.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnistedu.activations import capture_activations, eval_mode, to_model
from mnistedu.preprocess import INK_THRESHOLD

DOT = 50  # pixels of the canvas: a dot, even by the widest brush, is smaller
MOST_INK = 0.33  # mean ink of 28x28 pixels: no validation digit of MNIST's has more
SOLID = 0.9  # of a spot's area; one of MNIST's 6,000 validation digits is a spot

UNLIKE = "This looks like none of the digits that it knows."
POINT = "This is a dot: draw a whole digit."
BLOT = (
    "This is too much ink for a digit: clear the sheet, and draw it large, in single "
    "lines."
)


class Doubt(NamedTuple):
    """A logistic regression: ``weights`` float32 ``(F,)``, and ``bias``."""

    weights: Tensor
    bias: float


def load_doubt(checkpoint: str | Path) -> Doubt | None:
    """The numbers that stand beside a checkpoint, if any do."""
    path = Path(checkpoint).with_suffix(".doubt.json")
    if not path.exists():
        return None
    numbers = json.loads(path.read_text("utf-8"))
    return Doubt(torch.tensor(numbers["weights"]), numbers["bias"])


@torch.no_grad()
def what_it_says(model: nn.Module, images: Tensor) -> Tensor:
    """The mean of each map of a ConvNet's last two blocks, and its sorted logits.

    Normalised images ``(N, 1, 28, 28)`` -> float32 ``(N, F)`` on the CPU.
    """
    blocks = [*model.get_submodule("blocks").children()][-2:]
    with eval_mode(model), capture_activations(model, *blocks) as maps:
        logits = model(to_model(images, model))
    means = [maps[block].mean((2, 3)) for block in blocks]
    return torch.cat([*means, logits.sort(1).values], 1).float().cpu()


def measure_doubt(model: object, images: Tensor) -> Tensor | None:
    """How little images look like the digits that a network knows.

    Args:
        model: a network that ``load_checkpoint`` gave; any other knows no doubt.
        images: normalised, ``(N, 1, 28, 28)``.

    Returns:
        float32 ``(N,)``, above 0 for one in a hundred of MNIST's validation digits and
        for most letters; or None if the network has no such measure.
    """
    doubt = getattr(model, "doubt", None)
    if doubt is None or not isinstance(model, nn.Module):
        return None
    return what_it_says(model, images) @ doubt.weights + doubt.bias


def remark(ink: Tensor, image: Tensor, doubt: float | None) -> str:
    """A sentence on ink ``(1, 1, H, W)`` that is hardly a digit, or "".

    Args:
        ink: the drawing, on a canvas of 280x280 pixels.
        image: what the network sees of it, ink ``(1, 1, 28, 28)``.
        doubt: what ``measure_doubt`` says.
    """
    if image.mean() > MOST_INK or is_spot(image):
        rows, columns = (ink[0, 0] > INK_THRESHOLD).nonzero().T
        extents = [int(x.max() - x.min()) + 1 for x in (rows, columns)]
        return POINT if max(extents) <= DOT else BLOT
    return UNLIKE if doubt is not None and doubt > 0 else ""


def is_spot(image: Tensor) -> bool:
    """Whether ink ``(1, 1, H, W)`` is a solid spot, less than twice as long as wide.

    A solid ellipse with the covariance C has the area 4 pi sqrt(det C). A stroke has
    less ink than that, unless it is short and thick.
    """
    places = image[0, 0].nonzero().T
    ink = image[0, 0][*places]
    if not len(ink):
        return False
    spread = torch.cov(places, correction=0, aweights=ink) + torch.eye(2) / 12  # pixels
    low, high = torch.linalg.eigvalsh(spread).tolist()
    area = 4 * math.pi * math.sqrt(low * high)
    return ink.sum().item() > SOLID * area and high < 4 * low
