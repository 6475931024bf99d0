"""From any ink to the images that the networks were trained on.

MNIST's digits were prepared in two steps: each was scaled, its shape kept, to fit
a box of 20x20 pixels, and then placed in a field of 28x28 pixels with its centre
of mass in the middle (LeCun, Bottou, Bengio and Haffner, 1998, section III.A).
A drawing that skips these steps looks like nothing that a network has ever seen.
"""

import torch
from torch import Tensor

from mnistedu.images import Source, name_of, open_image

IMAGE_SIZE = 28
BOX_SIZE = 20
MIDDLE = 14.5  # MNIST's centres of mass lie in pixel 14, which covers [14, 15]
INK_THRESHOLD = 0.1  # fainter ink is paper: it does not widen the bounding box

MNIST_MEAN = 0.1307  # over all pixels of the 60,000 training images, in [0, 1]
MNIST_STD = 0.3081


def read_image(source: Source) -> Tensor:
    """Read the ink of one digit from a drawing, a scan or a photograph.

    Dark ink on light paper and light ink on dark paper both will do, in any colour,
    in an uneven light and with shadows; see ``ink.find_ink``. What is transparent is
    paper. Large pictures are reduced to at most 1024 pixels in width and height.

    Args:
        source: the path or the bytes of a PNG, JPEG, WebP, GIF, BMP or TIFF file, an
            image of Pillow's, or an array or tensor ``(H, W)``, ``(H, W, 3)`` or
            ``(H, W, 4)``: bool, uint8, uint16 or float in [0, 1].

    Returns:
        float32 ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the source holds no readable image, more than 25 million pixels
            (65 million in a JPEG file, unless in CMYK), nothing drawn, or several
            digits.

    Warns:
        UserWarning: if a file is animated; its first frame is read.
    """
    from mnistedu.ink import find_ink  # brings SciPy, which takes its time

    ink = torch.from_numpy(find_ink(open_image(source)))[None, None]
    if not ink.any():
        raise ValueError(f"{name_of(source)} is blank: it should show one digit.")
    digits = count_digits(ink)
    if digits > 1:
        raise ValueError(
            f"{name_of(source)} shows {digits} digits side by side: cut out one of "
            "them."
        )
    return ink


def count_digits(ink: Tensor) -> int:
    """Count the digits that stand side by side.

    The strokes of one digit may be apart too: an open 4, a 5 without its bar. So
    pieces with blank columns between them count as digits only if they are about as
    high as each other and a sixteenth of that apart or, where all is wider than one
    digit can be, if they are half as high. Of MNIST's 70,000 digits 7 are taken for
    two: broken ones, with a tall piece on either side.

    Args:
        ink: float ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Returns:
        Their number; 0 for blank ink.
    """
    inked = ink[0, 0] > INK_THRESHOLD
    columns = inked.any(0)
    if not columns.any():
        return 0
    height, width = _length(inked.any(1)), _length(columns)
    wide = width > 1.25 * height
    tall = (0.5 if wide else 0.85) * height
    gap = (0 if wide else 0.06) * height

    outside = columns.new_zeros(1)
    steps = torch.cat([outside, columns, outside]).int().diff()
    digits, end = 0, -width
    for first, last in steps.nonzero().view(-1, 2).tolist():
        if _length(inked[:, first:last].any(1)) >= tall:
            digits += first - end >= gap
            end = last
    return max(digits, 1)


def _length(inked: Tensor) -> int:
    """From the first to the last True of (L,)."""
    position = inked.nonzero()
    return int(position[-1] - position[0] + 1)


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

    Image pixel i lies at middle + (i + 0.5 - 14.5) * step, with blank paper beyond the
    edge. Coarse ink is joined by linear interpolation; where it is finer than the
    image, each pixel takes the mean of all the ink around it, nearer ink counting
    more: nothing is skipped. ``middle`` and ``step`` ``(N,)`` -> ``(N, 28, length)``.
    """
    offset = torch.arange(IMAGE_SIZE, device=step.device, dtype=step.dtype)
    offset = offset + 0.5 - MIDDLE
    centre = (middle[:, None] + offset * step[:, None])[:, :, None]  # (N, 28, 1)
    reach = step.clamp(min=1)[:, None, None]
    position = torch.arange(length, device=step.device, dtype=step.dtype) + 0.5
    return (1 - (position - centre).abs() / reach).clamp(min=0) / reach


def shrink(canvas: Tensor) -> Tensor:
    """Bring a canvas to 28x28 as it is, its pixels averaged: neither moved nor scaled.

    Args:
        canvas: float ``(N, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Returns:
        ``(N, 1, 28, 28)`` in [0, 1].
    """
    height, width = canvas.shape[2:]
    rows, columns = _overlap(height).to(canvas), _overlap(width).to(canvas)
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
        images: ``(N, 28, 28)`` or ``(N, 1, 28, 28)``, uint8 in 0..255 or float in
            [0, 1].

    Returns:
        float32 ``(N, 1, 28, 28)``: (x - 0.1307) / 0.3081, with MNIST's mean and
        standard deviation over the training pixels.

    Raises:
        ValueError: if the images are not of that shape.
    """
    if images.shape[-2:] != (28, 28) or images.numel() != images.shape[0] * 28 * 28:
        raise ValueError(
            "normalize takes images of shape (N, 28, 28) or (N, 1, 28, 28), not "
            f"{tuple(images.shape)}; center_digit makes such images of a drawing."
        )
    full = 255 if images.dtype == torch.uint8 else 1
    scaled = images.reshape(-1, 1, 28, 28).float() / full
    return (scaled - MNIST_MEAN) / MNIST_STD
