"""From any ink to the images that the networks were trained on.

MNIST's digits were prepared in two steps: each was scaled, its shape kept, to fit
a box of 20x20 pixels, and then placed in a field of 28x28 pixels with its centre
of mass in the middle (LeCun, Bottou, Bengio and Haffner, 1998, section III.A).
A drawing that skips these steps looks like nothing that a network has ever seen.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

IMAGE_SIZE = 28
BOX_SIZE = 20
MIDDLE = 14.5  # MNIST's centres of mass lie in pixel 14, which covers [14, 15]
INK_THRESHOLD = 0.1  # fainter ink is paper: it does not widen the bounding box

BLANK = 0.1  # an image whose luminance varies by less than this shows nothing

MNIST_MEAN = 0.1307  # over all pixels of the 60,000 training images, in [0, 1]
MNIST_STD = 0.3081


def read_image(path: str | Path) -> Tensor:
    """Read the ink of one digit from an image file.

    Dark ink on light paper and light ink on dark paper both will do. The paper is
    what most of the image's edge shows; what is transparent is paper too. The
    strongest ink counts as full ink.

    Args:
        path: a file in any format that Pillow reads: PNG, JPEG, WebP and many more.

    Returns:
        float32 ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no readable image, or a blank one.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no image at {path}.")
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("LA")
    except Exception as error:  # Pillow's decoders raise all kinds
        raise ValueError(f"{path} is damaged or no image that can be read.") from error
    # (H, W, 2) -> twice (H, W): how light each pixel is, and how opaque
    luminance, opacity = torch.from_numpy(np.array(upright) / 255).float().unbind(2)
    edge = torch.ones_like(opacity, dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    if opacity[edge].median() < 0.5:
        ink = opacity  # paper is what is transparent, whatever its colour
    else:
        paper = luminance[edge & (opacity >= 0.5)].median()
        ink = opacity * (luminance - paper).abs()
    if ink.max() < BLANK:
        raise ValueError(f"{path} is blank: it should show one digit.")
    return (ink / ink.max())[None, None]


def center_digit(ink: Tensor) -> Tensor:
    """Scale and centre drawn digits as MNIST's were.

    The longer side of each digit's bounding box becomes 20 pixels, with
    antialiasing, and its centre of mass comes to lie in the middle of 28x28
    pixels: in pixel (14, 14), as MNIST's do. Blank ink gives a blank image. Every
    operation is one of torch's, so this step can be exported with a network.

    Args:
        ink: float ``(N, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Returns:
        float ``(N, 1, 28, 28)`` in [0, 1].

    Raises:
        ValueError: if ``ink`` is not a float tensor of that shape.
    """
    if ink.ndim != 4 or ink.shape[1] != 1 or not ink.is_floating_point():
        raise ValueError(
            "center_digit takes float ink of shape (N, 1, H, W), not "
            f"{str(ink.dtype).removeprefix('torch.')} of shape {tuple(ink.shape)}."
        )
    ink = ink.squeeze(1)  # (N, 1, H, W) -> (N, H, W)
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

    Image pixel i covers the interval of width step around
    middle + (i + 0.5 - 14.5) * step and takes the mean of the ink in it, with blank
    paper beyond the edge: nothing is skipped, so there is no aliasing, and no ink is
    lost or gained. ``middle`` and ``step`` ``(N,)`` -> ``(N, 28, length)``.
    """
    offset = torch.arange(IMAGE_SIZE, device=step.device, dtype=step.dtype)
    offset = offset + 0.5 - MIDDLE
    centre = (middle[:, None] + offset * step[:, None])[:, :, None]  # (N, 28, 1)
    width = step[:, None, None]
    left = torch.arange(length, device=step.device, dtype=step.dtype)
    start = torch.maximum(centre - width / 2, left)
    end = torch.minimum(centre + width / 2, left + 1)
    return (end - start).clamp(min=0) / width


def normalize(images: Tensor) -> Tensor:
    """Bring images to mean 0 and standard deviation 1, as the networks take them.

    Args:
        images: ``(N, 28, 28)`` or ``(N, 1, 28, 28)``, uint8 in 0..255 or float in
            [0, 1].

    Returns:
        float32 ``(N, 1, 28, 28)``: (x - 0.1307) / 0.3081, with MNIST's mean and
        standard deviation over the training pixels.

    Raises:
        ValueError: if the images are not of that shape.
    """
    if images.shape[-2:] != (28, 28) or images.numel() != len(images) * 28 * 28:
        raise ValueError(
            "normalize takes images of shape (N, 28, 28) or (N, 1, 28, 28), not "
            f"{tuple(images.shape)}; center_digit makes such images of a drawing."
        )
    full = 255 if images.dtype == torch.uint8 else 1
    scaled = images.reshape(-1, 1, 28, 28).float() / full
    return (scaled - MNIST_MEAN) / MNIST_STD
