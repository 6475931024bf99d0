"""Reading a digit: from a drawing, a scan or a photograph to ink, and to an answer."""

import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnistedu.activations import eval_mode, to_model
from mnistedu.checkpoints import load_pretrained
from mnistedu.doubt import measure_doubt
from mnistedu.preprocess import INK_THRESHOLD, center_digit, normalize, shrink
from mnistedu.reading.files import Source, name_of, open_image

__all__ = ["Reading", "count_digits", "read_digit", "read_image", "recognize"]

Model = Callable[[Tensor], Tensor]


class Reading(NamedTuple):
    """What a network makes of some ink.

    ``digit``: the most probable one; None where the ink shows none or several;
    ``probabilities``: float32 ``(10,)``, all 0 where there is no answer;
    ``image``: what the network sees before it is normalised, ink ``(1, 1, 28, 28)``;
    ``digits_seen``: how many stand beside or above each other, 0 for blank ink;
    ``doubt``: above 0 where the image looks like none of the digits that the network
    knows (see ``doubt.measure_doubt``); None if the network has no measure of that.
    """

    digit: int | None
    probabilities: Tensor
    image: Tensor
    digits_seen: int
    doubt: float | None = None


def read_digit(source: Source, model: Model | None = None) -> Reading:
    """Read the digit in a picture: find its ink, scale and centre it, ask a network.

    Args:
        source: as ``read_image`` takes it.
        model: as ``recognize`` takes it; None for the course's own network.

    Returns:
        The answer, with what the network saw. Of a blank picture, or one that shows
        several digits, nothing is guessed: its ``digit`` is None.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the source holds no readable image, its ink is cut off at the
            edge or no pen's, or as ``recognize``.

    Warns:
        UserWarning: as ``read_image``.
    """
    ink, note = _find_ink(source)
    if note:
        warnings.warn(note, stacklevel=2)
    return recognize(ink, _course_network() if model is None else model)


_course_network = cache(load_pretrained)  # loading takes a third of a reading's time


def recognize(ink: Tensor, model: Model, centered: bool = True) -> Reading:
    """Ask a network for the digit in some ink.

    Args:
        ink: float ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.
        model: maps normalised images, float32 ``(N, 1, 28, 28)``, to logits
            ``(N, 10)``: a module, used in evaluation mode, on its own device and in
            its own precision, or any function.
        centered: whether ``center_digit`` makes the image, or the ink is only shrunk.

    Raises:
        ValueError: if ``ink`` is none, or the model gives no ten finite logits.
    """
    seen = without_answer(ink, centered)
    if seen.digits_seen != 1:
        return seen
    probabilities = logits_of(model, seen.image).softmax(0)
    doubt = measure_doubt(model, normalize(seen.image))
    return seen._replace(
        digit=int(probabilities.argmax()),
        probabilities=probabilities,
        doubt=None if doubt is None else doubt.item(),
    )


def without_answer(ink: Tensor, centered: bool = True) -> Reading:
    """What there is to say of some ink before a network is asked."""
    image = center_digit(ink) if centered else shrink(ink)
    return Reading(None, torch.zeros(10), image, count_digits(ink))


@torch.no_grad()  # in inference mode lazy layers would be made unfit for training
def logits_of(model: Model, image: Tensor) -> Tensor:
    """A model's logits, float32 ``(10,)``, for one image of ink ``(1, 1, 28, 28)``."""
    images = normalize(image)
    try:
        if isinstance(model, nn.Module):
            with eval_mode(model):
                logits = model(to_model(images, model)).cpu()
        else:
            logits = torch.as_tensor(model(images))
    except Exception as error:  # whatever the reader's own code raises
        raise ValueError(
            f"The model could not read an image of shape {tuple(images.shape)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if logits.shape != (1, 10) or not logits.isfinite().all():
        raise ValueError(
            "The model must give ten finite logits, shape (1, 10), for an image "
            f"(1, 1, 28, 28), but gave shape {tuple(logits.shape)}."
        )
    return logits[0].float()


def read_image(source: Source) -> Tensor:
    """Read the ink of one digit from a drawing, a scan or a photograph.

    Dark ink on light paper and light ink on dark paper both will do, in any colour,
    in an uneven light and with shadows (see ``reading.ink``). Of a page on a desk only
    the page is read, and of what is on the page only the strokes of a digit. What is
    transparent is paper. Large pictures are reduced to at most 1024 pixels in width and
    height.

    Args:
        source: the path or the bytes of a PNG, JPEG, WebP, GIF, BMP or TIFF file, an
            image of Pillow's, or an array or tensor ``(H, W)``, ``(H, W, 3)`` or
            ``(H, W, 4)``: bool, uint8, uint16 or float in [0, 1].

    Returns:
        float32 ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the source holds no readable image, more than 25 million pixels
            (65 million in a JPEG file, unless in CMYK), nothing drawn, several
            digits, ink that is cut off at the edge, or ink that is no pen's.

    Warns:
        UserWarning: if a file is animated; its first frame is read.
    """
    ink, note = find_digit(source)
    if note:
        warnings.warn(note, stacklevel=2)
    return ink


def find_digit(source: Source) -> tuple[Tensor, str]:
    """As ``read_image``, which warns of the note that this returns, "" if none.

    For the pads, whose thread has to leave warnings alone: they belong to all threads.
    """
    ink, note = _find_ink(source)
    count = count_digits(ink)
    if count != 1:
        raise ValueError(not_one(name_of(source), count))
    return ink, note


def not_one(name: str, count: int) -> str:
    """What is wrong with a picture of none or several digits, and what to do."""
    if count == 0:
        return f"{name} is blank: it should show one digit."
    return f"{name} shows {count} digits: cut out one of them."


def _find_ink(source: Source) -> tuple[Tensor, str]:
    from mnistedu.reading.ink import find_ink  # brings SciPy, which takes its time

    picture, note = open_image(source)
    ink, complaint = find_ink(picture)
    if complaint:
        raise ValueError(f"{name_of(source)} {complaint}.")
    return torch.from_numpy(ink)[None, None], note


def count_digits(ink: Tensor) -> int:
    """Count the digits that stand beside or above each other.

    The strokes of one digit may be apart too: an open 4, a 5 without its bar. So
    pieces with blank columns between them count as digits only if they are about as
    high as the highest and a sixteenth of that apart or, where all is wider than one
    digit can be, half as high. Pieces with blank rows between them are half as high,
    not much wider than high, and together higher than wide, or else there are blank
    columns between them too. Of MNIST's 54,000 training digits 7, all broken, count as
    two.

    Args:
        ink: float ``(1, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink.

    Returns:
        Their number; 0 for blank ink.
    """
    inked = ink[0, 0] > INK_THRESHOLD
    if not inked.any():
        return 0
    height, width = _length(inked.any(1)), _length(inked.any(0))
    columns, rows = _runs(inked.any(0)), _runs(inked.any(1))
    tall, gap = (0.5, 0.0) if width > 1.25 * height else (0.85, 0.06)
    heights = [_length(inked[:, first:last].any(1)) for first, last in columns]
    beside = _count(columns, heights, tall, gap)
    if len(columns) == 1 and height < 1.25 * width:
        return max(beside, 1)
    heights = [
        (last - first) * (_length(inked[first:last].any(0)) <= 1.6 * (last - first))
        for first, last in rows
    ]
    return max(beside, _count(rows, heights, 0.5, 0.05), 1)


def _count(runs: list[list[int]], heights: list[int], tall: float, gap: float) -> int:
    """Count the runs that are high and far enough, by the height of the highest."""
    count, end, highest = 0, -math.inf, max(heights)
    for (first, last), height in zip(runs, heights, strict=True):
        if height >= max(tall * highest, 1):
            count += first - end >= gap * highest
            end = last
    return count


def _runs(inked: Tensor) -> list[list[int]]:
    """Where the stretches of True in (L,) begin and end."""
    outside = inked.new_zeros(1)
    steps = torch.cat([outside, inked, outside]).int().diff()
    runs: list[list[int]] = steps.nonzero().view(-1, 2).tolist()
    return runs


def _length(inked: Tensor) -> int:
    """From the first to the last True of (L,)."""
    position = inked.nonzero()
    return int(position[-1] - position[0] + 1)
