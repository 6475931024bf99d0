"""Choosing the pieces of ink that are a digit's strokes.

Beside a digit there is more that differs from the paper: dust, the next line, a desk's
corner, a hole, a pen. Each connected piece is looked at by itself. A stroke is narrow
for its length, has sharp sides, and ends on the page. What a pen has drawn has one
colour from end to end; the pen itself has several, or another.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnistedu.images import IMAGE_SIZE

Array = NDArray[Any]

BLANK = 0.1  # what differs from the paper by less than this is no ink
SPECK = 0.02  # of the largest piece of ink: smaller ones are dust
SMALLEST = 3e-5  # of the picture: what covers less is no digit
FILLED = 0.36  # of its length: strokes are narrower, of MNIST's digits all but 0.1 %
SOFT = 0.6  # of a stroke's width: its sides take less from paper to ink
BLUR = 6  # pixels: what any camera may take
FRAME = 0.5  # of a piece along the sides of its box: more make it a frame
LOOP = 5e-4  # of a piece's box: what it encloses and is smaller is no hole
HOLES = 4  # more make a piece a net: an 8 has two, and a pencil's traces may have some
THIN = 0.03  # of the picture: a digit that fills it has thicker strokes than a line
LINES = (3, 5, 9)  # pixels: ruled lines are thinner
SLIM = 8  # times as long as wide: a bar
PEN = 1.75  # times as long as all else: a bar beside a digit is a pen
SLICE = 100  # pixels of a piece give it a colour there: enough to cancel noise
SEVERAL = 0.03  # of their strength: colours that differ by less are those of one ink
MANY = 3  # times as much ink as the largest piece has: it is scattered
TILES = np.ones((3, 3))


class Piece(NamedTuple):
    """A connected piece of ink, as it is known by its number."""

    number: int
    area: int  # of its darker half, so that a faint smear is small
    length: int  # the longer side of that, in pixels
    width: float  # of its stroke
    blur: float  # pixels from paper to full ink at its sides
    frame: float  # the part of it that lies along the sides of its box
    holes: int
    sides: tuple[bool, ...]  # of the picture that it touches: top, left, bottom, right
    spans: bool  # whether it is as large as the picture
    slim: bool  # whether it is a straight bar
    colours: Array  # of its slices, less the paper's

    def is_sharp(self) -> bool:
        """Whether it has sides, which shadows and smears have not."""
        return self.blur < max(BLUR, SOFT * self.width)

    def is_stroke(self) -> bool:
        """Whether a pen may have made it: it is no filled area, and no form's box."""
        narrow = self.width < FILLED * self.length
        return narrow and self.frame < FRAME and self.is_sharp()

    def is_whole(self) -> bool:
        """Whether it neither goes on beyond the picture nor hangs on a drawn grid."""
        return self.holes <= HOLES and (self.spans or not any(self.sides))


def choose_pieces(ink: Array, difference: Array) -> tuple[Array, str]:
    """Keep the strokes that may belong to a digit.

    Args:
        ink: float32 ``(H, W)`` in [0, 1].
        difference: float ``(H, W, 3)``, of the colours from the paper's.

    Returns:
        The ink that is kept; and "", or what speaks against reading it.
    """
    nothing = np.zeros_like(ink)
    steepness = ndimage.gaussian_gradient_magnitude(ink, 1.0)
    steepness = ndimage.maximum_filter(steepness, 3)  # beside a thin stroke is its most
    found, labels = find_pieces(ink, difference, steepness)
    kept = [p for p in found if p.is_stroke() and p.is_whole()]
    if not kept:
        complaint = _what_is_wrong(found)
        found, labels, kept = _without_lines(ink, difference, steepness, found)
        if not kept:
            return nothing, complaint
    most = max(p.area for p in kept)
    kept = [p for p in kept if p.area >= SPECK * most]
    bent = [p for p in kept if not p.slim]
    longest = max((p.length for p in bent), default=np.inf)
    bars = [p for p in kept if p.slim and p.length < PEN * longest]
    kept = bent + [p for p in bars if _spread([p, *bent]) < SEVERAL]
    if not kept:
        return nothing, _what_is_wrong(found)
    most = max(p.area for p in kept)
    inside = [p for p in found if not any(p.sides)]
    if any(p.area > most for p in inside if not p.is_sharp()):
        return nothing, ""  # smears on a board, the grain of a desk
    keep = np.zeros(labels.max() + 1, bool)
    keep[[p.number for p in kept]] = True
    chosen = ink * ndimage.binary_dilation(keep[labels], TILES)  # soft rims too
    many = sum(p.area for p in kept) > MANY * most
    return chosen, "shows many pieces of ink: it should show one digit" * many


def _what_is_wrong(found: list[Piece]) -> str:
    if any(p.is_stroke() and any(p.sides) and p.holes <= HOLES for p in found):
        return "shows ink that is cut off at its edge: leave paper around the digit"
    if any(p.is_sharp() and p.is_whole() for p in found):
        return "shows no strokes of a pen: it should show one digit"
    return ""


def _without_lines(
    ink: Array, difference: Array, steepness: Array, found: list[Piece]
) -> tuple[list[Piece], Array, list[Piece]]:
    """The pieces without ruled lines, on which a digit hangs that is thicker than they.

    Opening leaves of the ink what is as wide as a square.
    """
    hang = any(p.is_sharp() and not p.is_whole() for p in found)
    for width in LINES if hang else ():
        square = np.ones((width, width))
        thick = ndimage.binary_opening(ink > 0.5, square)
        thinned = ink * ndimage.binary_dilation(thick, square)
        rest, labels = find_pieces(thinned, difference, steepness, margin=width)
        strokes = [p for p in rest if p.is_stroke() and p.is_whole()]
        if kept := [p for p in strokes if p.width > 1.5 * width]:
            return rest, labels, kept
    return [], np.zeros(ink.shape, int), []


def find_pieces(
    ink: Array, difference: Array, steepness: Array, margin: int = 0
) -> tuple[list[Piece], Array]:
    """All pieces that are large enough, and the number of the piece at each pixel."""
    labels, count = ndimage.label(ink > BLANK, TILES)
    area = np.bincount(labels[ink > 0.5], minlength=count + 1)
    boxes = ndimage.find_objects(labels)
    found = []
    for number in np.flatnonzero(area >= max(SMALLEST * ink.size, 1)).tolist():
        box = boxes[number - 1]
        piece = labels[box] == number
        dark = piece & (ink[box] > 0.5)
        side = dark & ~ndimage.binary_erosion(np.pad(dark, 1))[1:-1, 1:-1]
        width = float(2 * area[number] / side.sum())
        rows, columns = np.nonzero(dark)
        inner = tuple(slice(n // 20 + 1, -(n // 20) - 1) for n in dark.shape)
        frame = float(1 - dark[inner].sum() / area[number])
        sides = [s.start <= margin for s in box] + [
            s.stop >= n - margin for s, n in zip(box, ink.shape, strict=True)
        ]
        spread = np.ptp(rows) + 1, np.ptp(columns) + 1
        part = sorted(n / m for n, m in zip(spread, ink.shape, strict=True))
        spans = part[1] > 0.8 and part[0] > 0.25
        spans &= width > THIN * max(ink.shape)
        spans |= max(ink.shape) <= IMAGE_SIZE  # MNIST's own 7s may reach the edge
        found.append(
            Piece(
                number,
                area=int(area[number]),
                length=int(max(spread)),
                width=width,
                blur=1 / max(float(steepness[box][side].mean()), 1e-3),
                frame=frame if width < 0.1 * min(dark.shape) else 0.0,
                holes=_count_holes(piece, width),
                sides=tuple(sides),
                spans=bool(spans),
                slim=_is_bar(rows, columns),
                colours=_colours_along(piece, difference[box]),
            )
        )
    return found, labels


def _count_holes(piece: Array, width: float) -> int:
    paper, _ = ndimage.label(~np.pad(piece, 1))
    area = np.bincount(paper[paper > 0])[2:]  # the first is what lies around the piece
    return int((area > max(LOOP * piece.size, width)).sum())


def _is_bar(rows: Array, columns: Array) -> bool:
    """Whether they make a straight bar, by their variances along and across it."""
    if len(rows) < 2:
        return False
    across, along = np.linalg.eigvalsh(np.cov(rows, columns))
    return bool(along > SLIM**2 * across)


def _colours_along(piece: Array, difference: Array) -> Array:
    """The colours (N, 3) of a piece in slices from end to end, each of length 1.

    A lens fringes the two sides of a stroke in opposite colours: across it they cancel.
    """
    points = np.argwhere(piece)
    points = points - points.mean(0)
    along = points @ np.linalg.eigh(points.T @ points)[1][:, -1]
    in_order = difference[piece][along.argsort()]
    slices = np.array_split(in_order, 1 + len(points) // SLICE)
    sums = np.array([part.sum(0) for part in slices])
    return sums / np.linalg.norm(sums, axis=1, keepdims=True).clip(1e-9)


def _spread(pieces: list[Piece]) -> float:
    """How far the colours of pieces lie from one: their second principal component."""
    colours = np.concatenate([p.colours for p in pieces])
    second, first = np.linalg.eigvalsh(colours.T @ colours)[1:]
    return float(np.sqrt(max(second, 0) / first))
