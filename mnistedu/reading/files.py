"""One picture out of a file, of its bytes, or of an array.

Files come from anywhere: they may be damaged, or small and unfold to gigabytes. The
size is read from the header first, and what is decoded is soon reduced.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

Source = str | Path | bytes | Image.Image | NDArray[Any] | Tensor

# What cameras, phones, scanners and drawing programs write. Pillow reads more, but
# some of that slowly, and some by starting other programs.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
ANIMATED = ("PNG", "WEBP", "GIF")  # the other formats' further images are no frames

LONGEST = 1024  # pixels along the longer side of what is made of a larger picture
TOO_MANY = "has too many pixels: reduce it to 25 million or less."
MOST_PIXELS = 25_000_000  # decoded in less than a second and 500 MB
MOST_PIXELS_JPEG = 65_000_000  # which is decoded at a half, a quarter or an eighth
SCAN = b"\xff\xda"  # begins one; each takes the time of a pass over all pixels
MOST_SCANS = 16  # of a progressive JPEG; programs write ten or so

# From the fifth byte on: HEIC and AVIF, which Pillow does not read, or not everywhere.
PHONES = (b"ftyphei", b"ftyphev", b"ftypmif", b"ftypmsf", b"ftypavi")


def open_image(source: Source) -> tuple[Image.Image, str]:
    """Open, reduce and turn a picture as its camera says it should be.

    It takes what ``reading.read_image`` takes, and refuses what that refuses.

    Returns:
        A picture of mode RGBA, at most 1024 pixels wide and high; and "", or a note
        that of an animation one frame is taken.
    """
    if isinstance(source, str | Path):
        if not os.path.isfile(source):  # False of a name too long, too
            raise FileNotFoundError(f"There is no image at {source}.")
        with Path(source).open("rb") as file:
            return _decode(file, name_of(source))
    if isinstance(source, bytes | memoryview):
        return _decode(BytesIO(source), name_of(source))
    picture = source if isinstance(source, Image.Image) else _from_array(source)
    with _in_one_sentence(name_of(source)):
        _refuse_more_pixels_than(MOST_PIXELS, picture)
        return _upright(picture), ""


def name_of(source: Source) -> str:
    """How a sentence about it begins."""
    return str(source) if isinstance(source, str | Path) else "The image"


def _decode(file: BinaryIO, name: str) -> tuple[Image.Image, str]:
    with _in_one_sentence(name):
        if file.read(12)[4:11] in PHONES:
            raise _RefusedError(
                "is a HEIC or AVIF file, as phones write them: save it as JPEG."
            )
        picture = Image.open(file, formats=FORMATS)
        # MPO: with a preview behind. CMYK comes from printers, and takes longer.
        photograph = picture.format in ("JPEG", "MPO") and picture.mode != "CMYK"
        most = MOST_PIXELS_JPEG if photograph else MOST_PIXELS
        _refuse_more_pixels_than(most, picture)
        animated = picture.format in ANIMATED and getattr(picture, "is_animated", False)
        if "progressive" in picture.info:
            file.seek(0)
            if (scans := file.read().count(SCAN)) > MOST_SCANS:
                raise _RefusedError(f"is a JPEG file of {scans} scans: save it as PNG.")
        picture.draft(None, (LONGEST, LONGEST))
        note = f"{name} is animated: only its first frame is read." if animated else ""
        return _upright(picture), note


class _RefusedError(Exception):
    """What is wrong, and what to do, as the rest of a sentence."""


@contextmanager
def _in_one_sentence(name: str) -> Iterator[None]:
    """Turn all that a decoder may raise into a ValueError."""
    try:
        yield
    except _RefusedError as error:
        raise ValueError(f"{name} {error}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} {TOO_MANY}") from error
    except Exception as error:
        raise ValueError(
            f"{name} is damaged or no image that can be read: try a PNG or JPEG file."
        ) from error


def _refuse_more_pixels_than(most: int, picture: Image.Image) -> None:
    if picture.width * picture.height > most:
        raise _RefusedError(TOO_MANY)


def _upright(picture: Image.Image) -> Image.Image:
    if picture.mode[0] in "IF":  # 16 or 32 bits for a level
        picture = picture.convert("F")
    elif picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGBA")  # a mean of a palette's numbers says nothing
    small = picture.reduce(-(-max(picture.size) // LONGEST))
    small = ImageOps.exif_transpose(small)
    if small.mode == "F":
        small = Image.fromarray(_eight_bits(np.asarray(small)))
    return small.convert("RGBA")


def _eight_bits(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Of the 16 bits few files use all: what is lightest is white."""
    if not 0 <= levels.min() <= levels.max() < np.inf:  # nor nan
        raise ValueError("These levels are no light.")
    return _scaled(levels, 1 / (levels.max() or 1))


def _scaled(levels: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    """Levels times a factor, which makes them 1 at most, in 256 steps: 1 is 255."""
    result = np.empty(levels.shape, np.uint8)
    np.multiply(levels, 255.5 * factor, out=result, casting="unsafe")  # no copy between
    return result


def _from_array(source: NDArray[Any] | Tensor) -> Image.Image:
    if isinstance(source, Tensor):
        source = source.detach().cpu()  # which NumPy takes, but for half precision
        source = source.float() if source.is_floating_point() else source
    array = np.asarray(source)
    known = array.dtype.name in ("bool", "uint8", "uint16") or array.dtype.kind == "f"
    plain = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not known or not plain or not array.size:
        raise ValueError(
            "An image is an array of bool, uint8, uint16 or float and of shape (H, W), "
            f"(H, W, 3) or (H, W, 4), not {array.dtype} of shape {array.shape}."
        )
    if array.shape[0] * array.shape[1] > MOST_PIXELS:
        raise ValueError(f"The image {TOO_MANY}")
    if array.dtype.name == "uint16":  # in either order of its bytes
        return Image.fromarray(_eight_bits(array))
    if array.dtype != np.uint8:
        if not (array.min() >= 0 and array.max() <= 1):  # nor nan
            raise ValueError("Floats in an array should lie between 0 and 1.")
        array = _scaled(array, 1)
    return Image.fromarray(array)
