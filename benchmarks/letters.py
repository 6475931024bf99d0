"""Letters, symbols and shapes that are no digits, drawn as on the pad.

The strokes of letters and symbols are those of Hershey's fonts (A. V. Hershey, 1967),
which a package of PyPI holds: a plain one and a script. Each drawing is squeezed,
slanted, turned a little, shaken and drawn with another pen. The shapes are our own.

What could pass for a digit was left out by a list that was fixed before any measure was
looked at, and so was the split: the letters at odd places of the alphabet, and every
second symbol and shape, are to choose by; the others are held out.
"""

import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from writers import round_off

from mnistedu.strokes import Point, rasterize

PACKAGE = "hershey-fonts==2.1.0"
FOLDER = Path(__file__).parents[1] / "run" / "hershey-fonts"
FONTS = "futural", "scripts"

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOOK_ALIKES = set("BDGIJOQSYZbgijloqsyz")
SIGNS = [chr(i) for i in range(34, 127)]  # places in the Japanese font
LIKE_DIGITS = set("#;<=>?@tuvwCHLQRSYZijkmp")  # what stands there: zeros, a sun, a ro
SYMBOLS = "+*=?%#@<>^~{}"  # without $ and &, and without what is a bar, as a 1 is


def circle(x: float, y: float, r: float, start: float, turns: float) -> list[Point]:
    """An arc, in turns from the right and clockwise."""
    n = round(24 * abs(turns)) + 1
    angles = [2 * math.pi * (start + turns * i / n) for i in range(n + 1)]
    return [(x + r * math.cos(t), y + r * math.sin(t)) for t in angles]


def spiral(turns: float) -> list[Point]:
    angles = [2 * math.pi * turns * i / 60 for i in range(61)]
    return [
        (100 + 1.6 * i * math.cos(t), 100 + 1.6 * i * math.sin(t))
        for i, t in enumerate(angles)
    ]


def heart() -> list[Point]:
    t = [2 * math.pi * i / 40 for i in range(41)]
    return [
        (
            100 + 5.5 * 16 * math.sin(a) ** 3,
            100 - 5.5 * (13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a)),
        )
        for a in t
    ]


def star(points: int) -> list[Point]:
    step = points // 2
    angles = [2 * math.pi * (step * i / points - 0.25) for i in range(points + 1)]
    return [(100 + 95 * math.cos(t), 100 + 95 * math.sin(t)) for t in angles]


# fmt: off
SHAPES: dict[str, list[list[Point]]] = {
    "heart": [heart()],
    "star": [star(5)],
    "arrow": [[(10, 100), (190, 100)], [(130, 40), (190, 100), (130, 160)]],
    "zigzag": [[(0, 60), (30, 140), (60, 60), (90, 140), (120, 60), (150, 140),
                (180, 60)]],
    "spiral": [spiral(3)],
    "scribble": [[(10, 30), (180, 50), (20, 80), (190, 90), (10, 130), (180, 120),
                  (30, 170), (190, 160)]],
    "triangle": [[(100, 20), (190, 180), (10, 180), (100, 20)]],
    "square": [[(20, 20), (180, 20), (180, 180), (20, 180), (20, 20)]],
    "house": [[(20, 190), (20, 90), (100, 10), (180, 90), (180, 190), (20, 190)]],
    "face": [circle(100, 100, 90, 0, 1), circle(100, 110, 45, 0.05, 0.4),
             [(70, 70), (70, 80)], [(130, 70), (130, 80)]],
    "tick": [[(10, 110), (70, 180), (190, 20)]],
    "cross": [[(20, 20), (180, 180)], [(180, 20), (20, 180)]],
    "wave": [[(10 * i, 100 + 50 * math.sin(i / 2)) for i in range(30)]],
    "tangle": [circle(70, 80, 60, 0, 2.3) + circle(130, 120, 60, 0.5, 2.2)
               + circle(100, 60, 55, 0.2, 1.7)],
    "man": [circle(100, 40, 30, 0.25, 1), [(100, 70), (100, 140)],
            [(50, 100), (150, 100)], [(60, 195), (100, 140), (140, 195)]],
    "flash": [[(120, 5), (60, 100), (130, 100), (70, 195)]],
}
# fmt: on


def drawings(
    part: Literal["choose", "held out", "look-alikes"], times: int = 20
) -> dict[str, Tensor]:
    """Drawings of one part, by kind: ink ``(N, 1, 280, 280)``, in bytes.

    They follow ``torch.manual_seed``.
    """
    fonts = _fonts()
    look_alikes = part == "look-alikes"
    half = LETTERS if look_alikes else LETTERS[part == "held out" :: 2]
    both_cases = half + half.lower()
    letters = [c for c in both_cases if (c in LOOK_ALIKES) == look_alikes]
    kinds = {"letters": [font[c] for c in letters for font in fonts]}
    if not look_alikes:
        skip = slice(part == "held out", None, 2)
        kinds["symbols"] = [fonts[0][c] for c in SYMBOLS[skip]]
        kinds["shapes"] = [*SHAPES.values()][skip]
    return {
        kind: torch.cat([vary(strokes) for strokes in each for _ in range(times)])
        for kind, each in kinds.items()
    }


def scribbles(count: int) -> Tensor:
    """Strokes between random places: one long one, or up to four."""
    inks = []
    for _ in range(count):
        strokes = int(torch.randint(1, 5, ()))
        least, most = (2, 9) if strokes > 1 else (4, 12)
        lengths = [int(torch.randint(least, most, ())) for _ in range(strokes)]
        inks.append(vary([(200 * torch.rand(n, 2)).tolist() for n in lengths]))
    return torch.cat(inks)


def vary(strokes: list[list[Point]]) -> Tensor:
    """Strokes on the pad's canvas, as another hand might draw them: bytes."""
    squeeze = 0.6 + 0.6 * torch.rand(()).item()
    slant = 0.25 * torch.randn(()).item()
    turn = 0.1 * torch.randn(()).item()
    width = 14 + 22 * torch.rand(()).item() ** 2
    form = torch.tensor([[squeeze, slant], [0, 1]]).T
    turned = torch.tensor(
        [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    )
    points = [torch.tensor(s).float() @ form @ turned for s in strokes]
    low, high = torch.cat(points).amin(0), torch.cat(points).amax(0)
    scale = (130 + 80 * torch.rand(()).item()) / (high - low).max()
    middle = (low + high) / 2
    drawn = []
    for stroke in points:
        moved = (stroke - middle) * scale + 140
        moved += 3 * torch.randn(moved.shape)
        drawn.append(round_off(moved.tolist()))
    return (rasterize(drawn, width) * 255).round().byte()


def signs(times: int) -> Tensor:
    """Japanese and other signs of Hershey's, without those that pass for digits."""
    glyphs = _font("japanese", [c for c in SIGNS if c not in LIKE_DIGITS])
    glyphs |= {c * 2: each for c, each in _font("astrology", "%+<=>@[]^_`{}~").items()}
    return torch.cat([vary(each) for each in glyphs.values() for _ in range(times)])


def _fonts() -> list[dict[str, list[list[Point]]]]:
    """The strokes of each character of each font."""
    return [_font(name, LETTERS + LETTERS.lower() + SYMBOLS) for name in FONTS]


def _font(name: str, characters: Iterable[str]) -> dict[str, list[list[Point]]]:
    if not FOLDER.exists():  # downloaded the first time
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER]
        subprocess.run([sys.executable, "-m", *install, PACKAGE], check=True)
    sys.path.append(str(FOLDER))
    from HersheyFonts import HersheyFonts

    font = HersheyFonts()
    font.load_default_font(name)
    strokes = {c: [*font.strokes_for_text(c)] for c in characters}
    return {c: [s for s in each if len(s) > 1] for c, each in strokes.items()}
