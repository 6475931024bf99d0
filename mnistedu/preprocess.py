"""From any ink to the images that the networks were trained on.

MNIST's digits were prepared in two steps: each was scaled, its shape kept, to fit
a box of 20x20 pixels, and then placed in a field of 28x28 pixels with its centre
of mass in the middle (LeCun, Bottou, Bengio and Haffner, 1998, section III.A).
A drawing that skips these steps looks like nothing that a network has ever seen.
What is no ink (see ``images``) is a ValueError.
"""

import torch
from torch import Tensor

from mnistedu.images import IMAGE_SIZE, MNIST_MEAN, MNIST_STD, to_ink

BOX_SIZE = 20
MIDDLE = 14.5  # MNIST's centres of mass lie in pixel 14, which covers [14, 15]
INK_THRESHOLD = 0.1  # fainter ink is paper: it does not widen the bounding box


def center_digit(ink: Tensor) -> Tensor:
    """Scale and centre drawn digits as MNIST's were.

    The longer side of each digit's bounding box becomes 20 pixels, with antialiasing,
    and its centre of mass comes to lie in pixel (14, 14) of 28x28, as MNIST's do. Blank
    ink gives a blank image. All is torch's, so it can be exported with a network.

    Args:
        ink: float ``(N, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Returns:
        Ink ``(N, 1, 28, 28)`` in [0, 1]: float32, or float64 if that came.
    """
    ink = to_ink(ink).squeeze(1)  # (N, 1, H, W) -> (N, H, W)
    tall, middle_y = _extent_and_mean(ink.amax(2), ink.sum(2))
    wide, middle_x = _extent_and_mean(ink.amax(1), ink.sum(1))
    step = torch.maximum(tall, wide) / BOX_SIZE  # ink pixels per image pixel

    rows = _resampling_weights(middle_y, step, ink.shape[1])  # (N, 28, H)
    columns = _resampling_weights(middle_x, step, ink.shape[2])  # (N, 28, W)
    images = rows @ ink @ columns.mT  # (N, 28, 28)
    return images.clamp(0, 1).unsqueeze(1)


def _extent_and_mean(peak: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    """Length of the inked stretch and centre of mass along one axis, each (N,).

    ``peak`` and ``mass`` ``(N, L)`` hold the darkest ink and the sum of the ink at
    each position. Pixel j covers [j, j + 1], so its centre lies at j + 0.5.
    """
    length = peak.shape[1]
    position = torch.arange(length, device=peak.device, dtype=peak.dtype)
    inked = peak > INK_THRESHOLD
    first = torch.where(inked, position, length).amin(1)
    last = torch.where(inked, position + 1, 0).amax(1)
    extent = (last - first).clamp(min=1)  # 1 where nothing is drawn
    total = mass.sum(1)
    mean = (mass * (position + 0.5)).sum(1) / torch.where(total > 0, total, 1)
    return extent, mean


def _resampling_weights(middle: Tensor, step: Tensor, length: int) -> Tensor:
    """How much each of ``length`` ink pixels counts for each of 28 image pixels.

    Image pixel i lies at middle + (i + 0.5 - 14.5) * step. Coarse ink is interpolated
    linearly; of finer ink each pixel takes the mean of all around it, nearer ink
    counting more. ``middle`` and ``step`` ``(N,)`` -> ``(N, 28, length)``.
    """
    offset = torch.arange(IMAGE_SIZE, device=step.device) + 0.5 - MIDDLE
    centre = (middle[:, None] + offset * step[:, None])[:, :, None]  # (N, 28, 1)
    reach = step.clamp(min=1)[:, None, None]
    position = torch.arange(length, device=step.device, dtype=step.dtype) + 0.5
    return (1 - (position - centre).abs() / reach).clamp(min=0) / reach


def shrink(canvas: Tensor) -> Tensor:
    """Bring a canvas to 28x28 as it is, its pixels averaged, and nothing centred.

    Ink ``(N, 1, H, W)`` -> ink ``(N, 1, 28, 28)``. What is not square is squeezed.
    """
    canvas = to_ink(canvas)
    rows, columns = (_overlap(length).to(canvas) for length in canvas.shape[2:])
    return rows @ canvas @ columns.mT


def _overlap(length: int) -> Tensor:
    """How much each canvas pixel counts for each of 28 image pixels: (28, length).

    In units in which an image pixel is ``length`` long, and a canvas pixel 28: so all
    are whole numbers, which the exporter asks for, up to the last division.
    """
    image = torch.arange(IMAGE_SIZE)[:, None] * length
    canvas = torch.arange(length) * IMAGE_SIZE
    end = torch.minimum(image + length, canvas + IMAGE_SIZE)
    return (end - torch.maximum(image, canvas)).clamp(min=0) / length


def normalize(images: Tensor) -> Tensor:
    """Bring images to mean 0 and standard deviation 1, as the networks take them.

    Args:
        images: raw digits or ink of 28x28 pixels (see ``images``).

    Returns:
        float32 ``(N, 1, 28, 28)``: (x - 0.1307) / 0.3081, with MNIST's mean and
        standard deviation over the training pixels.

    Raises:
        ValueError: if they are neither, or of another size.
    """
    ink = to_ink(images).float()
    if ink.shape[2:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(
            f"normalize takes images of 28x28 pixels, not {tuple(ink.shape)}: "
            "center_digit makes such images of a drawing."
        )
    return (ink - MNIST_MEAN) / MNIST_STD
