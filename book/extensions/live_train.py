"""A Sphinx extension that puts the trainer into a page, and its digits beside it.

A page asks for it with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-train">Here the book has a network to train.</div>

The scripts lie in book/live/train, and share files with the pad's in book/live.
"""

import zlib
from pathlib import Path

from live import KINDS, LIVE, PACKAGE, WANTING, Kind, prepare, write_data
from sphinx.application import Sphinx
from sphinx.util import logging

TRAIN, VAL = 10_000, 2_000
SOURCES = {
    "MNIST": "of MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges, under the licence "
    "CC BY-SA 3.0.",
    "scikit-learn's digits": "of scikit-learn, by E. Alpaydin and C. Kaynak, CC BY "
    f"4.0: {WANTING}.",
}

KINDS["live-train"] = Kind(
    label="Trainer",
    module="train/train.js",
    caption="Here you train a network, in a browser with JavaScript, once the page is "
    "served: make serve does it.",
    picture='train.png width="1472" height="1742" alt="The trainer. Two charts in '
    "which the loss of training and validation digits falls and their accuracy rises; "
    "below them the weights of 128 neurons as small images, blue and red strokes; on "
    'the right sliders for the learning rate and the other settings."',
    styles=("train/train.css",),
)

logger = logging.getLogger(__name__)


def copy_digits(app: Sphinx) -> None:
    """Put the digits into the site's static files."""
    folder = Path(app.outdir, LIVE, "train")
    made_of = [PACKAGE / "data.py", PACKAGE / "strokes.py", Path(__file__)]
    write_data(folder / "digits.json", made_of, lambda: write_digits(folder))


def write_digits(folder: Path) -> dict[str, object]:
    """Write the digits, compressed without loss: first all images, then all targets.

    Returns:
        What digits.json holds: how many they are, whose, and ten strokes to draw.
    """
    # Takes seconds, and most builds need none of it.
    from mnistedu.data import Split, load
    from mnistedu.strokes import SAMPLES

    logger.info("writing digits for the trainer ...")
    digits = load()
    train = Split(*(part[:TRAIN] for part in digits.train))
    val = Split(*(part[:VAL] for part in digits.val))
    parts = train.images, val.images, train.targets.byte(), val.targets.byte()
    content = b"".join(part.numpy().tobytes() for part in parts)
    (folder / "digits.bin").write_bytes(zlib.compress(content, 9))
    whose = (
        f"{len(train.targets):,} training and {len(val.targets):,} validation digits"
    )
    return {
        "source": f"These are {whose} {SOURCES[digits.name]}",
        "train": len(train.targets),
        "val": len(val.targets),
        "samples": [SAMPLES[digit] for digit in range(10)],
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("live")
    prepare(app, copy_digits)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
