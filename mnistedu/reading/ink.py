"""Finding the ink in a picture: a drawing, a scan or a photograph of a page.

Ink is what differs from the paper. A drawing's paper has one colour, which its edge
shows. A photographed page is lit unevenly, crossed by shadows, and may lie on a desk;
but strokes of a pen are narrow, and all of these are wide. Closing a picture (Serra,
1982) gives each pixel the most light within reach, and then the least of that: what
is dark and narrower than the reach is gone, all else is in its place. Opening, the
other way round, removes what is light and narrow. So one of the two shows the page
as it was before anybody wrote on it, with its shadows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnistedu.reading.page import coarsen, cut_to_page
from mnistedu.reading.pieces import BLANK, SMALLEST, choose_pieces

Array = NDArray[Any]

SAME = 0.02  # colours that differ by less than this look the same
PALE = 0.2  # the same on a page, where noise, grain and shadows leave their traces
COARSE = 100  # pixels along the longer side of the picture in which paper is sought
REACH = 0.3  # of the shorter side: wider than a stroke, narrower than a page
FAINT = 0.33  # of full ink: below it lie a photograph's noise, grain and ruled lines


def find_ink(picture: Image.Image) -> tuple[Array, str]:
    """Tell the ink from the paper, whichever of the two is the lighter.

    Args:
        picture: of mode RGBA. What is transparent is paper.

    Returns:
        float32 ``(H, W)`` in [0, 1]: 0 is paper, 1 is full ink, on the page that the
        picture shows. A drawing keeps its grey levels. All is 0 where nothing is drawn.
        And "", or what speaks against reading it.
    """
    colours = cut_to_page(_without_transparency(picture))
    edge = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    paper = np.median(edge, 0)
    drawing = (np.abs(edge - paper) < SAME).all(1).mean() > 0.9
    if drawing:
        difference, faint, blank = colours - paper, 0.0, BLANK
    else:
        difference, faint, blank = _difference_on_a_page(colours), FAINT, PALE
    contrast = _along_main_direction(difference)
    if drawing:
        threshold = min(_otsu_threshold(contrast), contrast.max())
    else:
        # A small digit has fewer pixels than the noise and the shadows, which Otsu's
        # threshold would tell apart instead; but they differ from the page by less.
        threshold = np.quantile(contrast, 1 - SMALLEST) / 2
    full = np.quantile(contrast[contrast >= threshold], 0.75)
    if full < blank:
        return np.zeros_like(contrast), ""
    ink = (contrast / full - faint) / (1 - faint)
    return choose_pieces(ink.clip(0, 1), difference)


def _without_transparency(picture: Image.Image) -> Array:
    """Colours (H, W, 3) in [0, 1], of what is opaque or of the opacity itself."""
    pixels = np.asarray(picture, np.float32) / 255
    colours, opacity = pixels[..., :3], pixels[..., 3:]
    edge = np.ones(opacity.shape[:2], bool)
    edge[1:-1, 1:-1] = False
    if np.median(opacity[edge]) < 0.5:
        return opacity.repeat(3, 2)  # drawn on nothing, in whatever colour
    paper = np.median(colours[edge & (opacity[..., 0] >= 0.5)], 0)
    return paper + opacity * (colours - paper)


def _difference_on_a_page(colours: Array) -> Array:
    """How far each pixel's colours lie from the page's there, as parts of the page's.

    Light falls on ink and paper alike: their ratio is the same in a shadow.
    """
    coarse = coarsen(colours, COARSE)
    reach = (
        int(REACH * min(coarse.shape[:2])) | 1
    )  # odd: as far to one side as the other
    box = (reach, reach, 1)
    closed = ndimage.grey_closing(coarse, box)
    opened = ndimage.grey_opening(coarse, box)
    # The wrong one smears the ink over the page, which makes the page rougher.
    dark_ink = _roughness(closed) <= _roughness(opened)

    # A shadow or a desk goes on beyond the edge, where a narrow end of it is wide.
    wide = np.pad(coarse, [(reach, reach), (reach, reach), (0, 0)], "edge")
    remove = ndimage.grey_closing if dark_ink else ndimage.grey_opening
    page = remove(wide, box)[reach:-reach, reach:-reach]
    # A sharp edge of the page or a shadow is blurred here: be sure to call it no ink.
    spread = ndimage.grey_erosion if dark_ink else ndimage.grey_dilation
    page = spread(page, (3, 3, 1))

    size = colours.shape[1::-1]  # width and height
    fine = Image.fromarray(page).resize(size, Image.Resampling.BILINEAR)
    paper = np.asarray(fine, np.float32).clip(SAME * 255) / 255
    ratio = colours / paper - 1
    return ratio.clip(max=0) if dark_ink else ratio.clip(min=0)


def _roughness(page: Array) -> float:
    """How much light changes from each pixel of (H, W, 3) to the next.

    In squares: a smeared digit has sharp edges, and may be small beside a shadow.
    """
    logarithm = np.log(page.clip(SAME * 255))
    return float(sum((np.diff(logarithm, axis=axis) ** 2).sum() for axis in (0, 1)))


def _along_main_direction(difference: Array) -> Array:
    """The first principal component: (H, W, 3) -> (H, W), above 0 for ink.

    It goes from light to dark for a pencil, from white to green and blue for a red pen.
    Grey levels stay what they are.
    """
    points = difference.reshape(-1, 3)
    direction = np.linalg.eigh(points.T @ points)[1][:, -1]
    contrast: Array = difference @ (direction / np.abs(direction).sum())
    return contrast * np.sign((contrast**3).sum())


def _otsu_threshold(values: Array) -> float:
    """The threshold that leaves the least variance on its two sides (Otsu, 1979)."""
    counts, edges = np.histogram(values, 256, (0, max(values.max(), BLANK)))
    below = counts.cumsum()[:-1]
    total = (counts * edges[:-1]).cumsum()
    above = counts.sum() - below
    distance = total[-1] / counts.sum() * below - total[:-1]
    between = distance**2 / np.maximum(below * above, 1)
    return float(edges[1:-1][between.argmax()])
