"""Finding the page in a picture that shows more: a desk, a scanner's lid, a window.

A page is one even area with an edge all around. Light may change over it, but slowly;
where it ends, the colour jumps. So the picture is divided where colours jump, and a
page is a part that is large, has a rectangle's shape, and ends inside the picture. What
lies around it is painted over with the page's nearest colour, as if it went on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Array = NDArray[Any]

COARSE = 200  # pixels along the longer side of the picture that is divided
PEN = 9  # of them: strokes narrower than half of it are taken out first
JUMP = 0.08  # in the logarithm of the light, from pixel to pixel, at a page's edge
DARK = 0.1  # is added to the light: what is black has noise, but no jumps
SMALL = 0.1  # of the picture: a page is larger
LONG = 0.35  # a page is wider than this part of its length
FULL = 0.82  # of the smallest rectangle around it: what a page covers at least
INSET = 0.01  # of the picture: so far from its edge a page ends


def cut_to_page(colours: Array) -> Array:
    """Cut a picture to the page in it, and that to the page in it, if there are any.

    Args:
        colours: float32 ``(H, W, 3)`` in [0, 1].

    Returns:
        The colours of the page alone, or those that came where no page ends inside.
    """
    while (found := _find_page(colours)) is not None:
        page, around = found
        rows, columns = (np.flatnonzero(page.any(axis)) for axis in (1, 0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colours = np.where(page[box][..., None], colours[box], around[box])
    return colours


def coarsen(colours: Array, longest: int) -> Array:
    """Colours (H, W, 3) in [0, 1] as uint8, of so many pixels a side at most."""
    levels = Image.fromarray((colours * 255).round().astype(np.uint8))
    scale = min(1, longest / max(levels.size))
    width, height = (max(1, round(side * scale)) for side in levels.size)
    return np.asarray(levels.resize((width, height), Image.Resampling.BOX))


def _find_page(colours: Array) -> tuple[Array, Array] | None:
    """Where the largest page lies, bool (H, W), and its colours as if it went on."""
    coarse = coarsen(colours, COARSE)
    if min(coarse.shape[:2]) < 2 * PEN:
        return None
    without_strokes = ndimage.median_filter(coarse, (PEN, PEN, 1))
    light = np.log(without_strokes / 255 + DARK)
    parts = _divide(light)
    page, most = np.zeros(parts.shape, bool), SMALL * parts.size
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        whole = ndimage.binary_fill_holes(parts[box] == number)
        if whole.sum() > most and _ends_inside(box, parts) and _is_rectangle(whole):
            part = np.zeros_like(page)
            part[box] = whole
            if _differs(light, parts, part):
                page, most = part, whole.sum()
    if not page.any():
        return None
    page = ndimage.binary_erosion(page, border_value=1)  # its edge is no ink
    nearest = ndimage.distance_transform_edt(
        ~page, return_distances=False, return_indices=True
    )
    size = colours.shape[1::-1]  # width and height
    painted = Image.fromarray(coarse[tuple(nearest)]).resize(size)
    fine = Image.fromarray(page).resize(size, Image.Resampling.NEAREST)
    return np.asarray(fine), np.asarray(painted, np.float32) / 255


def _divide(light: Array) -> Array:
    """The number of the even part to which each pixel belongs, 0 where light jumps."""
    even = np.ones(light.shape[:2], bool)
    for axis in (0, 1):
        jumps = (np.abs(np.diff(light, axis=axis)) > JUMP).any(2)
        even &= ~np.pad(jumps, [(axis == 0, 0), (axis == 1, 0)])
    parts: Array = ndimage.label(even)[0]
    return parts


def _ends_inside(box: tuple[slice, ...], parts: Array) -> bool:
    """Whether a part keeps clear of two sides of the picture or more.

    A shadow's edge that runs across a page divides it into parts, which do not.
    """
    clear = 0
    for side, length in zip(box, parts.shape, strict=True):
        clear += (side.start > INSET * length) + (side.stop < (1 - INSET) * length)
    return clear >= 2


def _is_rectangle(part: Array) -> bool:
    """Whether it fills the smallest rectangle around it, which may be turned."""
    y, x = np.nonzero(part)
    area, short, long = np.inf, 0.0, 1.0
    for angle in np.radians(np.arange(-45, 45, 5)):
        along = np.ptp(x * np.cos(angle) + y * np.sin(angle)) + 1
        across = np.ptp(y * np.cos(angle) - x * np.sin(angle)) + 1
        if along * across < area:
            area, short, long = along * across, min(along, across), max(along, across)
    return bool(part.sum() > FULL * area and short > LONG * long)


def _differs(light: Array, parts: Array, part: Array) -> bool:
    """Whether what lies around a part has another colour: a loop's inside has not."""
    around = ndimage.binary_dilation(part, iterations=PEN) & ~part & (parts > 0)
    if not around.any():
        return True
    difference = np.median(light[around], 0) - np.median(light[part & (parts > 0)], 0)
    return bool(np.abs(difference).max() > JUMP)
